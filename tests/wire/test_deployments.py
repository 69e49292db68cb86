"""The table of deployments in realtime/README.md, and what a client sees of a bad certificate."""

import os
import subprocess
import sys

import pytest

from classroom import token
from realtime.conformance.families import CHECKS
from realtime.conformance.time_open import restart
from tests.project.readme import REALTIME, as_told
from tests.wire.measure_deployments import DEPLOYMENTS, GUIDE, HOST, ROW, measured_on_all
from tests.wire.nginx import nginx
from tests.wire.servers import free_port

TOLD = as_told(REALTIME, "deployments")

MEASURE_AGAIN = """
The kit does not find what reference_app/realtime/README.md says.
If it is right: python -m tests.regenerate reference_app/realtime/README.md"""


@pytest.fixture(scope="module")
def found():
    return measured_on_all()


@pytest.mark.full
@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_kit_finds_what_the_readme_says(found, name):
    assert found[name] == TOLD[name], MEASURE_AGAIN


def test_readme_has_every_deployment_and_every_promise_in_order():
    promises = [each.promise for each in CHECKS]
    assert {name: list(told) for name, told in TOLD.items()} == dict.fromkeys(DEPLOYMENTS, promises)


def broken(name: str) -> set[str]:
    return {promise for promise, outcome in TOLD[name].items() if outcome != "passed"}


def test_servers_keep_every_promise_but_what_the_page_says_of_plain_daphne():
    assert broken("realtime.server") == broken("uvicorn") == set()
    (at_restart,) = [each.promise for each in CHECKS if each.function is restart]
    assert broken("daphne") == {at_restart}
    assert "| it is stopped (SIGTERM) | clients read 1006" in REALTIME.read_text()


def test_guide_breaks_what_it_knows_nothing_of():
    assert len(broken(GUIDE)) > len(CHECKS) / 2
    assert {"failed"} == {TOLD[GUIDE][promise] for promise in broken(GUIDE)}


@pytest.mark.full
def test_certificate_that_is_not_trusted_is_one_failed_row(tmp_path):
    """The server behind nginx need not run: no token is sent where nobody is trusted."""
    with nginx(tmp_path, [f"127.0.0.1:{free_port()}"], name=HOST) as front:
        tokens = ["--token", token("alice"), "--other-token", token("mallory")]
        kit = subprocess.run(
            [sys.executable, "-m", "realtime.conformance", f"{front.ws}/ws/", *tokens],
            env=os.environ,
            capture_output=True,
            text=True,
        )
    rows = [found.groups() for line in kit.stdout.splitlines(True) if (found := ROW.match(line))]
    assert rows[0] == ("failed", CHECKS[0].promise)
    assert "certificate verify failed" in kit.stdout
    assert {outcome for outcome, _ in rows[1:]} == {"not checked"}
    assert (kit.returncode, len(rows), kit.stderr) == (1, len(CHECKS), "")
    assert "127.0.0.1" not in front.log("access.log")
