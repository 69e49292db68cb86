"""Issuers that answer slowly, too much, or something else than keys."""

import asyncio
import contextlib
import json

import jwt
import pytest

from realtime.identity.key_client import LARGEST, KeyClient

HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
KEYS = {"keys": [{"kid": "first"}]}


@contextlib.asynccontextmanager
async def issuer(answer):
    """Run an issuer that answers each request by this function of a writer, and yield its URL."""

    serving = set()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, EOFError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield "http://{}:{}/certs".format(*server.sockets[0].getsockname())
        for task in serving:
            task.cancel()
        await asyncio.wait(serving)


async def fetch(answer, seconds=60):
    async with issuer(answer) as url:
        return await asyncio.to_thread(KeyClient(url, timeout=seconds).fetch_data)


def saying(text):
    async def answer(writer):
        writer.write(text)

    return answer


async def test_keys_are_read():
    assert await fetch(saying(HEADERS + json.dumps(KEYS).encode())) == KEYS


def dripping(text):
    async def answer(writer):
        for byte in text:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)  # much sooner than the deadline, and never done

    return answer


async def silent(writer):
    await asyncio.sleep(60)


SLOW = {
    "nothing": silent,
    "headers, byte by byte": dripping(HEADERS.replace(b"OK", b"O" * 10_000)),
    "the body, byte by byte": dripping(HEADERS + b" " * 10_000),
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
async def test_slow_issuer_is_given_up_at_the_deadline_for_all_of_it(answer):
    with pytest.raises(jwt.PyJWKClientConnectionError, match=r"no answer in 0\.5 s"):
        await fetch(answer, seconds=0.5)


MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n"
WRONG = {
    "an error": (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "500"),
    "a page": (HEADERS + b"<html>Back soon</html>", "Expecting value"),
    "a redirect": (MOVED, "302"),
    "too much": (HEADERS + b" " * (LARGEST + 1), "more than"),
    "no HTTP": (b"SSH-2.0\r\n\r\n", "illegal"),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
async def test_what_is_no_key_set_is_an_error_that_says_so(text, words):
    with pytest.raises(jwt.PyJWKClientConnectionError, match=words):
        await fetch(saying(text))
