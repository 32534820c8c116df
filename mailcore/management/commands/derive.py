"""`derive`: the process that fills structure, preview, search words and safe bodies (G11).

Looks for waiting contents every 0.3 s and hands each message to a limited child process; does what
people ask for all messages of a list; cleans up once an hour. Ends on SIGTERM or SIGINT after the
batch in hand; a kill loses nothing.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from contextlib import closing
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from mailcore.delivery import reports, sweeps
from mailcore.errors import MailError
from mailcore.store import derive, jobs
from mailcore.store.sandbox import Sandbox

log = logging.getLogger("mailcore.store")

POLL_S = 0.3
RECOVERY_S = 2.0
SWEEP_S = 3600.0


class Command(BaseCommand):
    """Derives until it is told to stop; with --once until nothing waits."""

    help = "Fill structure, preview, search words and safe bodies of stored messages."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --once."""
        parser.add_argument("--once", action="store_true", help="end when nothing waits")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        """Run in the foreground."""
        with closing(Sandbox()) as sandbox:
            if once:
                self.stdout.write(f"{_drain(sandbox, threading.Event())} derived")
            else:
                _run(sandbox, _stop_on_signals())


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _run(sandbox: Sandbox, stopping: threading.Event) -> None:
    sweep_at = 0.0  # so that the first idle moment sweeps
    while not stopping.is_set():
        try:
            _drain(sandbox, stopping)
            if time.monotonic() >= sweep_at and not stopping.is_set():
                sweep_at = time.monotonic() + SWEEP_S  # also after a fault
                sweep_at = _swept(stopping) or sweep_at
        except (DatabaseError, InterfaceError, MailError, OSError):
            log.exception("derive.interrupted")
            connection.close()
            stopping.wait(RECOVERY_S)
        stopping.wait(POLL_S)


def _swept(stopping: threading.Event) -> float:
    """Forget a portion of what is old; return when to go on if there is more, else 0."""
    counts = sweeps.run_all(now=timezone.now(), is_stopping=stopping.is_set)
    return time.monotonic() if sweeps.has_more(counts) else 0.0


def _drain(sandbox: Sandbox, stopping: threading.Event) -> int:
    """Do jobs, derive what waits, read the reports in it; return how many contents that were."""
    total = 0
    jobs.work(is_stopping=stopping.is_set)
    while not stopping.is_set() and (done := derive.derive_next(sandbox=sandbox)):
        total += done
        jobs.work(is_stopping=stopping.is_set)  # a person waits for these
    reports.mark_all(now=timezone.now(), is_stopping=stopping.is_set)
    return total
