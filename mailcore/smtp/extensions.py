"""What a server offers in its reply to EHLO (RFC 5321, 4.1.1.1).

Keywords in upper case with their parameters. Unknown ones are kept and do no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_NUMBER_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Extensions:
    """Offers by keyword; after HELO there are none."""

    offers: Mapping[str, str] = field(default_factory=dict)
    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    dsn: bool = False
    size: bool = False
    size_limit: int = 0  # octets, 0 when it names none (RFC 1870)
    recipient_limit: int = 0  # recipients a transaction, 0 when it names none (RFC 9422)
    message_limit: int = 0  # transactions a connection, 0 when it names none (RFC 9422)

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The SASL mechanisms (RFC 4954)."""
        return tuple(self.offers.get("AUTH", "").upper().split())


def parse_extensions(texts: Sequence[bytes]) -> Extensions:
    """Return what the lines of an EHLO reply offer; the first line is a greeting. Never raises."""
    offers: dict[str, str] = {}
    for octets in texts[1:]:
        text = octets.decode("ascii", "replace").strip()
        # "AUTH=PLAIN" is what old servers say for old clients.
        keyword, _, parameters = text.partition(" ")
        if keyword:
            offers.setdefault(keyword.upper(), parameters.strip())
    limits = dict(item.partition("=")[::2] for item in offers.get("LIMITS", "").upper().split())
    return Extensions(
        offers=offers,
        pipelining="PIPELINING" in offers,
        eight_bit="8BITMIME" in offers,
        smtputf8="SMTPUTF8" in offers and "8BITMIME" in offers,  # RFC 6531, 3.1
        dsn="DSN" in offers,
        size="SIZE" in offers,
        size_limit=_number(offers.get("SIZE", "")),
        recipient_limit=_number(limits.get("RCPTMAX", "")),
        message_limit=_number(limits.get("MAILMAX", "")),
    )


def _number(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS
    return int(text) if is_number else 0
