"""Chooses who writes the hot path of the queue: PostgreSQL or SQLite."""

from __future__ import annotations

from django.db import connection

from mailcore.queue.batch import Writer
from mailcore.queue.batch_postgresql import PostgresqlWriter
from mailcore.queue.batch_sqlite import SqliteWriter


def writer() -> Writer:
    """Return the writer of this thread's connection. Raises django.db.OperationalError."""
    return PostgresqlWriter() if connection.vendor == "postgresql" else SqliteWriter()
