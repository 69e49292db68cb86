"""The people of the demo, two members and one stranger, and their organization."""

from uuid import UUID

from api.models import Membership, Organization
from devrealm.accounts import PEOPLE
from realtime.authority.users import active_user

# The guide's example organization.
ORG_ID = UUID("123e4567-e89b-12d3-a456-426614174000")

MEMBERS = ("alice", "bob")


def settle() -> Organization:
    """Create the organization, the users and the memberships.

    A second call changes nothing.
    """
    organization, _ = Organization.objects.get_or_create(
        id=ORG_ID, defaults={"name": "Acme Incorporated"}
    )
    for person in PEOPLE.values():
        email = {"email": person.email, "email_verified": True}
        user = active_user({"sub": person.subject} | email)
        if person.username in MEMBERS:
            Membership.objects.get_or_create(organization=organization, user=user)
    return organization
