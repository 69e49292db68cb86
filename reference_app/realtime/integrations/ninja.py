"""Authentication by access token for operations of Django Ninja."""

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.security import HttpBearer

from ..authority.bearer import FAILURES, SCHEME, refusal_of, user_of
from ..identity.claims import Claims
from ..protocol.refused_requests import RefusedRequest
from ..rest import refuse


class TokenAuth(HttpBearer):
    """Sets `request.user`, and `request.auth` to the verified claims.

    It is for operations of both kinds. For an async one, Ninja calls it in a thread.
    """

    def authenticate(self, request: HttpRequest, token: str) -> Claims:
        try:
            request.user, claims = user_of(token.strip())
        except FAILURES as failure:
            raise RefusedRequestError(refusal_of(failure)) from failure
        return claims


class RefusedRequestError(HttpError):
    """A request is refused.

    Without `answer_refusals` the answer has the right status, and neither word nor headers.
    """

    def __init__(self, refused: RefusedRequest):
        super().__init__(refused.status, refused.message)
        self.refused = refused


def answer_refusals(api: NinjaAPI) -> None:
    """Let an API answer refused requests as other views here do, with the headers of RFC 6750.

    Where no token was sent, the body is Ninja's own.
    """

    @api.exception_handler(RefusedRequestError)
    def answer_refused(request: HttpRequest, failure: RefusedRequestError) -> HttpResponse:
        return refuse(failure.refused)

    @api.exception_handler(AuthenticationError)
    def answer_stranger(request: HttpRequest, failure: AuthenticationError) -> HttpResponse:
        content = {"detail": failure.message}
        response = api.create_response(request, content, status=failure.status_code)
        response["WWW-Authenticate"] = SCHEME
        return response
