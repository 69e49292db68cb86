"""The Django user of a token, and sessions that were signed out."""

from hashlib import sha256
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists
from django.utils import timezone

from ..identity.issuers import trusted_issuer
from ..identity.tokens import session_of
from ..models import EndedSession, Identity
from .access import SESSION_ENDED, USER_DISABLED, as_error


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
    return identity.user


def end_session(session: str | None) -> None:
    """Refuse the tokens of a session from now on, and forget sessions that ended long ago."""
    EndedSession.objects.filter(ended_at__lt=timezone.now() - EndedSession.KEPT).delete()
    EndedSession.objects.get_or_create(session=session)


def email_in(claims: dict) -> str:
    """Return the email that a token claims, or "" for what no database would keep."""
    email = claims.get("email")
    return email if isinstance(email, str) and email.isprintable() and len(email) < 255 else ""


@transaction.atomic
def _create(claims: dict, known) -> Any:
    # The name is derived, so that concurrent first visits get the same row, that no subject can
    # spell the name of an administrator made by hand, and that two issuers do not share a user.
    User = get_user_model()
    issuer = trusted_issuer().issuer
    digest = sha256(f"{issuer} {claims['sub']}".encode()).hexdigest()
    name = f"keycloak-{digest[:32]}"
    user, _ = User.objects.get_or_create(
        **{User.USERNAME_FIELD: name}, defaults={"email": email_in(claims)}
    )
    Identity.objects.get_or_create(issuer=issuer, subject=claims["sub"], defaults={"user": user})
    return known.get()
