"""The kinds of service that the server offers, and the doors at which it offers them.

Port 25 takes mail from anybody for us (relay), 587 and 465 from our people for anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from mailcore import conf


class Service(Enum):
    """What a door is for; `submissions` has TLS from the first octet (RFC 8314)."""

    RELAY = "relay"
    SUBMISSION = "submission"
    SUBMISSIONS = "submissions"


@dataclass(frozen=True, slots=True)
class Door:
    """A socket to listen on; port 0 is any free one."""

    service: Service
    host: str
    port: int


def from_settings() -> tuple[Door, ...]:
    """Return the doors that the operator wants open: SMTP_LISTEN and the two of submission."""
    return (
        *_doors(Service.RELAY, conf.smtp_listeners()),
        *_doors(Service.SUBMISSION, conf.submission_listeners()),
        *_doors(Service.SUBMISSIONS, conf.submissions_listeners()),
    )


def _doors(service: Service, places: Iterable[tuple[str, int]]) -> list[Door]:
    return [Door(service, host, port) for host, port in places]
