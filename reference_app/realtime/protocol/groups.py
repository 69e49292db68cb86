"""The only place where a group name is spelled.

Channels allows ASCII letters, digits, `-`, `_` and `.` in it, and fewer than 100 of them; the core
layer raises TypeError for the rest. A subject such as `auth0|abc` has others, and replacing them
would let two users share a group; a digest never does.
"""

from hashlib import sha256

# Every process listens to it for access that may have been lost.
ACCESS_GROUP = "access"


def stream_group(topic: str, key: str) -> str:
    """Return the name of a stream, which is also the name of its group."""
    return f"{topic}.{sha256(key.encode()).hexdigest()}"
