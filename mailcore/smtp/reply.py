"""SMTP replies as values: code, enhanced status code and text (RFC 5321, 4.2; RFC 3463).

Says how a reply is written on the wire. Which reply is due is for services and adapters.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply; `enhanced` is '' where RFC 2034 has none (greeting, EHLO, 3yz)."""

    code: int
    enhanced: str
    text: str

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)

    @property
    def is_temporary(self) -> bool:
        """Whether the client should try again (4yz)."""
        return 400 <= self.code < 500
