"""The Django user of a token, and the end of sessions."""

from typing import Any

from django.db import transaction
from django.db.models import Exists
from django.db.models.functions import Greatest
from django.utils import timezone

from ..identity.issuers import trusted_issuer
from ..identity.tokens import Logout
from ..models import EndedSession, Identity
from .access import SESSION_ENDED, USER_DISABLED, Access, as_error
from .announcement import announce
from .token_users import follow_email, make_user


def active_user(claims: dict) -> Any:
    """Return the Django user of verified claims, created at the first visit.

    Raises InvalidTokenError where the user is disabled, or the session of the token was signed out.
    """
    access = Access.of(claims)
    # No session is named "".
    ended = EndedSession.objects.filter(session=access.session or "")
    if access.is_offline:
        ended = ended.filter(with_offline=True)
    known = _identities(access.subject).select_related("user").annotate(ended=Exists(ended))
    identity: Any = known.first()
    if identity is None:
        _create(access.subject)
        identity = known.get()
    if not identity.user.is_active:
        raise as_error(USER_DISABLED)
    times = identity.signed_out_at, identity.offline_signed_out_at
    if identity.ended or access.is_signed_out(*times):
        raise as_error(SESSION_ENDED)
    follow_email(identity.user, claims)
    return identity.user


def end_sessions(logout: Logout) -> None:
    """End what a logout token names, which is one session or all sessions of a subject."""
    if logout.session:
        end_session(logout.session, with_offline=logout.ends_offline)
    elif logout.subject:
        sign_out(logout.subject, logout.issued_at, with_offline=logout.ends_offline)


def end_session(session: str | None, *, with_offline: bool = False) -> None:
    """Refuse the tokens of a session from now on, and forget sessions that ended long ago.

    Tokens for offline access are refused only if it ends too.
    """
    EndedSession.objects.filter(ended_at__lt=timezone.now() - EndedSession.KEPT).delete()
    given = {"with_offline": with_offline}
    ended, _ = EndedSession.objects.get_or_create(session=session, defaults=given)
    if with_offline and not ended.with_offline:
        ended.with_offline = True
        ended.save()


def sign_out(subject: str, issued_until: int, *, with_offline: bool = False) -> None:
    """Refuse the tokens of a subject that were issued up to this second, and no newer ones.

    The second is of the issuer's clock, as a token's `iat`, and an earlier one changes nothing. A
    subject that has never been here is known from now on, because it may have such a token.
    """
    if not _identities(subject).exists():
        _create(subject)
    times = ["signed_out_at", "offline_signed_out_at"] if with_offline else ["signed_out_at"]
    _identities(subject).update(**{time: Greatest(time, issued_until) for time in times})
    announce(subject=subject)


def _identities(subject: str):
    return Identity.objects.filter(issuer=trusted_issuer().issuer, subject=subject)


@transaction.atomic
def _create(subject: str) -> None:
    issuer, user = trusted_issuer().issuer, make_user(subject)
    Identity.objects.get_or_create(issuer=issuer, subject=subject, defaults={"user": user})
