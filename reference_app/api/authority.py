"""By what right a socket listens, and the word to every process when somebody loses it.

The word is a hint, and may get lost: whoever hears it asks the database, which alone decides.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.contrib.auth.base_user import AbstractBaseUser

from .close_codes import CloseCode, Refusal
from .groups import AUTHORITY_GROUP, canonical_org_id
from .lookup import Lookup
from .models import EndedSession, Identity, Membership
from .publish import send_after_commit
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


class Standing(NamedTuple):
    """What the database says of an authority: whose it is, and why it may not listen, if so.

    `user` is None where the subject has never been here.
    """

    user: AbstractBaseUser | None
    refusal: Refusal | None


def standings(authorities: Iterable[Authority]) -> dict[Authority, Standing]:
    """Return how each of these stands; three queries at most, however many there are."""
    asked = set(authorities)
    users = _users({a.subject for a in asked})
    ended = _ended({a.session for a in asked if a.session})
    members = _members(users, {a.org_id for a in asked if a.org_id})
    return {a: Standing(users.get(a.subject), _refusal(a, users, ended, members)) for a in asked}


def refusals(authorities: Iterable[Authority]) -> dict[Authority, Refusal]:
    """Return why each of these may not listen; whoever is not in it may."""
    found = standings(authorities)
    return {authority: of.refusal for authority, of in found.items() if of.refusal}


# For sockets, which come many at a time.
standing_of = Lookup(standings)


def _refusal(authority: Authority, users, ended, members) -> Refusal | None:
    user = users.get(authority.subject)
    if not (user and user.is_active):
        return USER_DISABLED
    if authority.session in ended:
        return SESSION_ENDED
    if authority.org_id and (user.pk, authority.org_id) not in members:
        return NOT_A_MEMBER
    return None


def _users(subjects: set[str]) -> dict[str, AbstractBaseUser]:
    rows = Identity.objects.filter(subject__in=subjects).select_related("user")
    return {identity.subject: identity.user for identity in rows}


def _ended(sessions: set[str]) -> set[str]:
    """Return those of the sessions that were signed out."""
    if not sessions:
        return set()
    return set(EndedSession.objects.filter(session__in=sessions).values_list("session", flat=True))


def _members(users: dict[str, AbstractBaseUser], org_ids: set[str]) -> set[tuple]:
    """Return the pairs of user and active organisation that belong together, by their keys."""
    if not org_ids:
        return set()
    rows = Membership.objects.filter(
        user__in=[user.pk for user in users.values()],
        organization_id__in=org_ids,
        organization__is_active=True,
    )
    return {
        (user, canonical_org_id(org_id))
        for user, org_id in rows.values_list("user_id", "organization_id")
    }


def announce(**change: str) -> None:
    """Tell every process that a user, a session or an organisation has lost a right, after commit.

    `change` names what the authorities in question have in common, as in `Authority`.
    """
    message = {"type": "authority.changed", "change": change}
    send_after_commit(AUTHORITY_GROUP, message)
