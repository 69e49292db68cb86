"""The table of servers in README.md: each does today, in every case, what the table says."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.project.readme import SERVERS, as_told
from tests.wire.behaviours import CASES
from tests.wire.measure_servers import measured
from tests.wire.servers import COMMANDS

TOLD = as_told(SERVERS, "servers")

MEASURE_AGAIN = """
The server does not do what tests/wire/README.md says.
If it is right to do so: python -m tests.regenerate tests/wire/README.md"""


@pytest.fixture(scope="module")
def measuring():
    """Measure all servers at once, since each is mostly waited for."""
    with ThreadPoolExecutor() as pool:
        return {name: pool.submit(measured, name) for name in COMMANDS}


@pytest.mark.full
@pytest.mark.parametrize("name", COMMANDS)
def test_server_does_what_the_readme_says(measuring, name):
    assert measuring[name].result() == TOLD[name], MEASURE_AGAIN


def test_readme_has_every_server_and_every_case_in_order():
    assert {name: list(told) for name, told in TOLD.items()} == dict.fromkeys(COMMANDS, list(CASES))


@pytest.mark.parametrize("words", CASES)
def test_case_tells_servers_apart(words):
    assert len({told[words] for told in TOLD.values()}) > 1
