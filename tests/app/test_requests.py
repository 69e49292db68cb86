"""What stands around Django: the limit of a body, and the refusal of other machines."""

import asyncio
import json

import pytest

from config.local_peers import LocalPeersOnly
from realtime.http.body_limit import BodyLimit

REASON = "Ask elsewhere."


class Asked:
    """An application that reads a request, and answers how many bytes its body has."""

    read = None

    async def __call__(self, scope, receive, send):
        self.read = 0
        more_body = True
        while more_body:
            message = await receive()
            self.read += len(message.get("body", b""))
            more_body = message.get("more_body", False)


async def ask(application, *chunks: bytes, client=None, waits=False, **headers) -> list[dict]:
    """Return what an application sends for a request with a body in these chunks."""
    sent = []
    messages = [{"type": "http.request", "body": each, "more_body": True} for each in chunks]

    async def receive():
        if not messages and waits:
            await asyncio.Event().wait()
        return messages.pop(0) if messages else {"type": "http.request"}

    async def send(message):
        sent.append(message)

    pairs = [(name.replace("_", "-").encode(), each.encode()) for name, each in headers.items()]
    await application({"type": "http", "client": client, "headers": pairs}, receive, send)
    return sent


def answer_in(sent: list[dict]) -> tuple[int, str]:
    start, body = sent
    return start["status"], json.loads(body["body"])["error"]


@pytest.fixture
def asked(settings):
    settings.REALTIME_MAX_BODY_BYTES = 10
    return Asked()


async def test_body_within_the_limit_is_passed_on(asked):
    assert await ask(BodyLimit(asked), b"12345", b"67890") == []
    assert asked.read == 10


async def test_body_that_announces_too_much_is_not_read(asked):
    sent = await ask(BodyLimit(asked), waits=True, content_length="11")
    assert answer_in(sent) == (413, "too_large")
    assert asked.read is None


async def test_body_that_becomes_too_long_is_refused(asked):
    limit = BodyLimit(asked)
    assert answer_in(await ask(limit, b"123456", b"78901", waits=True)) == (413, "too_large")
    assert limit.held == 0


async def test_body_that_comes_too_slowly_is_refused(asked, settings):
    settings.REALTIME_BODY_SECONDS = 0
    assert answer_in(await ask(BodyLimit(asked), b"1", waits=True)) == (408, "too_slow")


async def test_bodies_are_bounded_in_all_and_a_retry_is_suggested(asked, settings):
    settings.REALTIME_MAX_BODIES_BYTES = 8
    limit = BodyLimit(asked)
    first = asyncio.create_task(ask(limit, b"1234", waits=True))
    await asyncio.sleep(0)
    start, body = await ask(limit, b"12345", waits=True)
    assert (start["status"], json.loads(body["body"])["error"]) == (503, "busy")
    assert dict(start["headers"])[b"retry-after"] == b"5"
    assert limit.held == 4
    first.cancel()


@pytest.mark.parametrize(
    "client", [None, ["127.0.0.1", 9], ["127.8.0.1", 9], ["::1", 9], ["::ffff:127.0.0.1", 9]]
)
async def test_local_peer_is_let_through(client):
    asked = Asked()
    assert await ask(LocalPeersOnly(asked, REASON), client=client) == []
    assert asked.read == 0


@pytest.mark.parametrize("client", [["192.0.2.1", 9], ["fe80::1%eth0", 9], ["::ffff:10.0.0.1", 9]])
async def test_other_peer_is_refused_with_the_reason(client):
    asked = Asked()
    start, body = await ask(LocalPeersOnly(asked, REASON), client=client)
    assert (start["status"], json.loads(body["body"])["message"]) == (403, REASON)
    assert asked.read is None
