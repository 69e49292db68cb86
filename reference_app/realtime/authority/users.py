"""The Django user of a token, and sessions that were signed out."""

from typing import Any

from django.db import transaction
from django.db.models import Exists
from django.utils import timezone

from ..identity.issuers import trusted_issuer
from ..identity.tokens import session_of
from ..models import EndedSession, Identity
from .access import SESSION_ENDED, USER_DISABLED, as_error
from .token_users import follow_email, make_user


def active_user(claims: dict) -> Any:
    """Return the Django user of verified claims, created at the first visit.

    Raises InvalidTokenError where the user is disabled, or the session of the token was signed out.
    """
    # No session is named "".
    ended = Exists(EndedSession.objects.filter(session=session_of(claims) or ""))
    known = Identity.objects.filter(issuer=trusted_issuer().issuer, subject=claims["sub"])
    known = known.select_related("user").annotate(ended=ended)
    identity: Any = known.first() or _create(claims, known)
    if not identity.user.is_active:
        raise as_error(USER_DISABLED)
    if identity.ended:
        raise as_error(SESSION_ENDED)
    follow_email(identity.user, claims)
    return identity.user


def end_session(session: str | None) -> None:
    """Refuse the tokens of a session from now on, and forget sessions that ended long ago."""
    EndedSession.objects.filter(ended_at__lt=timezone.now() - EndedSession.KEPT).delete()
    EndedSession.objects.get_or_create(session=session)


@transaction.atomic
def _create(claims: dict, known) -> Any:
    issuer, user = trusted_issuer().issuer, make_user(claims["sub"])
    Identity.objects.get_or_create(issuer=issuer, subject=claims["sub"], defaults={"user": user})
    return known.get()
