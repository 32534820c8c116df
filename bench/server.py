"""What the bench asks of a mail server that it measures."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Protocol

RECIPIENTS = 10
DOMAIN = "hamburger.test"


class Server(Protocol):
    """A server on a port of loopback that takes mail for user0 to user9 of DOMAIN."""

    name: str
    port: int

    def start(self) -> None:
        """Start and wait until the port answers. Raises TimeoutError, CalledProcessError."""

    def stop(self) -> None:
        """Stop every process that `start` made."""

    def pids(self) -> Sequence[int]:
        """Return the roots of the process trees that do the work."""

    def stored_count(self) -> int:
        """Return how many messages lie in the mailboxes now."""

    def last_stored_at(self, accepted_at: float) -> float:
        """Return when the newest message was in its mailbox; `accepted_at` is its last 250."""


def end(process: subprocess.Popen[Any], *, with_signal: int = signal.SIGTERM) -> None:
    """End a process that we started; kill it after 15 seconds."""
    if process.poll() is None:
        process.send_signal(with_signal)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def open_log(path: Path) -> IO[bytes]:
    """Open a log file for a child process."""
    return path.open("ab")
