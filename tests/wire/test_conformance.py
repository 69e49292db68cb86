"""The conformance kit, on the project's servers, on the guide, and where a promise is broken."""

from urllib.parse import urlsplit

from classroom import token
from realtime.conformance.families import CHECKS, results
from realtime.conformance.handshakes import trusted
from realtime.conformance.limits import sockets_of_a_user
from realtime.conformance.options import Options
from realtime.conformance.results import Outcome, Result
from realtime.conformance.streams import delivered, replayed
from realtime.conformance.time_open import restart
from tests.wire.test_refusals import EVENTS, NOTIFICATIONS


def options(address: str, **more) -> Options:
    """Return options for the demo's people, in a hurry."""
    usual = {"token": token("alice"), "other_token": token("mallory"), "forbidden_path": EVENTS}
    return Options(urlsplit(address), **(usual | {"idle": 0, "pause": 0} | more))


async def rows(options: Options) -> list[Result]:
    return [result async for result in results(options)]


# What needs an operator, or TLS.
NOT_CHECKED = {trusted, sockets_of_a_user, delivered, replayed, restart}


async def test_this_server_keeps_every_promise_that_needs_no_operator(start):
    server = start("realtime.server", "pubsub")
    found = await rows(options(server.ws + NOTIFICATIONS))
    not_checked = {each.promise for each in CHECKS if each.function in NOT_CHECKED}
    assert {each.promise for each in found if each.outcome == Outcome.NOT_CHECKED} == not_checked
    assert [each for each in found if each.outcome == Outcome.FAILED] == []
    assert [each.promise for each in found] == [each.promise for each in CHECKS]
