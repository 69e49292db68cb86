"""Plain Django views behind the same token verification as the sockets.

Every answer is JSON. An error is `{"error": word, "message": sentence}`. What the view needs may be
out of reach, or hang: then the answer is 503 after REALTIME_REQUEST_SECONDS at the latest.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.base import BaseHandler
from django.db import InterfaceError, OperationalError, connections
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .authority.request_rate import seconds_to_wait
from .authority.users import active_user, end_sessions
from .concurrency.threads import request_threads
from .conf import conf
from .identity.errors import KeysUnavailableError, TokenError
from .identity.refusals import log_refusal
from .identity.tokens import averify, averify_logout
from .layer.sending_loop import is_called_by_sync_code
from .protocol.refused_requests import RETRY_AFTER

logger = logging.getLogger(__name__)

# What a view may raise, and is answered.
FAILURES = (TokenError, RequestDataTooBig, OperationalError, InterfaceError)


def error(status: int, code: str, message: str, **headers: str) -> JsonResponse:
    return JsonResponse({"error": code, "message": message}, status=status, headers=headers)


def unavailable(code: str, message: str) -> JsonResponse:
    return error(503, code, message, **{"Retry-After": str(RETRY_AFTER)})


def rate_limited(wait: int) -> JsonResponse:
    message = "You send too many requests."
    return error(429, "rate_limited", message, **{"Retry-After": str(wait)})


def answers_in_time(view: Callable) -> Callable:
    """Have an async view answer 503 where what it needs is out of reach, or too slow.

    A token that is refused is answered 401.
    """

    @wraps(view)
    async def answer(request: HttpRequest, **kwargs) -> JsonResponse:
        # Sync code waits for its own thread, which no deadline can interrupt.
        deadline = asyncio.timeout(None if is_called_by_sync_code() else conf.REQUEST_SECONDS)
        try:
            async with deadline:
                return await view(request, **kwargs)
        except TimeoutError:
            if not deadline.expired():
                raise
            return unavailable("timed_out", "The server took too long to answer.")
        except FAILURES as failure:
            return response_to(failure)

    # An async view cannot be atomic. The sync part of it is, see `with_token`.
    vars(answer)["_non_atomic_requests"] = set(connections)
    return answer


def response_to(failure: Exception) -> JsonResponse:
    """Return the response to one of FAILURES, or raise it where the code is to blame."""
    match failure:
        case KeysUnavailableError():
            return unavailable(failure.code, str(failure))
        case TokenError():
            # RFC 6750, 3: the scheme that would be accepted.
            return error(401, failure.code, str(failure), **{"WWW-Authenticate": "Bearer"})
        case RequestDataTooBig():
            return error(413, "too_large", "The body is larger than this server takes.")
    if is_mistake(failure):
        raise failure
    logger.error("Request failed: database unavailable (%r)", failure)
    return unavailable("database_unavailable", "The database is out of reach.")


def is_mistake(failure: Exception) -> bool:
    """Whether the SQL is to blame, which SQLite reports by the same class as an outage."""
    return getattr(failure.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


async def in_thread(function: Callable, *args: Any) -> Any:
    """Call a sync function in a thread.

    Where sync code waits, such as Django's test client, it is that code's own thread, which may be
    in a transaction.
    """
    if is_called_by_sync_code():
        return await sync_to_async(function)(*args)
    return await request_threads.run(function, *args)


def with_token(*methods: str) -> Callable:
    """Let a view see `request.user` and `request.token`, by the Authorization header alone.

    The view is sync or async. What it becomes is async.
    """

    def decorate(view):
        @csrf_exempt  # no cookie is read, so a page of another site has nothing to misuse
        @answers_in_time
        @wraps(view)
        async def authenticated(request: Any, **kwargs) -> JsonResponse:
            if request.method not in methods:
                message = f"This address answers {' and '.join(methods)}."
                return error(405, "method_not_allowed", message, Allow=", ".join(methods))
            return await answer_for_user(view, request, kwargs)

        return authenticated

    return decorate


async def answer_for_user(view: Callable, request: Any, kwargs: dict) -> JsonResponse:
    """Call a view for the user of a request's token, which has to be good."""
    token = bearer_token(request)
    try:
        request.token = await averify(token)
        if wait := seconds_to_wait(request.token["sub"]):
            return rate_limited(wait)
        return await call(view, request, kwargs)
    except TokenError as failure:
        log_refusal(failure, token)
        raise


async def call(view: Callable, request: Any, kwargs: dict) -> JsonResponse:
    """Look up the user of a request, and call its view, which is sync or async."""
    is_async = iscoroutinefunction(view)

    @wraps(view)  # with the marks by which Django makes a view atomic, or not
    def for_user() -> Any:
        request.user = active_user(request.token)
        return None if is_async else view(request, **kwargs)

    answer = await in_thread(BaseHandler().make_view_atomic(for_user))
    return await view(request, **kwargs) if is_async else answer


def bearer_token(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


@csrf_exempt  # the issuer calls it, with a signed token and no cookie
@require_POST
@answers_in_time
async def backchannel_logout(request: HttpRequest) -> JsonResponse:
    """End what a `logout_token` names; the sockets concerned close in every process.

    Enter this address in Keycloak as the client's "Backchannel logout URL". The answers are those
    of OpenID Connect Back-Channel Logout 1.0, 2.8.
    """
    token = request.POST.get("logout_token", "")
    try:
        await in_thread(end_sessions, await averify_logout(token))
    except TokenError as failure:
        log_refusal(failure, token)
        if isinstance(failure, KeysUnavailableError):
            raise
        return error(400, failure.code, str(failure))
    return JsonResponse({}, headers={"Cache-Control": "no-store"})
