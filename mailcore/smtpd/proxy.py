"""The PROXY protocol, versions 1 and 2: a proxy that we trust says whom it speaks for.

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt. Only TRUSTED_PROXIES are listened to.
The specification forbids guessing whether a header comes; in SMTP no client may speak before the
greeting, so what comes first is a header or a breach. TLVs are skipped, no checksum is verified.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import struct
from dataclasses import dataclass

from mailcore.errors import MailError

_V1 = b"PROXY "
_V2 = b"\r\n\r\n\x00\r\nQUIT\n"
_V1_OCTETS = 107
_V2_HEAD = 16
_V2_OCTETS = 4096  # the specification allows 64 KiB; certificates in TLVs stay below this
_PORT = re.compile(r"0|[1-9][0-9]{0,4}")
_TLS_RECORD = b"\x16"


class NoHeader(MailError):  # noqa: N818 - says what was found
    """The octets are no PROXY header that we understand."""


@dataclass(frozen=True, slots=True)
class Header:
    """`octets` long; `client` is address and port, None when the proxy speaks for itself."""

    octets: int
    client: tuple[str, int] | None


def parse(data: bytes) -> Header | None:
    """Return the header at the start of `data`, or None when more must come. Raises NoHeader."""
    if data.startswith(_V1):
        return _parse_v1(data)
    if data.startswith(_V2):
        return _parse_v2(data)
    if _V1.startswith(data) or _V2.startswith(data):
        return None
    raise NoHeader("neither version")


def _parse_v1(data: bytes) -> Header | None:
    end = data.find(b"\r\n", 0, _V1_OCTETS)
    if end < 0:
        if len(data) >= _V1_OCTETS:
            raise NoHeader("too long")
        return None
    try:
        words = data[len(_V1) : end].decode("ascii").split(" ")
    except UnicodeDecodeError as error:
        raise NoHeader("not ASCII") from error
    if words[0] == "UNKNOWN":
        return Header(end + 2, None)
    versions = {"TCP4": 4, "TCP6": 6}
    if len(words) != 5 or words[0] not in versions:
        raise NoHeader("not five words")
    _address(words[2], versions[words[0]])
    _port(words[4])
    return Header(end + 2, (_address(words[1], versions[words[0]]), _port(words[3])))


def _address(text: str, version: int) -> str:
    try:
        found = ipaddress.ip_address(text)
    except ValueError as error:
        raise NoHeader("no address") from error
    if found.version != version or "%" in text:
        raise NoHeader("an address of the other family")
    return str(found)


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or int(text) > 65535:
        raise NoHeader("no port")
    return int(text)


def _parse_v2(data: bytes) -> Header | None:
    if len(data) < _V2_HEAD:
        return None
    version_command, family, length = struct.unpack_from("!BBH", data, len(_V2))
    octets = _V2_HEAD + length
    if version_command not in {0x20, 0x21} or octets > _V2_OCTETS:
        raise NoHeader("another version, an unknown command or too long")
    if len(data) < octets:
        return None
    body = data[_V2_HEAD:octets]
    if version_command == 0x20 or family in {0x00, 0x31}:  # LOCAL, unspecified, a Unix socket
        return Header(octets, None)
    sizes = {0x11: 4, 0x21: 16}
    size = sizes.get(family)
    if size is None or length < 2 * size + 4:
        raise NoHeader("no TCP addresses")
    (port,) = struct.unpack_from("!H", body, 2 * size)
    return Header(octets, (str(ipaddress.ip_address(body[:size])), port))


async def read(connection: socket.socket, *, loop: asyncio.AbstractEventLoop) -> Header | None:
    """Take a header, and not an octet more, from a socket on which TLS comes next.

    None when TLS begins at once: not everybody who could be a proxy is one. Raises NoHeader for
    anything else, ConnectionError when the peer has gone. The caller watches the clock.
    """
    await _readable(connection, loop)
    if connection.recv(1, socket.MSG_PEEK) == _TLS_RECORD:
        return None
    data = b""
    while (header := parse(data)) is None:
        data += await _some(connection, _wanted(data), loop)
    return header


def _wanted(data: bytes) -> int:
    """Return how many octets surely belong to a header that begins like this."""
    if not data.startswith(_V2):
        # The shorter of both begins with as many: `PROXY UNKNOWN` and its line end.
        return max(1, len(b"PROXY UNKNOWN\r\n") - len(data))
    if len(data) < _V2_HEAD:
        return _V2_HEAD - len(data)
    (length,) = struct.unpack_from("!H", data, _V2_HEAD - 2)
    return int(_V2_HEAD + length - len(data))


async def _some(connection: socket.socket, at_most: int, loop: asyncio.AbstractEventLoop) -> bytes:
    data = await loop.sock_recv(connection, at_most)
    if not data:
        raise ConnectionError("gone before the end of its header")
    return data


async def _readable(connection: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    waiting: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not waiting.done():
            waiting.set_result(None)

    loop.add_reader(connection, wake)
    try:
        await waiting
    finally:
        loop.remove_reader(connection)
