"""What tests have recorded of parts that a notebook cannot start, such as Chromium and nginx."""

import json
from pathlib import Path
from typing import Any

# Two folders up, wherever a notebook runs.
PROJECT = Path(__file__).parents[2]
RECORDED = PROJECT / "notebooks" / "recorded"


def recorded(name: str) -> Any:
    """Return the contents of a file in `notebooks/recorded`, which a test has written."""
    return json.loads((RECORDED / f"{name}.json").read_text())
