"""An issuer that hangs, drips, fails or shows a page: known keys serve on, new ones wait."""

import asyncio

import pytest

from realtime.deadlines import ANSWER_TIMEOUT
from realtime.protocol.close_codes import CloseCode
from tests.app.issuer import Issuer
from tests.wire.servers import COMMANDS, serving

pytestmark = pytest.mark.full

PATH, ME = "/ws/notifications/", "/api/me/"


@pytest.fixture
def issuer():
    issuer = Issuer()
    issuer.make_key("first")
    yield issuer
    issuer.close()


@pytest.fixture
def server(issuer, environment):
    changed = {"KEYCLOAK_ISSUER": issuer.url, "KEYCLOAK_AUDIENCE": "reference-app"}
    command = [*COMMANDS["realtime.server"], "config.asgi:application"]
    with serving(command, **environment, **changed) as server:
        yield server


def hang(issuer):
    issuer.answers.clear()


def drip(issuer):
    issuer.body, issuer.pause = b" " * 1_000, 0.1


def fail(issuer):
    issuer.status = 500


def show_a_page(issuer):
    issuer.body = b"<html>Back soon</html>"


def mend(issuer):
    issuer.status, issuer.body, issuer.pause = 200, b"", 0
    issuer.answers.set()


FAULTS = [hang, drip, fail, show_a_page]


@pytest.mark.parametrize("break_it", FAULTS, ids=lambda fault: fault.__name__)
async def test_issuer_that_is_out_of_reach_costs_new_keys_a_retry_and_known_ones_nothing(
    issuer, server, connect, break_it
):
    known = issuer.token("first", iss=issuer.url)
    alice = await connect(server, PATH, token=known)
    await alice.receive()
    break_it(issuer)
    issuer.make_key("second")
    new = issuer.token("second", iss=issuer.url)
    async with server.requests() as http:

        async def ask(token):
            headers = {"Authorization": f"Bearer {token}"}
            return await http.get(ME, headers=headers, timeout=ANSWER_TIMEOUT)

        # Until the cooldown after the first fetch is over, the key counts as unknown.
        while (refused := await ask(new)).status_code == 401:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        assert (refused.status_code, refused.json()["error"]) == (503, "keys_unavailable")
        assert refused.headers["Retry-After"] == "5"
        refusal = await connect(server, PATH, token=new)
        assert (await refusal.receive())["code"] == CloseCode.UNAVAILABLE
        await alice.send({"type": "token.refresh", "token": new})
        assert (await alice.receive())["code"] == "unavailable"
        assert (await ask(known)).status_code == 200
        mend(issuer)
        async with asyncio.timeout(ANSWER_TIMEOUT):
            while (await ask(new)).status_code == 503:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert (await ask(new)).status_code == 200
    await alice.send({"type": "token.refresh", "token": new})
    assert (await alice.receive())["type"] == "token.refreshed"
    greeted = await connect(server, PATH, token=new)
    assert (await greeted.receive())["type"] == "connection.established"
