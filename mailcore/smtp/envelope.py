"""The envelope of a message and who sent it (RFC 5321, 2.3.1; RFC 3461; RFC 6531; RFC 6152)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """The protection of a connection, as TLS names it: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`."""

    version: str
    cipher: str


@dataclass(frozen=True, slots=True)
class Peer:
    """The client at the other end. `helo` is its own claim."""

    ip: str
    port: int
    helo: str
    esmtp: bool
    tls: TlsInfo | None
    connection_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class ForwardPath:
    """One RCPT TO: the address as it was given and its DSN parameters (RFC 3461, 4.1 and 4.2)."""

    address: str
    notify: tuple[str, ...] = ()
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """MAIL FROM and every accepted RCPT TO. `reverse_path` is '' for the null sender."""

    reverse_path: str
    forward_paths: tuple[ForwardPath, ...]
    smtputf8: bool = False
    body_8bit: bool = False
    declared_size: int | None = None
    ret: str = ""
    envid: str = ""
