"""The user of a request's bearer token, and the answer to a request without a good one.

Plain views, Django REST framework and Django Ninja share it.
"""

import logging
import sqlite3
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest

from ..identity.claims import Claims
from ..identity.errors import KeysUnavailableError, MissingTokenError, TokenError
from ..identity.refusals import refusals_logged
from ..identity.tokens import verify
from ..protocol.refused_requests import RefusedRequest, unavailable
from .request_rate import TooManyRequestsError, count_request
from .users import active_user

logger = logging.getLogger(__name__)

# What can keep a request from its view.
FAILURES = (
    TokenError,
    TooManyRequestsError,
    RequestDataTooBig,
    OperationalError,
    InterfaceError,
)

SCHEME = "Bearer"


def bearer_token(request: HttpRequest) -> str:
    """Return the token in the Authorization header of a request, or "" for none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == SCHEME.lower() else ""


def user_of(token: str) -> tuple[Any, Claims]:
    """Return the user and the claims of a token.

    It is for sync code: it waits for the issuer's keys and for the database. Raises one of
    FAILURES.
    """
    with refusals_logged(token):
        claims = verify(token)
        count_request(claims["sub"])
        return active_user(claims), claims


def refusal_of(failure: Exception) -> RefusedRequest:
    """Return the answer to one of FAILURES, or raise it where the code is to blame."""
    match failure:
        case KeysUnavailableError():
            return unavailable(failure.code, str(failure))
        case TokenError():
            return unauthorized(failure)
        case TooManyRequestsError(wait=wait):
            status = HTTPStatus.TOO_MANY_REQUESTS
            return RefusedRequest(status, "rate_limited", str(failure), retry_after=wait)
        case RequestDataTooBig():
            message = "The body is larger than this server takes."
            return RefusedRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", message)
    if is_mistake(failure):
        raise failure
    logger.error("Request failed: database unavailable (%r)", failure)
    return unavailable("database_unavailable", "The database is out of reach.")


def unauthorized(failure: TokenError) -> RefusedRequest:
    """Return the answer to a token that is refused, or missing.

    RFC 6750, 3: the scheme that would be accepted, and why a token that was sent is not.
    """
    challenge = f'{SCHEME} error="invalid_token", error_description="{failure}"'
    if isinstance(failure, MissingTokenError):
        challenge = SCHEME
    status = HTTPStatus.UNAUTHORIZED
    return RefusedRequest(status, failure.code, str(failure), challenge=challenge)


def is_mistake(failure: Exception) -> bool:
    """Whether the SQL is to blame, which SQLite reports by the same class as an outage."""
    return getattr(failure.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
