"""The one dialler of every outgoing connection: to checked addresses only, never to names.

A name in mail or DNS can point anywhere; only global unicast addresses are dialled, and no
address of this host (RFC 6890; RFC 5321, 5.1). IPv4 inside IPv6 is unwrapped first (RFC 4291,
6052, 3056, 2765). The caller resolves; because an address is dialled, nothing resolves twice.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeVar

from mailcore.errors import MailError

Networks = Sequence[IPv4Network | IPv6Network]
ProtocolT = TypeVar("ProtocolT", bound=asyncio.Protocol)

# Prefixes with an IPv4 address in the last 32 bits: mapped, compatible, translated, NAT64.
_LAST_32_BITS = tuple(
    ipaddress.IPv6Network(prefix)
    for prefix in ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")  # RFC 8215: leads into somebody's network


class Forbidden(MailError):  # noqa: N818 - said of an address, like Refused
    """`ip` is no address that we connect to: not global, our own, or no address at all."""

    def __init__(self, ip: str) -> None:
        super().__init__(f"no connection to {ip[:45]!r}")
        self.ip = ip


def check(ip: str, allow: Networks = ()) -> None:
    """Raise Forbidden unless `ip` may be dialled: it is global and not ours, or within `allow`."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError as error:
        raise Forbidden(ip) from error
    meant = _meant(address)
    if any(address in network or meant in network for network in allow):
        return
    if not (_is_global(address) and _is_global(meant)) or _is_ours(meant):
        raise Forbidden(ip)


async def connect(
    factory: Callable[[], ProtocolT], *, ip: str, port: int, allow: Networks, timeout_s: float
) -> tuple[asyncio.Transport, ProtocolT]:
    """Connect to a checked address over TCP within `timeout_s` seconds.

    Raises Forbidden before any packet leaves, and OSError (TimeoutError is one).
    """
    check(ip, allow)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s):
        transport, protocol = await loop.create_connection(factory, ip, port)
    return transport, protocol


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 one leads to, or `address` itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.sixtofour is not None:
        return address.sixtofour
    if any(address in network for network in _LAST_32_BITS):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        if address in _LAST_32_BITS[0]:  # the standard library calls all mapped ones private
            return True
        if address.is_site_local or address in _LOCAL_NAT64:
            return False
    return address.is_global and not address.is_multicast


def _is_ours(address: IPv4Address | IPv6Address) -> bool:
    """Whether an interface of this host has the address: to dial it is to dial loopback."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
