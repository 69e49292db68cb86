"""One environment, said in three places: what is installed, pyproject.toml, environment.yml."""

import tomllib
from importlib.metadata import requires, version

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.readme import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())

# What conda brings besides the project: no Python package, so that nothing is bounded twice.
PARTS = {"pip", "redis-server"}


def test_installed_metadata_is_that_of_pyproject():
    installed = [r for r in map(Requirement, requires(PROJECT["name"])) if not r.marker]
    assert set(installed) == set(map(Requirement, PROJECT["dependencies"])), (
        "Install again: pip install -e ."
    )


def test_what_is_installed_is_what_is_asked_for():
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert version(requirement.name) in requirement.specifier, requirement


def test_conda_installs_the_project_on_the_same_python_and_nothing_beside_it():
    plain = [entry for entry in CONDA["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict)]
    python = next(entry for entry in plain if entry.startswith("python"))
    assert SpecifierSet(python.removeprefix("python")) == SpecifierSet(PROJECT["requires-python"])
    assert pip == ["-e ."]
    assert set(plain) - {python} == PARTS
    assert CONDA["name"] == PROJECT["name"]


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
