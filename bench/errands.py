"""What a reader does in a mailbox of many messages, on each of the servers that can show it.

An errand is asked for `times` and each time differently, so that no cache of whole pages answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from bench.visitor import Answer

Step = Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Errand:
    """A kind of request; its targets: `share` of the peer's p50, `limit_ms` of its own p95."""

    name: str
    times: int = 30
    share: float | None = None
    limit_ms: float | None = None


ERRANDS = (
    Errand("list by date", share=0.2),
    Errand("list by conversation", share=0.2),
    Errand("list, deep page", share=0.2),
    Errand("open a message", share=0.2),
    Errand("search: rare word", limit_ms=100),
    Errand("search: common word", limit_ms=100),
    Errand("search: phrase", limit_ms=100),
    Errand("search: prefix", limit_ms=100),
    Errand("search: operators only", limit_ms=100),
    Errand("people to write to", limit_ms=30),
    Errand("move 10,000", times=3),
)


class Reader(Protocol):
    """A server with the mailbox in it and somebody signed in."""

    name: str

    def start(self) -> None:
        """Start, and fill the mailbox unless it is. Raises CalledProcessError, TimeoutError."""

    def stop(self) -> None:
        """Stop every process that `start` made."""

    def errands(self) -> Mapping[str, Iterator[Step]]:
        """Return what it can be asked, by the errand's name: each step is a different request."""
