"""What the server asks of the mail system behind it, and the real one: `delivery`.

A Protocol, so that the wire can be run without a database. Decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mailcore.delivery import accept, inbound
from mailcore.delivery.inbound import Incoming, PendingOutcome


class Backend(Protocol):
    """Policy and store. Refusals are raised as `Refused`; anything else is a fault of ours."""

    def check_sender(self, *, reverse_path: str, declared_size: int | None, smtputf8: bool) -> None:
        """Judge MAIL FROM. Called in the event loop: must not wait for anything."""

    def check_known_recipient(
        self, *, forward_path: str, declared_size: int | None, smtputf8: bool
    ) -> bool:
        """Judge RCPT TO without I/O; False when that takes the database. In the event loop."""

    def check_recipient(
        self, *, forward_path: str, declared_size: int | None, smtputf8: bool
    ) -> object:
        """Judge RCPT TO. Called in a worker thread, may wait."""

    def receive_batch(self, items: Sequence[Incoming], *, now: datetime) -> list[PendingOutcome]:
        """Store the messages and return after COMMIT. Called in the writer thread only."""


class DeliveryBackend:
    """The real mail system."""

    check_sender = staticmethod(accept.check_sender)
    check_known_recipient = staticmethod(accept.check_known_recipient)
    check_recipient = staticmethod(accept.check_recipient)
    receive_batch = staticmethod(inbound.receive_batch)
