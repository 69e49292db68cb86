"""The only place where a group name is spelled.

Channels allows ASCII letters, digits, `-`, `_` and `.` in it, and fewer than 100 of them; the core
layer raises TypeError for the rest. A subject such as `auth0|abc` has others, and replacing them
would let two users share a group; a digest never does.
"""

from hashlib import sha256
from uuid import UUID

from .tokens import MAX_NAME

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


def subject(user_id: UUID | str) -> str:
    """Return the `sub` that a sender means.

    Raises TypeError or ValueError for what no token can have as its `sub`.
    """
    if isinstance(user_id, UUID):
        return str(user_id)
    if not isinstance(user_id, str):
        raise TypeError(
            f"A user_id is the `sub` of the user's tokens, a string or a UUID, "
            f"not {type(user_id).__name__}. For a Django user it is `user.identity.subject`."
        )
    if not user_id or len(user_id) > MAX_NAME:
        raise ValueError(f"A user_id has 1 to {MAX_NAME} characters, not {len(user_id)}.")
    try:
        user_id.encode()
    except UnicodeEncodeError:
        raise ValueError("A user_id cannot hold half a surrogate pair.") from None
    return user_id


def organization_id(org_id: UUID | str) -> UUID:
    """Return the id that a sender means.

    Raises TypeError or ValueError for what is no UUID: no client can listen there.
    """
    if isinstance(org_id, UUID):
        return org_id
    if not isinstance(org_id, str):
        raise TypeError(
            f"An org_id is a UUID or its text, not {type(org_id).__name__}. "
            "For an organization it is `organization.id`."
        )
    try:
        return UUID(org_id)
    except ValueError:
        raise ValueError(f"An org_id is a UUID, and {org_id[:50]!r} is none.") from None


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()
