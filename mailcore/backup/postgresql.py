"""The PostgreSQL database by its own programs: pg_dump and pg_restore, custom format.

The dump sees the snapshot of a transaction of ours, in which the list of blobs is read as well.
The programs must be as new as the server. Sign-ins of browsers (sessions) are left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction
from psycopg.conninfo import make_conninfo

from mailcore.backup.errors import BackupError

FILE = "database.pgdump"
_CONNECTION = (
    *("host", "port", "dbname", "user", "service", "passfile", "connect_timeout", "options"),
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "target_session_attrs"),
)


def server() -> str:
    """Return the version of the server, as `15.20`."""
    connection.ensure_connection()
    major, minor = divmod(connection.connection.info.server_version, 10_000)
    return f"{major}.{minor}"


def dump(directory: Path, *, look: Callable[[str], None]) -> None:
    """Write the database to FILE; `look` is called with an alias in the same snapshot.

    Raises BackupError when pg_dump is missing or fails, DatabaseError, OSError.
    """
    path = directory / FILE
    path.unlink(missing_ok=True)
    program = _program("pg_dump")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
        with _conninfo() as conninfo:
            _run(
                program,
                *("--format=custom", "--no-password"),
                *("--no-owner", "--no-privileges", "--no-comments"),
                "--exclude-table-data=*.django_session",
                f"--snapshot={snapshot}",
                f"--file={path}",
                f"--dbname={conninfo}",
            )
        path.chmod(0o600)
        look("default")


def check_dump(directory: Path) -> None:
    """Decode the dump to its end. Raises BackupError."""
    _run(_program("pg_restore"), "--file=/dev/null", str(directory / FILE))


def load(directory: Path) -> None:
    """Fill the empty database, in one transaction. Empty tables of ours are replaced.

    Raises BackupError when pg_restore is missing or fails, DatabaseError.
    """
    program = _program("pg_restore")
    with connection.schema_editor() as editor, connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            editor.execute(editor.sql_delete_table % {"table": editor.quote_name(table)})
    with _conninfo() as conninfo:
        connection.close()
        _run(
            program,
            *("--exit-on-error", "--single-transaction"),
            *("--no-owner", "--no-privileges", "--no-password"),
            f"--dbname={conninfo}",
            str(directory / FILE),
        )


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(
            f"{name} is not here: install PostgreSQL's client programs, as new as the server"
            f" ({server()}); on Debian the package postgresql-client"
        )
    return found


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [program, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().replace("\n", "; ")
        raise BackupError(f"{Path(program).name} failed: {said[:2000]}")


@contextmanager
def _conninfo() -> Iterator[str]:
    """Give where and as whom to connect; the password is in a file that only we can read."""
    given = connection.get_connection_params()
    # Not those of the open connection: the library in Python is newer and has more of them.
    kept = {name: str(given[name]) for name in _CONNECTION if given.get(name)}
    with tempfile.TemporaryDirectory() as directory:
        if given.get("password"):
            kept["passfile"] = _passfile(Path(directory) / "pgpass", str(given["password"]))
        yield make_conninfo(**kept)


def _passfile(path: Path, password: str) -> str:
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"*:*:*:*:{escaped}\n")
    return str(path)
