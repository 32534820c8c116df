"""System checks: combinations of settings that would break a promise (guarantees G1).

Run by every management command and by `check --deploy`. Reads; changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections


@register(Tags.database)
def durable_database(
    *, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Refuse a database whose COMMIT does not mean "on disk" (G1)."""
    problems: list[CheckMessage] = []
    for alias in databases or []:
        problems += [
            Error(f"database {alias!r}: {problem}", id="mailcore.E001")
            for problem in weak_settings(alias)
        ]
    return problems


def weak_settings(alias: str = "default") -> list[str]:
    """Return a sentence for each setting with which a 250 could be a lie; empty when sound."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT name, setting FROM pg_settings WHERE setting = 'off'"
                " AND name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
            )
            return [f"{name} is off: a 250 could be lost, set it to on" for name, _ in cursor]
        cursor.execute("PRAGMA synchronous")
        row = cursor.fetchone()
        return [] if row and row[0] >= 2 else ["PRAGMA synchronous is below FULL"]
