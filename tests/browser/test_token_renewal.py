"""A token that ends while the page is open: another takes its place, or the session ends."""

import json

import pytest

from tests.browser.demo_page import (
    SOCKETS,
    counts,
    frames,
    open_all_frames,
    press,
    session,
    shows,
    status,
    visit,
)
from tests.browser.network_log import Witness
from tests.wire.fixtures import TOKEN
from tests.wire.servers import eventually

# Seconds that a token lives: after half of them the server says that it expires.
SHORT = 4


async def shorten_the_first_token(tab, username):
    """Have the issuer give a person one short token, and usual ones from then on."""
    shortened = []

    async def ask(route):
        form = route.request.post_data
        if f"username={username}" in form and not shortened:
            form = f"{form}&lifespan={SHORT}"
            shortened.append(form)
        await route.continue_(post_data=form)

    await tab.route("**/token", ask)


async def is_renewed(sockets):
    await eventually(lambda: all("token.refreshed" in socket.types() for socket in sockets))


# Renewed


async def test_expiring_token_is_replaced_on_the_open_sockets_of_a_session(tab, shared_app):
    witness = Witness(tab)
    await shorten_the_first_token(tab, "alice")
    await visit(tab, shared_app)
    alices = witness.sockets_of("alice")
    await is_renewed(alices)
    for socket in alices:
        assert socket.types().count("token.expiring") == 1
        assert len(tokens_sent(socket)) == 1
        assert later(socket, "token.refreshed") > later(socket, "token.expiring")
    # One new token for both, and no other socket, nor anything for Bob.
    assert len({token for socket in alices for token in tokens_sent(socket)}) == 1
    assert sorted(witness.asked_for_tokens) == ["alice", "alice", "bob"]
    assert sorted(socket.stream for socket in alices) == SOCKETS
    assert len(witness.sockets) == 4
    assert all(socket.is_open for socket in witness.sockets)
    assert all(tokens_sent(socket) == [] for socket in witness.sockets_of("bob"))


def tokens_sent(socket):
    return [frame["token"] for frame in socket.sent if frame["type"] == "token.refresh"]


def later(socket, type):
    return next(each["expires_at"] for each in socket.received if each["type"] == type)


async def test_token_is_in_no_address_in_no_text_and_in_no_storage(tab, shared_app):
    witness = Witness(tab)
    await shorten_the_first_token(tab, "alice")
    await visit(tab, shared_app)
    await is_renewed(witness.sockets_of("alice"))
    await open_all_frames(tab)
    await shows(frames(session(tab, "Alice"), "token.refresh", "sent").first, '"token": "…"')
    sent = json.dumps([socket.sent for socket in witness.sockets])
    addresses = witness.urls + [socket.url for socket in witness.sockets]
    assert TOKEN.search(sent)
    assert not TOKEN.search(json.dumps(addresses)) and "token=" not in json.dumps(addresses)
    assert not TOKEN.search(await tab.content())
    assert await tab.context.storage_state() == {"cookies": [], "origins": []}


# Not renewed


@pytest.fixture(params=["realtime.server", "daphne"])
def app(request, start_app):
    return start_app(request.param)


async def test_session_that_renews_its_token_outlives_one_that_does_not(tab, app):
    witness = Witness(tab)
    await visit(tab, app)
    alice, bob = session(tab, "Alice"), session(tab, "Bob")
    await bob.get_by_role("switch", name="Renew my token").uncheck()
    for each in (alice, bob):
        await press(each, "Expire my token")
    # Both are back with tokens that live for seconds. Bob's then ends.
    for socket in SOCKETS:
        await shows(status(bob, socket), "Connected. Renewing is switched off.")
    await counts(frames(bob, "token.expiring"), 2)
    await counts(frames(bob, "4001 UNAUTHORIZED", "The token has expired."), 2)
    await shows(bob.get_by_role("alert"), "The session has ended.")
    for socket in SOCKETS:
        await shows(status(bob, socket), "Renewing is switched off. Sign in again.")
    assert witness.asked_for_tokens.count("bob") == 2
    assert [socket.is_open for socket in witness.sockets_of("bob")] == [False] * 4

    # Alice's token of seconds would have ended hers as well: another has followed it.
    await counts(frames(alice, "token.refreshed"), 2)
    await counts(frames(alice, "4001 UNAUTHORIZED"), 0)
    await press(alice, "Notify me")
    await shows(alice.get_by_role("list", name="Notifications"), "Hello, Alice")
    assert [socket.is_open for socket in witness.sockets_of("alice")] == [False] * 2 + [True] * 2
    assert witness.asked_for_tokens.count("alice") == 3

    await press(bob, "Sign in again")
    for socket in SOCKETS:
        await shows(status(bob, socket), "Connected")
    assert sorted(socket.stream for socket in witness.sockets_of("bob")[4:]) == SOCKETS
    assert witness.asked_for_tokens.count("bob") == 3
    await counts(bob.get_by_role("alert"), 0)
