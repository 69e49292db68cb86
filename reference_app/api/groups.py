"""The only place where a group name is spelled.

Channels allows ASCII letters, digits, `-`, `_` and `.` in it, and fewer than 100 of them; the core
layer raises TypeError for the rest. A subject such as `auth0|abc` has others, and replacing them
would let two users share a group; a digest never does.
"""

from hashlib import sha256
from uuid import UUID

# Every process hears in it when somebody's right to listen may have ended.
AUTHORITY_GROUP = "authority"


def user_group(user_id: str) -> str:
    """Return the group of the sockets of one user, by the `sub` of the user's tokens."""
    return f"user.{_digest(str(user_id))}"


def org_group(org_id: UUID | str) -> str:
    """Return the group of the sockets on one organisation, however its UUID is spelled."""
    return f"org.{_digest(canonical_org_id(org_id))}"


def canonical_org_id(org_id: UUID | str) -> str:
    """Return one spelling for every spelling of a UUID; any other id stays as it is."""
    try:
        return str(UUID(str(org_id)))
    except ValueError:
        return str(org_id)


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()
