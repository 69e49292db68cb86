"""By what right a socket listens, and the word to every process when somebody loses it.

The word is a hint, and may get lost: whoever hears it asks the database, which alone decides.
"""

from collections.abc import Iterable
from typing import NamedTuple

from asgiref.sync import async_to_sync
from django.db.models import Exists, OuterRef, Value

from .close_codes import CloseCode, Refusal
from .groups import AUTHORITY_GROUP, canonical_org_id
from .layer import send_after_commit
from .models import EndedSession, Identity, Membership
from .tokens import session_of

# One sentence for every organisation that is not theirs: to a stranger, an unknown one and a
# deleted one must look alike.
NOT_A_MEMBER = Refusal(CloseCode.FORBIDDEN, "You are not a member of this organization.")
USER_DISABLED = Refusal(CloseCode.UNAUTHORIZED, "The user is disabled.")
SESSION_ENDED = Refusal(CloseCode.UNAUTHORIZED, "The session was signed out.")


class Authority(NamedTuple):
    """What a socket's right to listen rests on: a user, a session, and maybe a membership.

    `subject` and `session` are a token's `sub` and `sid`; a token need not have a session.
    """

    subject: str
    session: str | None = None
    org_id: str | None = None

    @classmethod
    def of(cls, claims: dict, org_id: str | None = None) -> "Authority":
        """Return the authority that a token's claims give, on one organisation or on none."""
        return cls(claims["sub"], session_of(claims), org_id)

    def is_touched_by(self, change: dict) -> bool:
        """Whether a change, some of the three by name, may have ended this authority."""
        return all(getattr(self, name, None) == value for name, value in change.items())


def refusals(authorities: Iterable[Authority]) -> dict[Authority, Refusal]:
    """Return why each of these may not listen; whoever is not in it may.

    Three queries, however many there are.
    """
    asked = set(authorities)
    subjects = {a.subject for a in asked}
    active = _found(Identity.objects.filter(user__is_active=True), "subject", subjects)
    ended = _found(EndedSession.objects, "session", {a.session for a in asked if a.session})
    members = _members(subjects, {a.org_id for a in asked if a.org_id})
    return {
        authority: refusal
        for authority in asked
        if (refusal := _refusal(authority, active, ended, members))
    }


def refusal_of(authority: Authority) -> Refusal | None:
    """Return why this one may not listen, or None; one query, where `refusals` takes three."""
    ended = Exists(EndedSession.objects.filter(session=authority.session or ""))
    member = Exists(
        Membership.objects.filter(
            user=OuterRef("user"),
            organization_id=authority.org_id,
            organization__is_active=True,
        )
    )
    user = Identity.objects.filter(subject=authority.subject, user__is_active=True)
    found = user.values_list(ended, member if authority.org_id else Value(True))[:1]
    for is_ended, is_member in found:
        return SESSION_ENDED if is_ended else None if is_member else NOT_A_MEMBER
    return USER_DISABLED


def _refusal(authority: Authority, active, ended, members) -> Refusal | None:
    if authority.subject not in active:
        return USER_DISABLED
    if authority.session in ended:
        return SESSION_ENDED
    if authority.org_id and (authority.subject, authority.org_id) not in members:
        return NOT_A_MEMBER
    return None


def _found(rows, field: str, wanted: set[str]) -> set[str]:
    """Return those of the wanted values that a row has."""
    if not wanted:
        return set()
    return set(rows.filter(**{f"{field}__in": wanted}).values_list(field, flat=True))


def _members(subjects: set[str], org_ids: set[str]) -> set[tuple[str, str]]:
    """Return the pairs of subject and active organisation that belong together."""
    if not org_ids:
        return set()
    rows = Membership.objects.filter(
        user__identity__subject__in=subjects,
        organization_id__in=org_ids,
        organization__is_active=True,
    ).values_list("user__identity__subject", "organization_id")
    return {(subject, canonical_org_id(org_id)) for subject, org_id in rows}


def announce(**change: str) -> None:
    """Tell every process that a user, a session or an organisation has lost a right, after commit.

    `change` names what the authorities in question have in common, as in `Authority`.
    """
    message = {"type": "authority.changed", "change": change}
    async_to_sync(send_after_commit)(AUTHORITY_GROUP, lambda: message)
