"""Authentication by access token for views of Django REST framework."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

from ..authority.bearer import FAILURES, SCHEME, bearer_token, refusal_of, user_of
from ..identity.claims import Claims
from ..protocol.refused_requests import RefusedRequest


class TokenAuthentication(BaseAuthentication):
    """Sets `request.user`, and `request.auth` to the verified claims.

    A request without a token is left to the next class. The framework asks the first class of a
    view for the header of a 401, and answers 403 where it has none.
    """

    def authenticate(self, request: Request) -> tuple[Any, Claims] | None:
        token = bearer_token(request)
        if not token:
            return None
        try:
            return user_of(token)
        except FAILURES as failure:
            refused = refusal_of(failure)
            request.refused = refused
            raise exception_of(refused) from failure

    def authenticate_header(self, request: Request) -> str:
        refused = getattr(request, "refused", None)
        return refused.challenge if refused else SCHEME


class RefusedRequestError(APIException):
    """A request is refused for a reason that is not in its token."""

    def __init__(self, refused: RefusedRequest):
        super().__init__(refused.content, refused.error)
        self.status_code = refused.status
        self.wait = refused.retry_after  # the framework sends it as Retry-After


def exception_of(refused: RefusedRequest) -> APIException:
    """Return the exception that the framework answers as other views here do."""
    if refused.challenge:
        return AuthenticationFailed(refused.content, refused.error)
    return RefusedRequestError(refused)
