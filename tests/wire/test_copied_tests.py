"""The tests of the copied folder, and a team's own, in projects that know nothing of this one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from realtime.management.copying import write_copy

pytestmark = pytest.mark.full

# The modules of the page that a project has after its recipe, and its tests.
BLOCK = re.compile(r"```python\n# ((?:mysite|tests)/\w+\.py)\n(.+?)```", re.DOTALL)

# Users sign in by email and have keys, fields and a company that Django's own have not.
ACCOUNTS = """
import uuid
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

class Company(models.Model):
    name = models.CharField(max_length=5, unique=True)

class Account(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    number = models.PositiveIntegerField(unique=True)
    born = models.DateField()
    plan = models.CharField(max_length=4, choices=[("free", "Free"), ("paid", "Paid")])
    company = models.ForeignKey(Company, models.PROTECT)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField()
    joined = models.DateTimeField(auto_now_add=True)
    objects = BaseUserManager()
    USERNAME_FIELD = "email"
"""
INSTALLED = 'INSTALLED_APPS += ["channels", "live"]\n'

# Settings that would change what the tests see, if they let them.
CONTRARY = """
REALTIME_MESSAGES_PER_MINUTE = 1
REALTIME_TOKEN_IN_QUERY = False
REALTIME_TAIL_CHECK_SECONDS = 3600
USE_X_FORWARDED_HOST = True
"""

# Fails where a module was imported that the project does not have.
WITNESS = """
import sys

def pytest_sessionfinish(session):
    outside = {"realtime", "api", "config", "demo", "devrealm", "classroom"} & sys.modules.keys()
    if outside:
        print("imported from outside:", outside)
        session.exitstatus = 3
"""


class Project:
    """A new Django project with the folder in it, under the name `live`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.run("django", "startproject", "mysite", str(folder), cwd=None)
        self.page = (write_copy(folder, "live") / "README.md").read_text()
        self.add("conftest.py", WITNESS)

    def add(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(exist_ok=True)
        with (self.folder / path).open("a") as module:
            module.write(text)

    def run(self, *command: str, cwd: Path | None) -> str:
        """Run a module of Python, and return what it printed."""
        environment = {**os.environ, "PYTHONPATH": str(cwd or "")}
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=cwd,
            env={name: value for name, value in environment.items() if "DJANGO" not in name},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-10_000:]
        return done.stdout

    def test(self, *arguments: str) -> str:
        options = ["-q", "-rs", "-p", "no:cacheprovider", "--ds=mysite.settings"]
        return self.run("pytest", *options, *arguments, cwd=self.folder)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def assert_all_passed(printed: str) -> None:
    """See that hundreds passed, and that none was skipped but for SQLite."""
    (passed,) = re.findall(r"(\d+) passed", printed)
    assert int(passed) > 400
    skipped = re.findall(r"^SKIPPED .*$", printed, re.MULTILINE)
    assert all("needs PostgreSQL" in line for line in skipped), skipped


def test_tests_of_the_folder_pass_in_a_new_project(project):
    project.add("mysite/settings.py", INSTALLED + CONTRARY)
    assert_all_passed(project.test("live/tests"))


def test_they_pass_where_users_sign_in_by_email(project):
    project.add("accounts/models.py", ACCOUNTS)
    settings = 'INSTALLED_APPS += ["accounts"]\nAUTH_USER_MODEL = "accounts.Account"\n'
    project.add("mysite/settings.py", INSTALLED + settings)
    project.run("manage", "makemigrations", "accounts", "--skip-checks", cwd=project.folder)
    assert_all_passed(project.test("live/tests"))


def test_tests_of_a_team_run_as_the_page_prints_them(project):
    for path, text in BLOCK.findall(project.page):
        project.add(path, text)
    assert "2 passed" in project.test("tests")
