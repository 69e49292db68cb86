"""Writes this folder under another name into a project.

The name is changed where it is that of the package: before a dot or a slash, in quotes, and in an
import. It stays in the names of settings, metrics and classes, and in the subprotocol.
"""

import json
import keyword
import pkgutil
import re
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import packages_distributions
from pathlib import Path

import django.contrib
from django.core.management.base import CommandError

from .. import __version__

FOLDER = Path(__file__).parents[1]

# What was written into a copy: the version, the name, and the digest of each file.
STAMP = "TAKEN.json"

# Made by tools beside the files of a folder.
MADE = {"__pycache__", STAMP}


def write_copy(target: Path, name: str) -> Path:
    """Write the folder under a name into the folder of a project, and return the copy's path.

    Raises CommandError, before anything is written, where the name or the place cannot be used.
    """
    if fault := fault_of(name):
        raise CommandError(f"{name!r} cannot be the folder's name, because {fault}.")
    if not target.is_dir():
        raise CommandError(f"{target} is no folder. Name the folder of your project.")
    for taken in (target / name, target / f"{name}.py"):
        if taken.exists():
            raise CommandError(f"{taken} exists already. Choose another name with --name.")
    written = written_as(name)
    files = {path: digest(data) for path, data in written.items()}
    stamp = {"version": __version__, "name": name, "files": files}
    for path, data in (written | {STAMP: json.dumps(stamp, indent=1).encode() + b"\n"}).items():
        file = target / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return target / name


def written_as(name: str) -> dict[str, bytes]:
    """Return what each file of a copy with this name holds, by its path in the copy."""
    ours = uses_of(FOLDER.name)
    return {
        # The static files are in a folder of the app's name.
        "/".join(name if part == FOLDER.name else part for part in path.parts): ours.sub(
            name.encode(), (FOLDER / path).read_bytes()
        )
        for path in files_in(FOLDER)
    }


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the paths of a folder's files, without hidden ones and what tools have made."""
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in path.parts)
        if file.is_file() and not is_hidden and MADE.isdisjoint(path.parts):
            yield path


def uses_of(name: str) -> re.Pattern[bytes]:
    """Return a pattern of the places where a name is that of the package or its folder.

    `.v1` follows the name of the subprotocol, and `.js` that of the browser's client.
    """
    alone = rf"(?<![\w.-]{name})"
    before_part = r"(?=/|\.(?!v1\b|js\b)[\w{])"
    in_quotes = rf"(?<=(['\"`]){name})(?=\1)"
    in_import = rf"(?<=from {name})(?= import )"
    # It begins with the name, so that Python searches for that first.
    return re.compile(rf"{name}{alone}(?:{before_part}|{in_quotes}|{in_import})".encode())


def fault_of(name: str) -> str | None:
    """Return why a copy cannot have a name, or None."""
    if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name):
        return "it is no name of a Python package"
    if name == FOLDER.name:
        return None
    if name in sys.stdlib_module_names:
        return "a module of Python has it"
    if name in packages_distributions():
        return "an installed package has it"
    if name in {module.name for module in pkgutil.iter_modules(django.contrib.__path__)}:
        return "it is the label of an app of Django"
    # In the copy it could not be told from the name of the folder.
    theirs = uses_of(name)
    for path in files_in(FOLDER):
        if name in path.parts or theirs.search((FOLDER / path).read_bytes()):
            return f"{path} uses it already"
    return None


def digest(data: bytes) -> str:
    """Return a digest that is the same for both kinds of line ends, which Git may change."""
    return sha256(data.replace(b"\r\n", b"\n")).hexdigest()
