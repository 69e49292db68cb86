"""The Autobahn cases of the WebSocket protocol, against each server: what it fails, and why."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.wire.servers import COMMANDS, serving

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(
        find_spec("kosoku") is None, reason="needs kosoku: pip install -e '.[conformance]'"
    ),
]

# All but 12 and 13, compression: a dozen of these 216 did not end within a hundred seconds.
GROUPS = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"]
CASES = 301

# In a process of its own: kosoku has a package that goes by the name of Daphne's autobahn.
# It leaves by `_exit`: when CPython 3.11 ended in the usual way, kosoku 0.1.0 aborted 5 of 27 runs.
RUN = """
import asyncio, json, os, sys
from kosoku import FailureError, run_fuzzingclient

async def run(address, groups):
    try:
        return await run_fuzzingclient(address, groups, concurrency=4)
    except FailureError as failure:
        return failure.results

cases = asyncio.run(run(sys.argv[1], sys.argv[2:]))
print(json.dumps({case.case_id: case.passed for case in cases}), flush=True)
os._exit(0)
"""

# Seconds for all cases of a server, of which two wait out 20 on Daphne.
PATIENCE = 180

EMPTY = "It sends no empty message: the text or the bytes of a reply are tested for truth."
TOO_LONG = "A message of 4 MiB or more: it takes 1 MiB, and closes."
HALF_A_MESSAGE = "A close amid a fragmented message is answered with 1002 instead of 1000."

TOO_LONG_CASES = {
    **{f"9.{kind}.{size}": TOO_LONG for kind in (1, 2) for size in (4, 5, 6)},
    **{f"9.{kind}.{fragment}": TOO_LONG for kind in (3, 4) for fragment in range(1, 10)},
}

FAILS = {
    "daphne": TOO_LONG_CASES
    | {
        "1.1.1": EMPTY,
        "1.2.1": EMPTY,
        "6.1.1": EMPTY,
        "6.1.2": EMPTY,
        "9.7.1": EMPTY,
        "9.8.1": EMPTY,
    },
    "realtime.server": TOO_LONG_CASES,
    "uvicorn": TOO_LONG_CASES | {"7.1.5": HALF_A_MESSAGE},
}


def verdicts(address: str) -> dict[str, bool]:
    """Run the cases, and return of each whether it passed."""
    command = [sys.executable, "-c", RUN, address, *GROUPS]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_server_fails_the_cases_that_are_listed_and_no_other(name):
    with serving([*COMMANDS[name], "tests.wire.variants.misbehaving:application"]) as server:
        passed = verdicts(f"{server.ws}/echo/")
    assert len(passed) == CASES
    assert {case for case in passed if not passed[case]} == set(FAILS[name])
