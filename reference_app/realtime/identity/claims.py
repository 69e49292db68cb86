"""What a token says of its user and of itself."""

from typing import Any

# A token's claims by their names (RFC 7519, 4), such as `sub` and `exp`.
Claims = dict[str, Any]
