"""Prints whether a deployment keeps each promise of the wire contract.

It exits with 0 where none is broken, with 1 where one is, and with 2 where nothing can be checked.
"""

import asyncio
import sys
from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .options import Options

NEEDED = "websockets"


def main() -> int:
    if not find_spec(NEEDED):
        return stopped(f"The WebSocket client is missing: pip install '{NEEDED}>=15.0.1'")
    from .options import masked, parsed
    from .results import UnreachableError

    options = parsed()
    try:
        return asyncio.run(report(options))
    except UnreachableError as reason:
        return stopped(masked(str(reason)))
    except KeyboardInterrupt:
        return stopped("Interrupted. Every socket is closed.", 130)


def stopped(reason: str, code: int = 2) -> int:
    print(reason, file=sys.stderr)
    return code


async def report(options: "Options") -> int:
    """Print each row as soon as it is known, and return the exit code."""
    from .families import results
    from .results import Outcome

    counts: Counter[Outcome] = Counter()
    async for result in results(options):
        print(f"{result.outcome:<13}{result.promise}", flush=True)
        if result.words:
            print(f"{'':<13}{result.words}", flush=True)
        counts[result.outcome] += 1
    print(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome))
    return 1 if counts[Outcome.FAILED] else 0


if __name__ == "__main__":
    sys.exit(main())
