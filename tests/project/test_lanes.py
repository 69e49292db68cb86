"""Each test is in one lane, and each lane runs its own tests and no others."""

import os
import re
import subprocess
import sys

import pytest

from tests.lanes import lane_of, lanes_chosen
from tests.project.readme import ROOT

MODULE = """
import pytest
from tests.lanes import in_full

@pytest.mark.parametrize("server", ["ours", *in_full(["theirs"])])
def test_parameter(server): pass

@pytest.mark.full
def test_service(): pass

@pytest.mark.full
@pytest.mark.long
def test_wait(): pass

@pytest.mark.postgresql
def test_many_writers(): pass

def test_unit(): pass
"""

EXPECTED = {
    "quick": {"test_parameter[ours]", "test_unit"},
    "full": {"test_parameter[theirs]", "test_service"},
    "long": {"test_wait"},
    "all": {"test_parameter[ours]", "test_parameter[theirs]", "test_service", "test_unit"},
}


def collected(folder, lane: str, **more: str) -> set[str]:
    """Return the names of the tests that pytest would run in a lane."""
    (folder / "test_module.py").write_text(MODULE)
    (folder / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n  full: x\n  long: x\n  postgresql: x\n"
    )
    options = ["-p", "tests.lanes", "--collect-only", "-q"]
    lanes = [] if lane == "quick" else [f"--{lane}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--rootdir", folder, *options, *lanes, str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | more,
        capture_output=True,
        text=True,
    )
    return set(re.findall(r"::(.+)", done.stdout))


@pytest.mark.parametrize("lane", EXPECTED)
def test_lane_runs_its_own_tests_and_no_others(tmp_path, lane):
    assert collected(tmp_path, lane) == EXPECTED[lane]


def test_what_only_postgresql_can_do_runs_where_the_unit_tests_run_on_it(tmp_path):
    on_postgresql = collected(tmp_path, "all", TEST_DATABASE_URL="postgres://")
    assert on_postgresql == EXPECTED["all"] | {"test_many_writers"}


def test_this_run_has_tests_of_its_lanes_only(request):
    lanes = {lane_of(item) for item in request.session.items}
    assert lanes <= {*lanes_chosen(request.config)}


@pytest.mark.parametrize("word", ["`.venv/bin/pytest`", "pytest --full", "`.ci/long`", "in_full("])
def test_lanes_are_explained(word):
    assert word in (ROOT / "tests" / "README.md").read_text()


def test_ci_runs_the_full_lane_after_the_command_of_the_readme():
    commands = (ROOT / ".ci" / "run").read_text()
    assert 0 < commands.index('bash -c "$test_command"') < commands.index("pytest --full")
