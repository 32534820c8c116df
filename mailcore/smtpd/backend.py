"""What the server asks of the mail system behind it, and the real one: `delivery`.

A Protocol, so that the wire can be run without a database. Decides nothing itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mailcore.delivery import accept, inbound, submit
from mailcore.delivery.inbound import Incoming, Outcome, PendingOutcome
from mailcore.directory import credentials
from mailcore.directory.credentials import Busy, Denied


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


class RelayBackend(Backend, Protocol):
    """What port 25 asks besides."""

    def begin(self, item: Incoming) -> None:
        """Start on what needs no database. Called in the event loop: must not wait."""


class Writer(Protocol):
    """Takes messages in the event loop and gives each to the backend in a thread."""

    def start(self) -> None:
        """Start the threads."""

    def submit(self, item: Incoming) -> asyncio.Future[Outcome]:
        """Return what gives the outcome after COMMIT; cancelling it stops nothing."""

    def stop(self) -> None:
        """Write what is waiting, then end the threads. Blocks."""


class SubmissionBackend(Backend, Protocol):
    """What 587 and 465 ask besides. Called in worker threads, may wait."""

    def authenticate(
        self, *, login: str, password: str, peer_ip: str, now: datetime
    ) -> int | Denied | Busy:
        """Return the id of the user, or why nobody was signed in."""

    def check_submitter(self, *, user_id: int, reverse_path: str) -> None:
        """Judge whether the user may send from this path. Raises Refused."""


class DeliveryBackend:
    """The real mail system."""

    check_sender = staticmethod(accept.check_sender)
    check_known_recipient = staticmethod(accept.check_known_recipient)
    check_recipient = staticmethod(accept.check_recipient)
    begin = staticmethod(inbound.begin)
    receive_batch = staticmethod(inbound.receive_batch)


class DeliverySubmission:
    """The real mail system, for people who sign in."""

    check_sender = staticmethod(accept.check_sender)
    check_known_recipient = staticmethod(accept.check_known_recipient)
    check_recipient = staticmethod(submit.check_recipient)
    receive_batch = staticmethod(submit.submit_batch)
    check_submitter = staticmethod(submit.check_sender)

    def authenticate(
        self, *, login: str, password: str, peer_ip: str, now: datetime
    ) -> int | Denied | Busy:
        """Sign in as `directory.credentials` does for every door."""
        found = credentials.authenticate(login=login, password=password, peer_ip=peer_ip, now=now)
        return found if isinstance(found, Denied | Busy) else found.pk
