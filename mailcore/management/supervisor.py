"""Child processes of `serve`: started, restarted with a growing pause, stopped together.

Each runs in a process group of its own, so that Ctrl-C reaches only the supervisor, and ends with
it even when that is killed (Linux: prctl). Knows no mail; `serve` says what to run.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_PR_SET_PDEATHSIG = 1
PAUSE_FIRST_S = 0.5
PAUSE_MOST_S = 30.0
STABLE_S = 60.0  # after so long a run the next end counts as the first again
STOP_S = 35.0  # a message in progress may take 30 s

Say = Callable[[str], None]


@dataclass(slots=True)
class Part:
    """A program that has to run, and what became of it so far."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    failures: int = field(default=0)

    def start(self, *, now: float) -> None:
        """Start the program. Raises OSError when it cannot be run at all."""
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - the supervisor has no threads
        )
        self.started_at = now

    def has_ended(self) -> bool:
        """Tell whether a started program has ended since."""
        return self.process is not None and self.process.poll() is not None

    def pause_after_end(self, *, now: float) -> float:
        """Plan the next start and return the pause until then, in seconds."""
        self.failures = 1 if now - self.started_at > STABLE_S else self.failures + 1
        pause: float = min(PAUSE_FIRST_S * 2 ** (self.failures - 1), PAUSE_MOST_S)
        self.process = None
        self.start_at = now + pause
        return pause

    def signal(self, number: int) -> None:
        """Send a signal to the program and all its children."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Keeps the parts running until `stop` is called; `say` gets a line for people."""

    def __init__(self, parts: Sequence[Part], *, say: Say) -> None:
        self._parts = parts
        self._say = say
        self._is_stopping = False

    def stop(self) -> None:
        """Make `run` end; may be called from a signal handler."""
        self._is_stopping = True

    def start(self) -> None:
        """Start every part."""
        for part in self._parts:
            part.start(now=time.monotonic())

    def run(self, *, interval_s: float = 0.2) -> None:
        """Watch the parts until `stop`, then end them all. Returns when none is left."""
        try:
            while not self._is_stopping:
                self._watch(now=time.monotonic())
                time.sleep(interval_s)
        finally:
            self._end_all()

    def _watch(self, *, now: float) -> None:
        for part in self._parts:
            if part.has_ended():
                code = part.process.returncode if part.process else 0
                part.signal(signal.SIGKILL)  # what it left behind
                pause = part.pause_after_end(now=now)
                self._say(f"{part.name} ended (status {code}), starting it again in {pause:g} s")
            elif part.process is None and now >= part.start_at:
                part.start(now=now)

    def _end_all(self) -> None:
        for part in self._parts:
            part.signal(signal.SIGTERM)
        end = time.monotonic() + STOP_S
        for part in self._parts:
            if part.process is None:
                continue
            try:
                part.process.wait(timeout=max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{part.name} does not stop, killing it")
            part.signal(signal.SIGKILL)
