"""The trace fields we put above a message: Received, Return-Path, Delivered-To (RFC 5321, 4.4).

Takes plain values and trusts none of them: the peer chose its HELO name, so every control
character, bracket and blank that could end a clause, a comment or the field is taken out.
It reads no trace fields (`header` counts them).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

LINE_OCTETS = 78  # RFC 5322, 2.1.1
_NOT_HOST = re.compile(r"[^\w.:\[\]-]")
_NOT_COMMENT = re.compile(r"[^\w.:,=/+ -]")
_NOT_PATH = re.compile(r"[\s<>\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_VALUE_CHARS = 255
_PATH_CHARS = 320


def with_protocol(*, esmtp: bool, tls: bool, authenticated: bool, smtputf8: bool = False) -> str:
    """Return the protocol name for the `with` clause (RFC 3848; RFC 6531, 4.3)."""
    if not esmtp:
        return "SMTP"
    stem = "UTF8SMTP" if smtputf8 else "ESMTP"
    return stem + ("S" if tls else "") + ("A" if authenticated else "")


def received_field(
    *,
    helo: str,
    ip: str,
    by: str,
    queue_id: str,
    at: datetime,
    recipients: Sequence[str] = (),
    esmtp: bool = True,
    tls_version: str = "",
    tls_cipher: str = "",
    authenticated: bool = False,
    smtputf8: bool = False,
) -> bytes:
    """Return the Received field, folded, with its CRLF (RFC 5321, 4.4).

    `ip` is '' for a message that came from no network. The recipient is named only if there is
    exactly one, so that a blind copy stays blind. `at` must be aware. Raises ValueError if not.
    """
    if at.tzinfo is None:
        raise ValueError("at must be aware")
    protocol = with_protocol(
        esmtp=esmtp, tls=bool(tls_version), authenticated=authenticated, smtputf8=smtputf8
    )
    chunks = [f"Received: from {_host(helo)}", _tcp_info(ip)]
    if tls_version:
        chunks.append(f"({_comment(tls_version)} cipher {_comment(tls_cipher) or 'unknown'})")
    chunks += [f"by {_host(by)}", f"with {protocol}", f"id {_host(queue_id)}"]
    if len(recipients) == 1:
        chunks.append(f"for <{_path(recipients[0])}>")
    return _folded([*filter(None, chunks[:-1]), chunks[-1] + ";", format_datetime(at)])


def return_path_field(reverse_path: str) -> bytes:
    """Return the Return-Path field, `<>` for the null sender (RFC 5321, 4.4)."""
    return f"Return-Path: <{_path(reverse_path)}>\r\n".encode()


def delivered_to_field(address: str) -> bytes:
    """Return the Delivered-To field (RFC 9228), by which loops are noticed."""
    return f"Delivered-To: {_path(address)}\r\n".encode()


def _host(text: str) -> str:
    return _NOT_HOST.sub("?", text.strip()[:_VALUE_CHARS]) or "unknown"


def _comment(text: str) -> str:
    return _NOT_COMMENT.sub("?", text[:80]).strip()


def _path(address: str) -> str:
    return _NOT_PATH.sub("", address[:_PATH_CHARS])


def _tcp_info(ip: str) -> str:
    """Return the address literal of the peer (RFC 5321, 4.1.3)."""
    if not ip:
        return ""
    literal = f"IPv6:{ip}" if ":" in ip else ip
    return f"([{_host(literal)}])"


def _folded(chunks: list[str]) -> bytes:
    """Join with blanks, folding before the chunk that would make a line too long."""
    lines = [chunks[0]]
    for chunk in chunks[1:]:
        if len(f"{lines[-1]} {chunk}".encode()) <= LINE_OCTETS:
            lines[-1] += f" {chunk}"
        else:
            lines.append(f"\t{chunk}")
    return ("\r\n".join(lines) + "\r\n").encode()
