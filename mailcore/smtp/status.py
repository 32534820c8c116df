"""What became of one recipient in one try (RFC 5321, 4.2.1; RFC 3463).

Values that the client returns and the queue writes down. Decides nothing about retries.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailcore.smtp.reply import Reply


@dataclass(frozen=True, slots=True)
class Delivered:
    """The peer took responsibility; `reply` is its 250 to the final dot."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now: a 4yz, a broken connection, a fault of ours. Another try may do."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Failed:
    """Never: a 5yz, or something that no later try can change."""

    reply: Reply


Result = Delivered | Deferred | Failed
