"""What all sessions of one server share: limits, counters, backend, threads, certificate.

Made by `server`, used by `wire`, `protocol` and `handler`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mailcore.smtpd.backend import Backend
from mailcore.smtpd.clients import Clients
from mailcore.smtpd.limits import Limits
from mailcore.smtpd.tls import Certificates
from mailcore.smtpd.workers import Collector, Questions
from mailcore.trace import Entry

if TYPE_CHECKING:
    from mailcore.smtpd.protocol import Session


@dataclass(slots=True)
class Context:
    """Shared state of the sessions; touched in the event loop only."""

    hostname: str
    limits: Limits
    loop: asyncio.AbstractEventLoop
    backend: Backend
    clients: Clients
    collector: Collector
    questions: Questions
    certificates: Certificates | None
    spool_dir: Path
    note: Callable[[Entry], None]
    sessions: set[Session] = field(default_factory=set)
    is_stopping: bool = False
