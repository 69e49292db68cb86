"""Plain Django views behind the same token verification as the sockets.

Every answer is JSON. An error is `{"error": word, "message": sentence}`. What the view needs may be
out of reach, or hang: then the answer is 503 after REALTIME_REQUEST_SECONDS at the latest.
"""

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .authority.bearer import FAILURES, bearer_token, refusal_of
from .authority.request_rate import count_request
from .authority.users import active_user, end_sessions
from .concurrency.threads import request_threads
from .conf import conf
from .identity.errors import KeysUnavailableError, TokenError
from .identity.refusals import refusals_logged
from .identity.tokens import averify, averify_logout
from .layer.sending_loop import is_called_by_sync_code
from .protocol.refused_requests import RefusedRequest, unavailable

TIMED_OUT = unavailable("timed_out", "The server took too long to answer.")


def error(status: int, code: str, message: str, **headers: str) -> JsonResponse:
    return JsonResponse({"error": code, "message": message}, status=status, headers=headers)


def refuse(refused: RefusedRequest) -> JsonResponse:
    return error(refused.status, refused.error, refused.message, **refused.advice)


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
            return refuse(TIMED_OUT)
        except FAILURES as failure:
            return refuse(refusal_of(failure))

    # An async view cannot be atomic. The sync part of it is, see `with_token`.
    vars(answer)["_non_atomic_requests"] = set(connections)
    return answer


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
    with refusals_logged(token):
        request.token = await averify(token)
        count_request(request.token["sub"])
        return await call(view, request, kwargs)


async def call(view: Callable, request: Any, kwargs: dict) -> JsonResponse:
    """Look up the user of a request, and call its view, which is sync or async."""
    is_async = iscoroutinefunction(view)

    @wraps(view)  # with the marks by which Django makes a view atomic, or not
    def for_user() -> Any:
        request.user = active_user(request.token)
        return None if is_async else view(request, **kwargs)

    answer = await in_thread(BaseHandler().make_view_atomic(for_user))
    return await view(request, **kwargs) if is_async else answer


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
        with refusals_logged(token):
            await in_thread(end_sessions, await averify_logout(token))
    except TokenError as failure:
        if isinstance(failure, KeysUnavailableError):
            raise
        return error(400, failure.code, str(failure))
    return JsonResponse({}, headers={"Cache-Control": "no-store"})
