"""Addresses of this server as a page of it has to name them."""

from posixpath import relpath


def seen_from(page: str, address: str) -> str:
    """Return an address relative to a page, both as paths of this server.

    A hub serves the page below a prefix that this server does not know. An address on another
    server is returned as it is.
    """
    return relpath(address, page) if address.startswith("/") else address
