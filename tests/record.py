"""What a test saw of a real part, in files that notebooks tell of."""

import json
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
RECORDED = NOTEBOOKS / "recorded"

RECORD_AGAIN = """
It is seen differently from what the notebooks say.
If that is right, run this test with -n0 --full --record, then .venv/bin/python -m {command}"""


class Record:
    """One file, a tree of keys; a test compares what it sees, or writes it where it is told to."""

    def __init__(self, name: str, config: pytest.Config):
        self.path = RECORDED / name
        self.is_written = config.getoption("--record")
        if self.is_written and hasattr(config, "workerinput"):
            raise pytest.UsageError(
                "Two processes would write one file: pytest -n0 --full --record"
            )

    def holds(self, *keys: str, seen) -> None:
        """Compare what was seen with what the file has under these keys, or write it there."""
        if not self.is_written:
            print(self.how_to_record())  # beside the difference, should there be one
            assert seen == found(json.loads(self.path.read_text()), keys)
            return
        self.adds(*keys, said=seen)

    def how_to_record(self) -> str:
        readers = [
            f"notebooks/{path.name}"
            for path in sorted(NOTEBOOKS.glob("*.ipynb"))
            if self.path.stem in path.read_text()
        ]
        return RECORD_AGAIN.format(command=" ".join(["tests.regenerate", *readers]))

    def adds(self, *keys: str, said) -> None:
        """Write what no two runs share where it is told to."""
        if not self.is_written:
            return
        tree = json.loads(self.path.read_text()) if self.path.exists() else {}
        *folders, leaf = keys
        branch = tree
        for key in folders:
            branch = branch.setdefault(key, {})
        branch[leaf] = said
        self.path.write_text(json.dumps(tree, indent=2, ensure_ascii=False) + "\n")

    def keeps(self, path: Path, picture: bytes) -> None:
        """Write a picture where it is told to; no two machines draw the same one."""
        if self.is_written:
            path.write_bytes(picture)


def found(tree: dict, keys: tuple[str, ...]):
    for key in keys:
        tree = tree.get(key, {})
    return tree
