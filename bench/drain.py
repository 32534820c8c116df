"""One drain: a full queue, a sink, and the time until the queue is empty (row 6 of the targets)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.processes import MemoryWatch, cpu_seconds
from bench.sink import Sink

MESSAGES = 3000
SIZE = 10_000
_PATIENCE_S = 120.0
_POLL_S = 0.01


class Queue(Protocol):
    """A mail server that sends all that it has queued to one sink."""

    name: str

    def start(self) -> None:
        """Make what `fill` needs. Raises CalledProcessError, TimeoutError."""

    def stop(self) -> None:
        """Stop every process that this made."""

    def fill(self, count: int, *, size: int, seed: int) -> None:
        """Queue `count` different messages of about `size` octets and let none leave."""

    def release(self) -> None:
        """Let everything go."""

    def waiting_count(self) -> int:
        """Return how many messages are left in the queue."""

    def pids(self) -> Sequence[int]:
        """Return the roots of the process trees that do the work."""

    def verify(self) -> None:
        """Prove that nothing was lost. Raises RuntimeError, CalledProcessError."""


class NotDrainedError(Exception):
    """A queue was not empty within its time, or the sink saw other mail than was queued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What one drain gave. `rate` per second, from the first connection to the empty queue.

    `repeats` are messages that the sink got more than once, `connections` the most at a time.
    """

    messages: int
    rate: float
    cpu_ms: float
    sink_cpu_ms: float
    peak_mib: float
    connections: int
    repeats: int


def drain(queue: Queue, *, sink_port: int, count: int, seed: int) -> Drained:
    """Fill a queue, let it drain into a sink of its own, and measure. Raises NotDrainedError."""
    with Sink(sink_port) as sink:
        queue.fill(count, size=SIZE, seed=seed)
        sink_cpu_s = sink.count().cpu_s
        cpu_s = cpu_seconds(queue.pids())
        queue.release()
        with MemoryWatch(queue.pids()) as memory:
            empty_at = _wait_until_empty(queue)
        seen = sink.count()
        cpu_s = cpu_seconds(queue.pids()) - cpu_s
    if seen.different != count:
        raise NotDrainedError(f"{queue.name}: the sink got {seen.different} of {count} messages")
    return Drained(
        messages=count,
        rate=count / (max(empty_at, seen.last_at) - seen.first_at),
        cpu_ms=cpu_s / count * 1000,
        sink_cpu_ms=(seen.cpu_s - sink_cpu_s) / count * 1000,
        peak_mib=memory.peak_bytes / 2**20,
        connections=seen.most_connections,
        repeats=seen.messages - seen.different,
    )


def _wait_until_empty(queue: Queue) -> float:
    """Return when the queue was empty, in seconds since the epoch."""
    end = time.monotonic() + _PATIENCE_S
    while left := queue.waiting_count():
        if time.monotonic() > end:
            raise NotDrainedError(f"{queue.name}: {left} messages are left")
        time.sleep(_POLL_S)
    return time.time()
