"""The Django user of a token, and the end of sessions."""

import logging
from copy import deepcopy
from typing import Any

from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError, router, transaction
from django.db.models import Exists
from django.db.models.functions import Greatest
from django.utils import timezone

from ..conf import conf
from ..identity.errors import InvalidTokenError
from ..identity.issuers import trusted_issuer
from ..identity.tokens import Logout
from ..models import EndedSession, Identity
from .access import SESSION_ENDED, USER_DISABLED, Access, as_error
from .announcement import announce
from .token_users import follow_email

logger = logging.getLogger(__name__)


def active_user(claims: dict) -> Any:
    """Return the Django user of verified claims, whom REALTIME_USER names at the first visit.

    Raises InvalidTokenError where the user is disabled, the session of the token was signed out, or
    no account could be made.
    """
    access = Access.of(claims)
    known: Any = _known(access).first()
    identity = known if known and known.user else _first_visit(access, claims)
    if identity.user and not identity.user.is_active:
        raise as_error(USER_DISABLED)
    if _has_ended(access, identity):
        raise as_error(SESSION_ENDED)
    if identity is known:
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
    subject that has never been here is remembered without a user, because it may have such a token.
    """
    if not _identities(subject).exists():
        _remember(subject)
    times = ["signed_out_at", "offline_signed_out_at"] if with_offline else ["signed_out_at"]
    _identities(subject).update(**{time: Greatest(time, issued_until) for time in times})
    announce(subject=subject)


def _identities(subject: str):
    return Identity.objects.filter(issuer=trusted_issuer().issuer, subject=subject)


def _known(access: Access):
    """Return the query of an access's identity, its user, and whether its session has ended."""
    # No session is named "".
    ended = EndedSession.objects.filter(session=access.session or "")
    if access.is_offline:
        ended = ended.filter(with_offline=True)
    return _identities(access.subject).select_related("user").annotate(ended=Exists(ended))


def _has_ended(access: Access, identity: Any) -> bool:
    times = identity.signed_out_at, identity.offline_signed_out_at
    return identity.ended or access.is_signed_out(*times)


def _remember(subject: str) -> None:
    """Store an identity without a user, unless there is one.

    PostgreSQL waits here for a transaction that stores the same one, and SQLite for any other.
    """
    row = Identity(issuer=trusted_issuer().issuer, subject=subject)
    Identity.objects.bulk_create([row], ignore_conflicts=True)


def _first_visit(access: Access, claims: dict) -> Any:
    """Return the identity of a subject with its user, unless the token was signed out before.

    First visits at once wait for each other, so that one only asks for a user.
    """
    try:
        with transaction.atomic(using=(database := router.db_for_write(Identity))):
            _remember(access.subject)
            _identities(access.subject).select_for_update().get()
            # Not by the statement that waited: it sees no user that was stored since it began.
            identity: Any = _known(access).using(database).get()
            if not (identity.user or _has_ended(access, identity)):
                identity.user = _user_of(claims)
                identity.save(update_fields=["user"])
            return identity
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # anything that the project's function may raise
        reason = "REALTIME_USER made no account for the subject %r: %s"
        logger.exception(reason, access.subject, error)
        raise InvalidTokenError("no_account", "No account could be made.") from error


def _user_of(claims: dict) -> Any:
    """Return what the project's function says is the user of verified claims."""
    # A copy, because the claims of a token are kept for its next visits.
    user, User = conf.USER(deepcopy(claims)), get_user_model()
    if not isinstance(user, User) or user._state.adding:
        raise TypeError(f"it returned {user!r}, and no {User.__name__} that is stored.")
    return user
