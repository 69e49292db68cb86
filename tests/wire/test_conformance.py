"""The conformance kit, on the project's servers, on the guide, and where a promise is broken."""

import asyncio
import re
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from websockets.protocol import State

from classroom import token
from realtime.conf import conf
from realtime.conformance.deployment import Handshake
from realtime.conformance.families import CHECKS, results
from realtime.conformance.handshakes import trusted
from realtime.conformance.limits import sockets_of_a_user
from realtime.conformance.options import Options
from realtime.conformance.results import Outcome, Result, UnreachableError
from realtime.conformance.streams import delivered, history, replayed
from realtime.conformance.time_open import restart
from realtime.conformance.tokens import query
from tests.project.readme import ROOT
from tests.wire.servers import COMMANDS, serving
from tests.wire.test_refusals import EVENTS, NOTIFICATIONS

# The checks that find the breaks of `broken_promises`, by the names of the breaks.
VARIANT = ROOT / "tests" / "wire" / "variants" / "broken_promises.py"
BREAKS = {
    name: check
    for check, name in re.findall(
        r"^@\w+\(\"(\w+)\"\)\n(?:async )?def (\w+)", VARIANT.read_text(), re.MULTILINE
    )
}


@pytest.fixture(autouse=True)
def servers_are_reached_without_a_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


def options(address: str, **more) -> Options:
    """Return options for the demo's people, in a hurry."""
    usual = {"token": token("alice"), "other_token": token("mallory"), "forbidden_path": EVENTS}
    return Options(urlsplit(address), **(usual | {"idle": 0, "pause": 0} | more))


async def rows(options: Options) -> list[Result]:
    return [result async for result in results(options)]


def promise_of(function) -> str:
    return next(each.promise for each in CHECKS if each.function is function)


# What needs an operator, or TLS.
NOT_CHECKED = {trusted, sockets_of_a_user, delivered, replayed, history, restart}


async def test_this_server_keeps_every_promise_that_needs_no_operator(start):
    server = start("realtime.server", "pubsub")
    found = await rows(options(server.ws + NOTIFICATIONS))
    not_checked = {promise_of(function) for function in NOT_CHECKED}
    assert {each.promise for each in found if each.outcome == Outcome.NOT_CHECKED} == not_checked
    assert [each for each in found if each.outcome == Outcome.FAILED] == []
    assert [each.promise for each in found] == [each.promise for each in CHECKS]


@pytest.fixture(scope="module")
def broken(environment, redis_port):
    """A server with every break of `broken_promises`, each below a path of its own."""
    command = [*COMMANDS["realtime.server"], "tests.wire.variants.broken_promises:application"]
    redis = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis_port)}
    with serving(command, **environment, **redis) as server:
        yield server


def sending(server) -> list[str]:
    """Return a command that sends a notification to Alice, with nothing to import that is slow."""
    script = (
        "from urllib.request import Request, urlopen;"
        f"urlopen(Request('{server.http}/api/me/notifications/', b'{{\"title\": \"Hello\"}}',"
        f"{{'Authorization': 'Bearer {token('alice')}', 'Content-Type': 'application/json'}}))"
    )
    return [sys.executable, "-S", "-c", script]


async def failures(address: str, **more) -> dict[str, str]:
    """Return by the name of each check that failed what its row says."""
    found = await rows(options(address, **more))
    return {
        check.function.__name__: row.words
        for check, row in zip(CHECKS, found, strict=True)
        if row.outcome == Outcome.FAILED
    }


@pytest.mark.full
@pytest.mark.parametrize("name", BREAKS)
async def test_each_broken_promise_is_found_by_its_check_and_no_other(broken, name):
    check = BREAKS[name]
    more: dict = {"forbidden_path": f"/{name}{EVENTS}"}
    if check == "idle":
        more["idle"] = 6
    if check in ("delivered", "replayed", "history"):
        more["send_command"] = sending(broken)
    found = await failures(f"{broken.ws}/{name}{NOTIFICATIONS}", **more)
    assert list(found) == [check], found
    assert re.fullmatch(r"Expected .+, but .+; .+\.", found[check])
    print(found[check])


def test_each_check_finds_a_break():
    others = {trusted, sockets_of_a_user, restart}  # the tests below, and test_deployments.py
    assert {each.function.__name__ for each in CHECKS if each.function not in others} == set(
        BREAKS.values()
    )


@pytest.mark.full
async def test_more_sockets_than_a_user_may_hold_are_looked_for_where_asked(start):
    address = start("realtime.server", "pubsub").ws + NOTIFICATIONS
    assert list(await failures(address, sockets=conf.SOCKETS_PER_USER)) == ["sockets_of_a_user"]
    assert await failures(address, sockets=conf.SOCKETS_PER_USER + 1) == {}


@pytest.mark.full
async def test_origin_can_be_required(broken):
    let_in, refused = broken.ws, f"{broken.ws}/client_without_origin_is_refused"
    assert list(await failures(let_in + NOTIFICATIONS, origin_required=True)) == ["without_origin"]
    assert await failures(refused + NOTIFICATIONS, origin_required=True) == {}


@pytest.mark.full
async def test_query_that_is_switched_off_is_not_checked(environment):
    command = [*COMMANDS["realtime.server"], "config.asgi:application"]
    with serving(command, **environment, REALTIME_TOKEN_IN_QUERY="0") as server:
        found = await rows(options(server.ws + NOTIFICATIONS))
    (row,) = [row for row in found if row.words == "It is off."]
    assert (row.promise, row.outcome) == (promise_of(query), Outcome.NOT_CHECKED)
    assert Outcome.FAILED not in {row.outcome for row in found}


@pytest.mark.full
async def test_kit_has_two_sockets_open_at_most_and_closes_them(broken, monkeypatch):
    opened, open_at_once = [], []
    open_one = Handshake.connection

    async def noted(handshake):
        connection = await open_one(handshake)
        opened.append(connection)
        open_at_once.append(sum(each.state is State.OPEN for each in opened))
        return connection

    monkeypatch.setattr(Handshake, "connection", noted)
    assert await failures(broken.ws + NOTIFICATIONS, send_command=sending(broken)) == {}
    assert max(open_at_once) == 2
    assert {each.state for each in opened} == {State.CLOSED}


async def test_token_follows_no_redirect():
    visitors = []

    async def answer(reader, writer):
        visitors.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: ws://localhost:{port}/\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnreachableError, match="No socket opens at .* HTTP 302 came"):
            await rows(options(f"ws://127.0.0.1:{port}/"))
    assert all(b"Host: 127.0.0.1" in visitor for visitor in visitors)


@pytest.mark.full
def test_ctrl_c_ends_it_in_one_line(start):
    address = start("realtime.server", "pubsub").ws + NOTIFICATIONS
    tokens = ["--token", token("alice"), "--other-token", token("mallory")]
    with subprocess.Popen(
        [sys.executable, "-m", "realtime.conformance", address, *tokens],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as kit:
        for _ in range(5):
            kit.stdout.readline()
        kit.send_signal(signal.SIGINT)
        _, said = kit.communicate()
    assert (kit.returncode, said) == (130, "Interrupted. Every socket is closed.\n")
