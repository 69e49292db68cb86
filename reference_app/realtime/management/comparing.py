"""Says what has become of each file of a copy since it was taken."""

import json
from pathlib import Path

from django.core.management.base import CommandError

from . import copying
from .copying import STAMP, digest, files_in, written_as

UNCHANGED = "unchanged"


def read_stamp(copy: Path) -> tuple[str, dict[str, str]]:
    """Return the version that a copy was taken from, and the digest of each file as written.

    Raises CommandError without a stamp, and for the folder that runs this: it equals itself.
    """
    if copy.resolve() == copying.FOLDER.resolve():
        raise CommandError(
            f"{copy} is the folder that runs this command, so there is nothing to compare it with. "
            "Run it in the project that has the newer version.",
            returncode=2,
        )
    try:
        stamp = json.loads((copy / STAMP).read_bytes())
        return stamp["version"], dict(stamp["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"{copy / STAMP} is missing or damaged, so nothing says what was taken. Restore it.",
            returncode=2,
        ) from error


def compare(copy: Path, taken: dict[str, str]) -> dict[str, str]:
    """Return by file what has become of it, in the copy and in this version.

    This version is compared as it would be written under the copy's name.
    """
    here = {path: digest(data) for path, data in written_as(copy.name).items()}
    there = {path.as_posix(): digest((copy / path).read_bytes()) for path in files_in(copy)}
    found = {
        path: change(taken.get(path), there.get(path), here.get(path))
        for path in sorted({*taken, *there, *here})
    }
    return {path: words for path, words in found.items() if words}


def change(taken: str | None, there: str | None, here: str | None) -> str | None:
    """Say what has changed, from a file's digests as taken, in the copy, and in this version.

    A file that is gone on both sides has nothing to be said of.
    """
    if there == here:
        return UNCHANGED if here else None
    if there is None:
        return "missing in the copy" if taken else "new here"
    if here is None:
        words = "removed here" if taken else "new in the copy"
        return words if taken in (None, there) else f"{words}, changed by the team"
    if there == taken:
        return "changed here"
    return "changed by the team" if here == taken else "changed by both"
