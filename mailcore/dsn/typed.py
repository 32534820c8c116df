"""Addresses with their type, as DSN fields and ORCPT carry them (RFC 3461, 4; RFC 6533, 3).

`rfc822;bob+2B1@x.example` in ORCPT, `rfc822; bob+1@x.example` in a report, `utf-8; jos\\x{E9}@...`
where only ASCII may travel. Whether an address exists or may be sent to is not asked here.
"""

from __future__ import annotations

import re

_XTEXT_OCTET = re.compile(rb"\+([0-9A-F]{2})")
_EMBEDDED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_TO_EMBED = re.compile(r"[^\x21-\x7e]|[\\+=]")


def decode_xtext(text: str) -> str:
    """Return what xtext stands for (RFC 3461, 4); octets that are no UTF-8 become U+FFFD."""
    octets = _XTEXT_OCTET.sub(lambda match: bytes([int(match[1], 16)]), text.encode())
    return octets.decode(errors="replace")


def encode_xtext(text: str) -> str:
    """Return `text` as xtext (RFC 3461, 4), with the UTF-8 octets of what is not ASCII."""
    return "".join(
        chr(octet) if 0x21 <= octet <= 0x7E and octet not in b"+=" else f"+{octet:02X}"
        for octet in text.encode(errors="replace")
    )


def write(address: str, *, utf8: bool) -> str:
    """Return `type; address` for a report; `utf8` says whether it may hold more than ASCII."""
    if address.isascii():
        return f"rfc822; {address}"
    return f"utf-8; {address if utf8 else _TO_EMBED.sub(_embedded, address)}"


def from_orcpt(orcpt: str) -> str:
    """Return `type; address` of an ORCPT parameter, '' when it is not one."""
    kind, semicolon, address = orcpt.partition(";")
    return f"{kind}; {decode_xtext(address)}" if semicolon and kind and address else ""


def read(value: str) -> str:
    """Return the address of `type; address`, in Unicode; '' for a type that is no mail address."""
    kind, semicolon, address = value.partition(";")
    if not semicolon:
        kind, address = "rfc822", value  # seen in the wild
    kind, address = kind.strip().lower(), address.strip()
    if address.startswith("<") and address.endswith(">"):
        address = address[1:-1].strip()
    if kind == "utf-8":
        return _EMBEDDED.sub(_character, address)
    return address if kind == "rfc822" else ""


def _embedded(match: re.Match[str]) -> str:
    return f"\\x{{{ord(match[0]):02X}}}"


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    is_scalar = number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    return chr(number) if is_scalar else match[0]
