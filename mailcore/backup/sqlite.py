"""The SQLite database as one file, taken and brought back by SQLite's own backup interface.

One step copies one moment of it: in WAL mode readers and the writer go on beside it.
https://www.sqlite.org/backup.html
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.contrib.sessions.models import Session
from django.db import connection, connections

from mailcore.backup.errors import BackupError

FILE = "database.sqlite3"
_ALIAS = "backup"


def server() -> str:
    """Return the version of the library."""
    return sqlite3.sqlite_version


def dump(directory: Path, *, look: Callable[[str], None]) -> None:
    """Write the database to FILE; `look` is called with an alias that reads the copy.

    Raises BackupError when the copy is not sound, DatabaseError, OSError.
    """
    path = directory / FILE
    for rest in directory.glob(f"{FILE}*"):
        rest.unlink()
    connection.ensure_connection()
    with closing(sqlite3.connect(path)) as copy:
        connection.connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, no other beside it
        path.chmod(0o600)
        found = copy.execute("PRAGMA integrity_check(5)").fetchall()
    if found != [("ok",)]:
        raise BackupError(f"the database is damaged: {'; '.join(row[0] for row in found)}")
    with _alias_of(path) as alias:
        with connections[alias].cursor() as cursor:
            cursor.execute("PRAGMA secure_delete=ON")
        Session.objects.using(alias).all().delete()
        look(alias)


@contextmanager
def _alias_of(path: Path) -> Iterator[str]:
    """Let the tables of a copy be asked like our own."""
    options = {**connections.settings["default"].get("OPTIONS", {})}
    options["init_command"] = "PRAGMA synchronous=FULL"
    connections.settings[_ALIAS] = {
        **connections.settings["default"],
        "NAME": str(path),
        "OPTIONS": options,
    }
    try:
        yield _ALIAS
    finally:
        connections[_ALIAS].close()
        del connections[_ALIAS]
        del connections.settings[_ALIAS]


def check_dump(directory: Path) -> None:
    """Nothing more than the digest: `dump` has checked its pages already."""


def load(directory: Path) -> None:
    """Put the copy in the place of the empty database, in one transaction of SQLite.

    Raises BackupError when somebody else writes to it, DatabaseError.
    """
    connection.ensure_connection()
    uri = f"{(directory / FILE).absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as copy:
        try:
            copy.backup(connection.connection)
        except sqlite3.OperationalError as error:
            raise BackupError(f"the database is in use, stop what runs: {error}") from error
    connection.close()
