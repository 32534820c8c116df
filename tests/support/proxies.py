"""PROXY headers as a proxy writes them, versions 1 and 2."""

from __future__ import annotations

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def v1(ip: str, port: int = 40_000) -> bytes:
    """Return a line that names this client."""
    kind, here = ("TCP6", "::1") if ":" in ip else ("TCP4", "127.0.0.1")
    return f"PROXY {kind} {ip} {here} {port} 25\r\n".encode()


def v2(ip: str, port: int = 40_000, *, command: int = 1, more: bytes = b"") -> bytes:
    """Return a binary header that names this client, or nobody; `more` are TLVs."""
    head = SIGNATURE + bytes([0x20 | command])
    if not ip:
        return head + b"\x00" + struct.pack("!H", len(more)) + more
    address = ipaddress.ip_address(ip)
    family = b"\x11" if address.version == 4 else b"\x21"
    body = address.packed * 2 + struct.pack("!HH", port, 25) + more
    return head + family + struct.pack("!H", len(body)) + body
