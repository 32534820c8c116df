"""The real SMTP server with the real mail system behind it, and questions to both sides.

A client's view: replies. The store's view: rows, octets and trace events of what a reply named.
"""

from __future__ import annotations

import re
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event

from django.db import connection

from mailcore import rawmail
from mailcore.delivery.inbound import Incoming, PendingOutcome
from mailcore.models.message import Message
from mailcore.models.trace import TraceEvent
from mailcore.smtpd.backend import DeliveryBackend
from mailcore.smtpd.limits import Limits
from tests.support.smtp_dialogue import QUICK, Client, Running

LIMITS = replace(QUICK, message_octets=8 * 2**20)
SENDER = "carol@outside.example"
BOB = "bob@hamburger.test"
_QUEUED = re.compile(rb"250 2\.0\.0 Ok: queued as ([0-9a-f]{32})\r\n")


class GatedBackend(DeliveryBackend):
    """The real mail system; the writer waits at `gate` before each batch, counted in `batches`."""

    def __init__(self) -> None:
        self.gate = Event()
        self.batches: list[int] = []

    def receive_batch(self, items: Sequence[Incoming], *, now: datetime) -> list[PendingOutcome]:
        self.batches.append(len(items))
        assert self.gate.wait(20)
        return DeliveryBackend.receive_batch(items, now=now)


class Mx(Running):
    """A running server that stores what it takes; no database connection outlives it."""

    def __init__(
        self, directory: Path, *, limits: Limits = LIMITS, backend: DeliveryBackend | None = None
    ) -> None:
        super().__init__(directory, limits=limits, backend=backend or DeliveryBackend())

    def greet(self, helo: bytes = b"EHLO client.test") -> Client:
        """Return a client that has said hello."""
        client = self.connect()
        assert client.ask(helo)[:3] == b"250"
        return client

    def deliver(self, raw: bytes, *paths: str, sender: str = SENDER, parameters: str = "") -> bytes:
        """Send one message in a session of its own; return the reply to its final dot."""
        with self.greet() as client:
            return send(client, raw, *paths, sender=sender, parameters=parameters)

    def rcpt(self, path: str, *, parameters: str = "") -> bytes:
        """Return the reply to one RCPT in a session of its own."""
        with self.greet() as client:
            assert client.ask(mail_from(parameters=parameters))[:3] == b"250"
            return client.ask(f"RCPT TO:<{path}>".encode())


def mail_from(sender: str = SENDER, *, parameters: str = "") -> bytes:
    """Return a MAIL command."""
    return f"MAIL FROM:<{sender}> {parameters}".rstrip().encode()


def open_data(client: Client, *paths: str, sender: str = SENDER, parameters: str = "") -> None:
    """Go from MAIL up to the 354."""
    answer = client.ask(mail_from(sender, parameters=parameters))
    assert answer == b"250 2.1.0 Ok\r\n", answer
    for path in paths or (BOB,):
        answer = client.ask(f"RCPT TO:<{path}>".encode())
        assert answer == b"250 2.1.5 Ok\r\n", answer
    assert client.ask(b"DATA")[:4] == b"354 "


def send(
    client: Client, raw: bytes, *paths: str, sender: str = SENDER, parameters: str = ""
) -> bytes:
    """Send one message in this session; return the reply to its final dot."""
    open_data(client, *paths, sender=sender, parameters=parameters)
    client.send(stuffed(raw))
    return client.reply()


def stuffed(raw: bytes) -> bytes:
    """Return octets as DATA carries them (RFC 5321, 4.5.2), with the final dot."""
    assert not raw or raw.endswith(b"\r\n")
    return (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


def trace_id(reply: bytes) -> uuid.UUID:
    """Return the id that a 250 names; it must be one."""
    match = _QUEUED.fullmatch(reply)
    assert match is not None, reply
    return uuid.UUID(match[1].decode())


def stored(reply: bytes) -> list[Message]:
    """Return the rows of the message that was answered so, by mailbox."""
    rows = Message.objects.filter(trace_id=trace_id(reply)).select_related("content__blob")
    return list(rows.order_by("mailbox_id"))


def octets(row: Message) -> bytes:
    """Return the blob of a stored message."""
    return rawmail.read_checked(row.content.blob)


def events(reply: bytes) -> list[tuple[str, str]]:
    """Return kind and forward-path of the trace events of a message, in order."""
    rows = TraceEvent.objects.filter(trace_id=trace_id(reply)).order_by("pk")
    return list(rows.values_list("kind", "forward_path"))


def wait_until(is_so: Callable[[], object], *, seconds: float = 10) -> None:
    """Return when `is_so` is true; fail after `seconds`."""
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.01)


@contextmanager
def table_taken_away(table: str) -> Iterator[None]:
    """Let no statement use `table`: renamed on PostgreSQL, on SQLite all writing locked out.

    On SQLite a server's own patience must be short: see `lock_timeout` of the scenarios.
    """
    if connection.vendor == "sqlite":
        with sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
            other.execute("ROLLBACK")
        other.close()
        return
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


@contextmanager
def mailbox_locked(mailbox_id: int) -> Iterator[None]:
    """Hold the lock of a mailbox on a second connection (PostgreSQL)."""
    other = connection.copy()
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM mailcore_mailbox WHERE id = %s FOR UPDATE", [mailbox_id])
            yield
    finally:
        other.rollback()
        other.close()
