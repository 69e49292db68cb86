"""Follows the recipe of `realtime/README.md`, with its commands and modules as they are printed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from glob import glob
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.project.readme import REALTIME, REFERENCE
from tests.wire.servers import PATIENCE, ServerProcess, serving

PROJECTS = Path(__file__).parent / "projects"
RECIPE, OWN_TOPICS = "Put it into your project", "Your own topics"

# Pythons that are installed and not on the PATH. uv takes one from there, or downloads it.
OTHERS = glob(f"{os.environ.get('PYENV_ROOT', Path.home() / '.pyenv')}/versions/*/bin")

# The realm that has signed the tests' tokens, and where this run has its parts.
SETTINGS = """
REALTIME_ISSUER = {{
    "ISSUER": "http://localhost:8000/realms/demo",
    "AUDIENCE": "reference-app",
    "KEYS_URL": "{keys_url}",
}}
CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]["port"] = {redis_port}
"""


def section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def command(page: str, pattern: str) -> str:
    """Return the one command of the recipe that a pattern fits."""
    blocks = re.findall(r"^```bash\n(.*?)^```", section(page, RECIPE), re.MULTILINE | re.DOTALL)
    (line,) = [line for line in "".join(blocks).splitlines() if re.fullmatch(pattern, line)]
    return line


def block(page: str, title: str, begin: str) -> str:
    """Return the one block of Python in a section that begins with these words."""
    blocks = re.findall(r"^```python\n(.+?)^```", section(page, title), re.MULTILINE | re.DOTALL)
    (found,) = [each for each in blocks if each.startswith(begin)]
    return found


def modules(page: str, title: str) -> dict[str, str]:
    """Return the modules of a section, each of which is a block that begins with its path."""
    pattern = re.compile(r"^```python\n# (\w+/\w+\.py)\n(.+?)^```", re.MULTILINE | re.DOTALL)
    return dict(pattern.findall(section(page, title)))


def make_environment(folder: Path, python: str, django: str, *, postgresql: bool) -> Path:
    """Make a virtual environment of only the packages that the page names."""
    environment, page = folder / "env", REALTIME.read_text()
    path = os.pathsep.join([os.environ["PATH"], *OTHERS])
    uv = find_uv_bin()
    made = subprocess.run(
        [uv, "venv", "--python", python, environment],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )
    if made.returncode:
        pytest.skip(f"needs Python {python}: install it\n{made.stderr}")
    # `pip` is uv's, which needs a second of CPU where pip needs twenty.
    (constraint := folder / "constraint.txt").write_text(f"Django=={django}\n")
    (pip := environment / "bin" / "pip").write_text(
        f'#!/bin/sh\nexec {uv} pip "$@" --constraint {constraint}\n'
    )
    pip.chmod(0o755)
    bash(command(page, "pip install 'Django.*"), environment, folder)
    if postgresql:
        bash(command(page, "pip install 'psycopg.*"), environment, folder)
    return environment


def bash(line: str, environment: Path, folder: Path) -> str:
    """Run a line in a folder, with an environment activated, and return what it prints."""
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    changed = {
        "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
        "VIRTUAL_ENV": str(environment),
    }
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=inherited | changed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=10 * PATIENCE,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}"
    return done.stdout


class Project:
    """A project in `~/mysite`, where `~` is a temporary folder."""

    page: str

    def __init__(self, home: Path, environment: Path):
        self.home, self.environment, self.folder = home, environment, home / "mysite"
        self.folder.mkdir()
        self.run("django-admin startproject mysite .")

    def run(self, line: str) -> str:
        return bash(line, self.environment, self.folder)

    def has_already(self, apps: str, settings: str = "") -> None:
        """Add the apps of a project, and what its settings say of them."""
        shutil.copytree(PROJECTS / apps, self.folder, dirs_exist_ok=True)
        self.add("mysite/settings.py", settings)

    def add(self, path: str, text: str) -> None:
        with (self.folder / path).open("a") as module:
            module.write(f"\n{text}")

    def replace(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert text.count(old) == 1, (path, old)
        (self.folder / path).write_text(text.replace(old, new))

    def take_home(self, name: str) -> None:
        """Do the first step, in the project that has the folder, and read on in the copy."""
        line = command(REALTIME.read_text(), r"python manage\.py take_home ~/mysite")
        said = self.run_where_the_folder_is(f"{line} --name {name}")
        self.page = (self.folder / name / "README.md").read_text()
        assert modules(self.page, RECIPE)["mysite/settings.py"] in said

    def compare(self) -> str:
        """Compare the copy with the folder, as the page says."""
        return self.run_where_the_folder_is(command(self.page, r".* take_home .* --diff"))

    def run_where_the_folder_is(self, line: str) -> str:
        home = f"HOME={shlex.quote(str(self.home))}"
        return bash(f"{home}; {line}", Path(sys.prefix), REFERENCE.parent)

    def write_modules(self, title: str) -> None:
        """Write the modules of a section; the settings are added to those that are there."""
        for path, text in modules(self.page, title).items():
            if path == "mysite/settings.py":
                self.add(path, text)
            else:
                (self.folder / path).write_text(text)

    def serve(self) -> AbstractContextManager[ServerProcess]:
        line = command(self.page, r"python -m \w+\.server .*")
        return serving(
            [*shlex.split(line)[1:], "-b", "127.0.0.1", "-p", "0"],
            python=str(self.environment / "bin" / "python"),
            PYTHONPATH=str(self.folder),
            DJANGO_SETTINGS_MODULE="mysite.settings",
        )
