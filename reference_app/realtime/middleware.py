"""The middleware that finds out which page and which user a handshake comes from."""

import logging
from asyncio import timeout_at
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError

from .authority.access import NOT_SIGNED_IN, Access, answer_of
from .authority.registry import registry
from .authority.sessions import SessionKey
from .authority.token_users import has_new_email
from .authority.users import active_user
from .concurrency.threads import socket_threads
from .identity.errors import KeysUnavailableError, TokenError
from .identity.refusals import log_refusal
from .identity.tokens import averify
from .protocol.close_codes import DATABASE_UNAVAILABLE, CloseCode, Refusal
from .signals import handshake_ended
from .sockets.admission import admission, deadline_of, time_taken
from .sockets.carriers import find_token, header_values
from .sockets.connection_ids import identify
from .sockets.origins import advice_on, is_allowed_origin, refuse_handshake, request_of

logger = logging.getLogger(__name__)


class AllowedOriginsValidator:
    """Refuses with HTTP 403 a page from an origin, scheme, host and port, that is not allowed.

    It stands where the guide has `AllowedHostsOriginValidator`, which compares host names only and
    refuses every client without an Origin. Only browsers send one, always (RFC 6455, 10.2). No
    cookie is read here, so a client without an Origin cannot misuse one, and is let through.
    """

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        scope = dict(scope)
        identify(scope)
        for origin in header_values(scope, b"origin"):
            if not is_allowed_origin(origin, scope):
                advice = advice_on(origin, scope)
                logger.warning("Refused a WebSocket from origin %.200r. %s", origin, advice)
                outcome = {"consumer": "", "outcome": "origin", "seconds": time_taken(scope)}
                handshake_ended.send_robust(type(self), **outcome)
                return await refuse_handshake(scope, receive, send)
        return await self.application(scope, receive, send)


class JWTAuthMiddleware:
    """Sets `scope["user"]` and `scope["token"]`, the verified claims, from an access token.

    It refuses no client itself, because a client can only read a code from a socket that was
    accepted. Without a valid token the user is anonymous, the token is None, and
    `scope["refusal"]` says why, for the consumer to tell the client.
    """

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        scope = dict(scope, user=AnonymousUser(), token=None, refusal=None)
        identify(scope)
        token = ""
        try:
            token = find_token(scope)
            # Without a slot: a token may have to wait for its key, and would keep others waiting.
            async with timeout_at(deadline_of(scope)):
                claims = await averify(token)
            async with admission(scope, "user"):
                # Taken before the look-up, so that the consumer can tell whether it still holds.
                scope["access_mark"] = registry().mark()
                scope["user"] = await load_user(claims)
                scope["token"] = claims
        except TokenError as error:
            log_refusal(error, token)
            unavailable = isinstance(error, KeysUnavailableError)
            code = CloseCode.UNAVAILABLE if unavailable else CloseCode.UNAUTHORIZED
            scope["refusal"] = Refusal(code, str(error))
        except (DatabaseError, TimeoutError) as error:
            logger.error("User could not be loaded: %r", error)
            scope["refusal"] = DATABASE_UNAVAILABLE
        return await self.application(scope, receive, send)


async def load_user(claims: dict) -> Any:
    """Return the active Django user of verified claims, as `active_user` does.

    Raises InvalidTokenError where the user is disabled, the session was signed out, or no account
    could be made.
    """
    answer = await answer_of(Access.of(claims))
    if answer and not answer.refusal and not has_new_email(answer.user, claims):
        return answer.user
    # A new subject gets a user, an email is stored, and a refused user is told why.
    return await socket_threads.run(active_user, claims)


class SessionAuthMiddleware:
    """Sets `scope["user"]` and `scope["token"]` from the session that Django's cookie names.

    In place of a token's claims are `sub`, the user's primary key as a string, `sid`, a digest of
    the session's key, `iat`, the time of the handshake, and `exp`. As after `JWTAuthMiddleware`,
    `scope["refusal"]` says why a client is not let in.

    A browser sends the cookie along for every page. So a page needs an allowed origin here, also
    where `AllowedOriginsValidator` is forgotten, and a client without an Origin gets HTTP 403.
    """

    def __init__(self, application):
        self.application = application
        self.guarded = AllowedOriginsValidator(self.authenticate)

    async def __call__(self, scope, receive, send):
        if header_values(scope, b"origin"):
            return await self.guarded(scope, receive, send)
        scope = dict(scope)
        identify(scope)
        logger.warning(
            "Refused a WebSocket without an Origin, which every browser sends. Sessions are for "
            "browsers: let a program send a token to a route behind JWTAuthMiddleware."
        )
        outcome = {"consumer": "", "outcome": "origin", "seconds": time_taken(scope)}
        handshake_ended.send_robust(type(self), **outcome)
        await refuse_handshake(scope, receive, send)

    async def authenticate(self, scope, receive, send):
        """Find the user of a handshake from an allowed origin."""
        scope = dict(scope, user=AnonymousUser(), token=None, refusal=NOT_SIGNED_IN)
        try:
            cookie = request_of(scope).COOKIES.get(settings.SESSION_COOKIE_NAME, "")
            if key := SessionKey.of(cookie):
                async with admission(scope, "user"):
                    await sign_in(scope, key)
        except (DatabaseError, TimeoutError) as error:
            logger.error("Session could not be loaded: %r", error)
            scope["refusal"] = DATABASE_UNAVAILABLE
        if scope["refusal"]:
            logger.info("Session refused: %s", scope["refusal"].reason)
        return await self.application(scope, receive, send)


async def sign_in(scope: dict, key: SessionKey) -> None:
    """Put the user of a session into a scope, or the reason why there is none."""
    # Taken before the look-up, so that the consumer can tell whether it still holds.
    scope["access_mark"] = registry().mark()
    answer = await answer_of(Access("", key.digest, session_key=key))
    user, scope["refusal"], expires_at = answer or (None, DATABASE_UNAVAILABLE, None)
    if not scope["refusal"]:
        scope |= {"user": user, "token": key.claims(user, expires_at), "session_key": key}
