"""The demo's people and their organisation: two members, one stranger."""

from typing import NamedTuple
from uuid import UUID

from api.models import Identity, Membership, Organization

# The guide's example organisation.
ORG_ID = UUID("123e4567-e89b-12d3-a456-426614174000")


class Person(NamedTuple):
    """Someone with an account in the realm; the password is the username."""

    username: str
    subject: str
    given_name: str
    family_name: str
    is_member: bool

    @property
    def email(self) -> str:
        return f"{self.username}@example.com"


PEOPLE = {
    person.username: person
    for person in (
        Person("alice", "a11ce000-0000-4000-8000-000000000001", "Alice", "Archer", True),
        Person("bob", "b0b00000-0000-4000-8000-000000000002", "Bob", "Baker", True),
        Person("mallory", "ba11ad00-0000-4000-8000-000000000003", "Mallory", "Moss", False),
    )
}


def settle() -> Organization:
    """Make the organisation, the users and the memberships; again changes nothing."""
    organization, _ = Organization.objects.get_or_create(
        id=ORG_ID, defaults={"name": "Acme Incorporated"}
    )
    for person in PEOPLE.values():
        claims = {"sub": person.subject, "email": person.email}
        user = Identity.objects.active_user(claims)
        if person.is_member:
            Membership.objects.get_or_create(organization=organization, user=user)
    return organization
