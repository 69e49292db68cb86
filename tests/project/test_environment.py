"""One environment, said in three places: what is installed, pyproject.toml, environment.yml."""

import re
import tomllib
from importlib.metadata import requires, version

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from realtime import __version__
from tests.project.readme import README, REALTIME, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())

# What conda brings besides the project: no Python package, so that nothing is bounded twice.
PARTS = {"pip", "redis-server"}


def required(*extras: str) -> set[Requirement]:
    """Return what pyproject.toml asks for, with some extras and what these include."""
    found = set(map(Requirement, PROJECT["dependencies"]))
    for extra in extras:
        for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
            if requirement.name == PROJECT["name"]:
                found |= required(*requirement.extras)
            else:
                found.add(requirement)
    return found


def test_installed_metadata_is_that_of_pyproject():
    installed = [r for r in map(Requirement, requires(PROJECT["name"])) if not r.marker]
    assert set(installed) == required(), "Install again: pip install -e '.[course,test]'"
    assert version(PROJECT["name"]) == __version__


def test_what_is_installed_is_what_is_asked_for():
    for requirement in required("course", "test"):
        assert version(requirement.name) in requirement.specifier, requirement


def test_conda_installs_what_the_tests_need_and_nothing_beside_it():
    plain = [entry for entry in CONDA["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict)]
    assert pip == ["-e .[course,test]"]
    assert {entry for entry in plain if not entry.startswith("python")} == PARTS
    assert CONDA["name"] == PROJECT["name"]


def test_conda_names_one_python_as_binder_reads_it():
    """repo2docker reads `python=3.12`; of `python>=3.11` it reads nothing, and takes 3.10."""
    (python,) = [entry for entry in CONDA["dependencies"] if str(entry).startswith("python")]
    assert re.fullmatch(r"python=3\.\d+", python)
    assert python.removeprefix("python=") in SpecifierSet(PROJECT["requires-python"])


def test_readme_installs_what_its_commands_need():
    commands = re.findall(r"pip install -e '\.\[([\w,]+)\]'", README.read_text())
    assert commands == ["course", "course,test"]


@pytest.mark.parametrize(
    "page",
    ["README.md", "tests/README.md", ".github/CONTRIBUTING.md", ".github/workflows/ci.yml"],
)
def test_extras_that_a_page_installs_exist(page):
    named = re.findall(r"pip install .*'\.\[([\w,]+)\]'", (ROOT / page).read_text())
    assert named
    assert set(",".join(named).split(",")) <= set(PROJECT["optional-dependencies"])


def test_workflow_runs_what_ci_runs_and_the_lowest_versions():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    assert "bash .ci/run" in steps
    assert any("--resolution lowest-direct" in step for step in steps)


def test_wheel_is_the_folder_to_copy_with_its_licence():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folder = str(REALTIME.parent.relative_to(ROOT))
    assert pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == [folder]
    assert PROJECT["license-files"] == [f"{folder}/LICENSE"]
    assert (REALTIME.parent / "LICENSE").read_text().startswith(f"{PROJECT['license']} License")


def test_top_level_is_as_designed():
    names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert names == {
        "README.md",
        "environment.yml",
        "pyproject.toml",
        "notebooks",
        "reference_app",
        "tests",
    }
