"""Casilla under test: `manage.py smtpd` on SQLite or on a PostgreSQL cluster of its own.

Durable as delivered: nothing is switched off but the limits per client. No derive worker: rows 1
to 4 of the targets end where the mail is stored.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg

from bench.server import DOMAIN, RECIPIENTS, end, open_log
from tests.support.servers import Cluster, free_port, wait_for_port

_ROOT = Path(__file__).resolve().parent.parent
_COUNT = "SELECT count(*) FROM mailcore_message"
_PEOPLE = f"""
from django.core.management import call_command
call_command("create_domain", "{DOMAIN}")
for number in range({RECIPIENTS}):
    call_command("create_mailbox", f"user{{number}}@{DOMAIN}")
"""


class Casilla:
    """Casilla in `directory`; with a cluster on PostgreSQL, without on SQLite."""

    def __init__(self, directory: Path, *, cluster: Cluster | None = None) -> None:
        self.name = "Casilla, PostgreSQL" if cluster else "Casilla, SQLite"
        self.port = free_port()
        self._directory = directory
        self._cluster = cluster
        self._process: subprocess.Popen[bytes] | None = None
        self._file = directory / "casilla.sqlite3"

    def start(self) -> None:
        """Make the database and its people, then the server."""
        self._directory.mkdir(parents=True)
        if self._cluster:
            self._cluster.create()
            self._cluster.start()
        self.manage("migrate", "--verbosity", "0")
        self.manage("shell", "--verbosity", "0", "--command", _PEOPLE)
        with open_log(self._directory / "log") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "smtpd"],
                cwd=_ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for_port(self.port, seconds=30)

    def stop(self) -> None:
        """Stop the server, then its database."""
        if self._process:
            end(self._process)
        if self._cluster:
            self._cluster.stop()

    def pids(self) -> list[int]:
        """Return the server and the cluster's postmaster."""
        assert self._process is not None
        return [self._process.pid, *([self._cluster.pid()] if self._cluster else [])]

    def stored_count(self) -> int:
        """Count the rows of committed messages."""
        if not self._cluster:
            with sqlite3.connect(f"file:{self._file}?mode=ro", uri=True) as lite:
                return int(lite.execute(_COUNT).fetchone()[0])
        with psycopg.connect(self._cluster.url.replace("postgres:", "postgresql:")) as database:
            row = database.execute(_COUNT).fetchone()
        return int(row[0]) if row else 0

    def last_stored_at(self, accepted_at: float) -> float:
        """Return `accepted_at`: the 250 comes after COMMIT."""
        return accepted_at

    def manage(self, *arguments: str) -> None:
        """Run a management command. Raises CalledProcessError with what it printed in the log."""
        with open_log(self._directory / "log") as log:
            subprocess.run(
                [sys.executable, "manage.py", *arguments],
                cwd=_ROOT,
                env=self._environment(),
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _environment(self) -> dict[str, str]:
        url = self._cluster.url if self._cluster else f"sqlite:///{self._file}"
        return os.environ | {
            "DATA_DIR": str(self._directory),
            "DATABASE_URL": url,
            "SECRET_KEY": "bench " * 10,
            "SECRETS_KEY": "bench " * 10,
            "SMTP_LISTEN": f"127.0.0.1:{self.port}",
            "LIMITS_EXEMPT_NETWORKS": "127.0.0.0/8",
        }
