"""How a token travels, and what a client reads when its token is refused."""

import base64
import json

from ..protocol.close_codes import CloseCode
from ..sockets.carriers import SUBPROTOCOL
from .client import CLOSING, GREETING
from .deployment import Deployment
from .registry import check
from .results import FailedError, NotCheckedError

BY_MIDDLEWARE = "put JWTAuthMiddleware around your routes"
AFTER_ACCEPT = (
    "let RealtimeConsumer refuse, which accepts first, because no browser reads the code of a "
    "socket that did not open"
)
NO_SIGNATURE = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")


@check("let the proxy pass the Authorization header on, and " + BY_MIDDLEWARE)
async def header(deployment: Deployment) -> None:
    """A token in the Authorization header is taken."""
    async with deployment.greeted(tokens={"header": deployment.options.token}):
        pass


@check("let the consumer accept with realtime.v1, as RealtimeConsumer does")
async def subprotocol(deployment: Deployment) -> None:
    """A token in a subprotocol is taken, and the server selects realtime.v1."""
    token = deployment.options.token
    async with deployment.greeted(tokens={"subprotocol": token}) as client:
        selected, answer = client.connection.subprotocol, client.connection.response
        if answer and any(token in value for value in answer.headers.values()):
            raise FailedError(f"{SUBPROTOCOL} to be selected", "the token was sent back")
        if selected != SUBPROTOCOL:
            raise FailedError(f"{SUBPROTOCOL} to be selected", f"{selected or 'nothing'} was")


@check("let the proxy pass the query on, or set REALTIME_TOKEN_IN_QUERY to False")
async def query(deployment: Deployment) -> None:
    """A token in the query is taken, unless that is switched off."""
    async with deployment.opened(tokens={"query": deployment.options.token}) as client:
        frame = await client.frame_of(frozenset({GREETING, CLOSING}), "the greeting")
        if frame.get("code") == CloseCode.UNAUTHORIZED:
            raise NotCheckedError("It is off.")
        if frame["type"] != GREETING:
            raise FailedError("the greeting", f"the socket closed with {frame.get('code')}")


@check("let JWTAuthMiddleware find the token, which looks at every carrier")
async def two_tokens(deployment: Deployment) -> None:
    """Two tokens that differ are refused with 4001."""
    another = "query" if "subprotocol" in deployment.usual.tokens else "subprotocol"
    tokens = {**deployment.usual.tokens, another: deployment.options.other_token}
    async with deployment.opened(tokens=tokens) as client:
        await client.is_closed_with(CloseCode.UNAUTHORIZED)


async def is_refused(deployment: Deployment, tokens: dict[str, str]) -> None:
    async with deployment.opened(tokens=tokens) as client:
        await client.is_closed_with(CloseCode.UNAUTHORIZED)


@check(AFTER_ACCEPT)
async def no_token(deployment: Deployment) -> None:
    """A client without a token reads 4001 and why."""
    await is_refused(deployment, {})


@check(AFTER_ACCEPT)
async def malformed(deployment: Deployment) -> None:
    """A client with a token that is no JWT reads 4001 and why."""
    await is_refused(deployment, deployment.carrying("no-token"))


@check("verify signatures, as JWTAuthMiddleware does, and " + AFTER_ACCEPT)
async def tampered(deployment: Deployment) -> None:
    """A client with a token whose signature does not fit reads 4001 and why."""
    signed, _, signature = deployment.options.token.rpartition(".")
    changed = ("B" if signature.startswith("A") else "A") + signature[1:]
    await is_refused(deployment, deployment.carrying(f"{signed}.{changed}"))


@check("name the algorithms that you accept, as JWTAuthMiddleware does, and " + AFTER_ACCEPT)
async def unsigned(deployment: Deployment) -> None:
    """A client with a token without a signature, "alg": "none", reads 4001 and why."""
    payload = deployment.options.token.split(".")[1]
    await is_refused(deployment, deployment.carrying(f"{NO_SIGNATURE}.{payload}."))


@check("let the proxy pass long headers on, as nginx does with large_client_header_buffers 4 24k")
async def long(deployment: Deployment) -> None:
    """A client with a bad token of 15,000 characters reads 4001 and why."""
    await is_refused(deployment, deployment.carrying("x" * 15_000))
