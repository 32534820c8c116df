"""What all sessions of one server share: limits, counters, backend, threads, certificate.

Made by `server`, used by `wire`, `protocol` and `handler`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mailcore.conf import Networks
from mailcore.smtpd.backend import Backend, Writer
from mailcore.smtpd.clients import Clients
from mailcore.smtpd.limits import Limits
from mailcore.smtpd.tls import Certificates
from mailcore.smtpd.workers import Questions
from mailcore.trace import Entry

if TYPE_CHECKING:
    from mailcore.smtpd.doorkeeper import Doorkeeper
    from mailcore.smtpd.protocol import Session
    from mailcore.smtpd.wire import Wire


@dataclass(slots=True)
class Context:
    """Shared state of the sessions of one service; touched in the event loop only.

    `check_sender` is asked about a reverse-path that passed all else; it raises Refused. The
    `doorkeeper` signs people in; port 25 has none. `proxies` may say whom they speak for;
    those of whom we wait to hear it are `unknown`.
    """

    hostname: str
    limits: Limits
    loop: asyncio.AbstractEventLoop
    backend: Backend
    clients: Clients
    collector: Writer
    questions: Questions
    certificates: Certificates | None
    spool_dir: Path
    note: Callable[[Entry], None]
    check_sender: Callable[[Session, str], Awaitable[None]] | None = None
    doorkeeper: Doorkeeper | None = None
    proxies: Networks = ()
    sessions: set[Session] = field(default_factory=set)
    unknown: set[Wire] = field(default_factory=set)
    is_stopping: bool = False
