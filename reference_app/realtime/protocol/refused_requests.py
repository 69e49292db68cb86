"""The answers to requests that are not let through to a view, as JSON."""

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from ..conf import conf

# Seconds after which a client may try again that was answered 503.
RETRY_AFTER = 5


class RefusedRequest(NamedTuple):
    """Why a request is refused, by a word for programs and a sentence for their readers.

    `retry_after` is in seconds; 0 says nothing. `challenge` says how to authenticate.
    """

    status: HTTPStatus
    error: str
    message: str
    retry_after: int = 0
    challenge: str = ""

    @property
    def content(self) -> dict[str, str]:
        return {"error": self.error, "message": self.message}

    @property
    def advice(self) -> dict[str, str]:
        """Return the headers that tell a client what to do next."""
        told = {"Retry-After": str(self.retry_after or ""), "WWW-Authenticate": self.challenge}
        return {name: value for name, value in told.items() if value}

    @property
    def body(self) -> bytes:
        return json.dumps(self.content).encode()

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self.body)),
            # The rest of the request is not read.
            (b"connection", b"close"),
            *((name.lower().encode(), value.encode()) for name, value in self.advice.items()),
        ]

    async def answer(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        """Answer by an ASGI `send`."""
        start = {"status": self.status.value, "headers": self.headers}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": self.body})


def unavailable(error: str, message: str) -> RefusedRequest:
    """Return the answer where a part of the server is out of reach, or takes too long."""
    return RefusedRequest(HTTPStatus.SERVICE_UNAVAILABLE, error, message, RETRY_AFTER)


def too_large() -> RefusedRequest:
    message = f"A request has at most {conf.MAX_BODY_BYTES} bytes."
    return RefusedRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", message)


def too_slow() -> RefusedRequest:
    message = f"A request is sent within {conf.BODY_SECONDS} seconds."
    return RefusedRequest(HTTPStatus.REQUEST_TIMEOUT, "too_slow", message)


BUSY = unavailable("busy", "The server has too many requests at once.")

NOTHING_HERE = RefusedRequest(
    HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address."
)

NOT_FOUND = RefusedRequest(
    HTTPStatus.NOT_FOUND, "not_found", "This address is outside the server's root path."
)
