"""Who listens in the laboratory, and to what."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

# Two organizations of the laboratory's own; readers know their streams by these names.
ORGANIZATIONS = {
    "hall": UUID("1ab00000-0000-4000-8000-00000000000a"),
    "side": UUID("1ab00000-0000-4000-8000-00000000000b"),
}

# Tokens of the laboratory end on 1 January 2100.
FAR_AWAY = 4_102_444_800


class Seat(NamedTuple):
    """A place in a run: one user on one stream, an organization's or the user's own."""

    reader: int
    stream: str

    @property
    def subject(self) -> str:
        return f"reader-{self.reader}"

    @property
    def path(self) -> str:
        if org_id := ORGANIZATIONS.get(self.stream):
            return f"/ws/events/{org_id}/"
        return "/ws/notifications/"


def seats(hall: int = 0, side: int = 0, alone: int = 0) -> list[Seat]:
    """Return so many members of each organization, and users with notifications of their own."""

    def streams() -> Iterator[str]:
        yield from ["hall"] * hall
        yield from ["side"] * side
        yield from (f"reader-{hall + side + number}" for number in range(alone))

    return [Seat(reader, stream) for reader, stream in enumerate(streams())]


def settle(audience: list[Seat]) -> None:
    """Make the users and the memberships that the seats need; needs Django."""
    from django.contrib.auth import get_user_model

    from api.models import Membership, Organization
    from realtime.identity.issuers import trusted_issuer
    from realtime.models import Identity

    User, issuer = get_user_model(), trusted_issuer().issuer
    for name, org_id in ORGANIZATIONS.items():
        Organization.objects.get_or_create(id=org_id, defaults={"name": name})
    User.objects.bulk_create(
        [User(username=seat.subject) for seat in audience], ignore_conflicts=True
    )
    users = dict(User.objects.filter(username__startswith="reader-").values_list("username", "id"))
    Identity.objects.bulk_create(
        [
            Identity(issuer=issuer, subject=seat.subject, user_id=users[seat.subject])
            for seat in audience
        ],
        ignore_conflicts=True,
    )
    Membership.objects.bulk_create(
        [
            Membership(organization_id=ORGANIZATIONS[seat.stream], user_id=users[seat.subject])
            for seat in audience
            if seat.stream in ORGANIZATIONS
        ],
        ignore_conflicts=True,
    )


def token(seat: Seat) -> str:
    """Return the access token of the reader who sits there."""
    from devrealm.issue import access_token

    return access_token("alice", sub=seat.subject, exp=FAR_AWAY)


def revoke(seat: Seat) -> None:
    """End the membership of the reader who sits there, as an administrator would."""
    from api.models import Membership

    member = Membership.objects.get(
        organization_id=ORGANIZATIONS[seat.stream], user__token_identities__subject=seat.subject
    )
    member.delete()
