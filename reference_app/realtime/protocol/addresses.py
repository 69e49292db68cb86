"""Reads the address of a client's machine."""

from ipaddress import IPv4Address, IPv6Address, ip_address


def address_in(host: str) -> IPv4Address | IPv6Address:
    """Return the address that a server names as its peer.

    A socket that takes both kinds names an IPv4 one as an IPv6 one, `::ffff:192.0.2.1` (RFC 4291,
    2.5.5.2).
    """
    address = ip_address(host)
    return getattr(address, "ipv4_mapped", None) or address
