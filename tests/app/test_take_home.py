"""The folder is written under another name, and a copy is compared with a newer version."""

import io
import json
import re
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from realtime import __version__
from realtime.management import copying
from tests.project.readme import REALTIME

FOLDER = REALTIME.parent


def take_home(*arguments) -> str:
    """Return what the command says."""
    said = io.StringIO()
    call_command("take_home", *map(str, arguments), stdout=said)
    return said.getvalue()


def contents(folder) -> dict[str, bytes]:
    """Return the files of a folder, without what Python has made and without the stamp."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "TAKEN.json"
    }


def test_copy_has_every_file_and_a_stamp(tmp_path):
    take_home(tmp_path, "--name", "live")
    files = contents(tmp_path / "live")
    assert set(files) == {path.replace("/realtime/", "/live/") for path in contents(FOLDER)}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "migrations/0001_initial.py"} <= set(files)
    assert "static/live/realtime.js" in files
    stamp = json.loads((tmp_path / "live" / "TAKEN.json").read_text())
    assert (stamp["version"], stamp["name"]) == (__version__, "live")
    assert set(stamp["files"]) == set(files)


def test_copy_keeps_nothing_of_the_name_but_what_clients_know(tmp_path):
    take_home(tmp_path, "--name", "live")
    for path, data in contents(tmp_path / "live").items():
        left = re.findall(rb".*\brealtime\b(?!\.v1\b|\.js\b).*", data)
        assert left == [], path
    assert b'label = "live"' in (tmp_path / "live" / "apps.py").read_bytes()
    carriers = (tmp_path / "live" / "sockets" / "carriers.py").read_bytes()
    assert b'"realtime.v1"' in carriers


def test_copy_under_the_same_name_is_the_same(tmp_path):
    take_home(tmp_path)
    assert contents(tmp_path / "realtime") == contents(FOLDER)


def test_copy_can_be_taken_home_again(tmp_path):
    take_home(tmp_path, "--name", "live")
    code = "import sys, pathlib; from live.management.copying import write_copy"
    code += "\nfor name in sys.argv[1:]: write_copy(pathlib.Path('.'), name)"
    names = ["realtime", "pushes"]
    subprocess.run([sys.executable, "-c", code, *names], cwd=tmp_path, check=True)
    assert contents(tmp_path / "realtime") == contents(FOLDER)
    (direct := tmp_path / "direct").mkdir()
    take_home(direct, "--name", "pushes")
    assert contents(tmp_path / "pushes") == contents(direct / "pushes")


def test_command_prints_what_the_copied_page_says_to_paste(tmp_path):
    said = take_home(tmp_path, "--name", "live")
    page = (tmp_path / "live" / "README.md").read_text()
    for begin in ("pip install", "# mysite/settings.py", "# mysite/asgi.py"):
        (block,) = re.findall(rf"```\w+\n({re.escape(begin)}.*?)```", page, re.DOTALL)[:1]
        assert block in said
    assert said.count("pip install") == 2  # one of them for PostgreSQL
    assert '"channels", "live"' in said and "from live.middleware import" in said


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("my-live", "it is no name of a Python package"),
        ("../live", "it is no name of a Python package"),
        ("class", "it is no name of a Python package"),
        ("json", "a module of Python has it"),
        ("channels", "an installed package has it"),
        ("sessions", "it is the label of an app of Django"),
        ("server", r"identity/tokens.py uses it already"),
        ("migrations", "migrations/0001_initial.py uses it already"),
    ],
)
def test_name_that_cannot_be_used_is_refused(tmp_path, name, because):
    with pytest.raises(CommandError, match=because):
        take_home(tmp_path, "--name", name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("taken", ["live", "live.py"])
def test_what_exists_is_left_alone(tmp_path, taken):
    (tmp_path / taken).touch()
    with pytest.raises(CommandError, match="exists already. Choose another name with --name."):
        take_home(tmp_path, "--name", "live")
    assert [path.name for path in tmp_path.iterdir()] == [taken]


def test_place_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(CommandError, match="is no folder. Name the folder of your project."):
        take_home(tmp_path / "nowhere", "--name", "live")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small folder in place of the real one, so that it can become a newer version."""
    folder = tmp_path / "realtime"
    for name in ("same", "theirs", "ours", "both", "agreed", "deleted", "dropped", "dropped_too"):
        write(folder / f"{name}.py", "import realtime.conf\n")
    write(folder / "README.md", "")
    monkeypatch.setattr(copying, "FOLDER", folder)
    return folder


def write(file, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def changes(target) -> dict[str, str]:
    """Return by file what `--diff` says of it, and see that it exits with 1."""
    said = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("take_home", str(target), "--name", "live", "--diff", stdout=said)
    assert ended.value.code == 1
    lines = re.findall(r"^(\w.+?) {2,}(\S+)$|^(\w.+) (\S+\.\w+)$", said.getvalue(), re.MULTILINE)
    return {a[1] or a[3]: a[0] or a[2] for a in lines}


def test_comparison_tells_the_changes_of_the_team_from_those_of_a_newer_version(tmp_path, folder):
    (project := tmp_path / "project").mkdir()
    take_home(project, "--name", "live")
    copy = project / "live"
    for name in ("theirs", "both", "dropped_too"):
        write(copy / f"{name}.py", "# by the team\n")
    for name in ("ours", "both", "new"):
        write(folder / f"{name}.py", "# newer\n")
    for place in (copy, folder):
        write(place / "agreed.py", "# by both alike\n")
    write(copy / "own.py", "# added by the team\n")
    (copy / "deleted.py").unlink()
    for name in ("dropped", "dropped_too"):
        (folder / f"{name}.py").unlink()
    assert changes(project) == {
        "README.md": "unchanged",
        "agreed.py": "unchanged",
        "both.py": "changed by both",
        "deleted.py": "missing in the copy",
        "dropped.py": "removed here",
        "dropped_too.py": "removed here, changed by the team",
        "new.py": "new here",
        "ours.py": "changed here",
        "own.py": "new in the copy",
        "same.py": "unchanged",
        "theirs.py": "changed by the team",
    }


def test_copy_is_not_compared_with_itself(tmp_path, folder, monkeypatch):
    (project := tmp_path / "project").mkdir()
    take_home(project, "--name", "live")
    monkeypatch.setattr(copying, "FOLDER", project / "live")
    with pytest.raises(CommandError, match="Run it in the project that has the newer version"):
        take_home(project, "--name", "live", "--diff")


def test_copy_that_nobody_has_changed_is_unchanged(tmp_path, folder):
    (project := tmp_path / "project").mkdir()
    take_home(project, "--name", "live")
    # As Git may write it on Windows, and as Python leaves it.
    (project / "live" / "same.py").write_bytes(b"import live.conf\r\n")
    write(project / "live" / "__pycache__" / "same.pyc", "")
    assert take_home(project, "--name", "live", "--diff").endswith("\nFiles: 9 unchanged.\n")


@pytest.mark.parametrize("stamp", [None, "{", "{}", "[]"])
def test_copy_without_a_stamp_cannot_be_compared(tmp_path, folder, stamp):
    if stamp is not None:
        write(tmp_path / "live" / "TAKEN.json", stamp)
    with pytest.raises(CommandError, match="TAKEN.json is missing or damaged") as error:
        take_home(tmp_path, "--name", "live", "--diff")
    assert error.value.returncode == 2
