"""An installation of Casilla for the bench: database, settings, commands, processes.

Durable as delivered: nothing is switched off but the limits per client.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg

from bench.server import end, open_log
from tests.support.servers import Cluster

_ROOT = Path(__file__).resolve().parent.parent


class Installation:
    """Casilla in `directory`; with a cluster on PostgreSQL, without on SQLite."""

    def __init__(
        self, directory: Path, *, cluster: Cluster | None, settings: Mapping[str, str]
    ) -> None:
        self.database = "PostgreSQL" if cluster else "SQLite"
        self.directory = directory
        self._cluster = cluster
        self._settings = settings
        self._file = directory / "casilla.sqlite3"
        self._note = directory / "contents"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def create(self) -> None:
        """Make the database and its tables."""
        self.directory.mkdir(parents=True)
        if self._cluster:
            self._cluster.create()
            self._cluster.start()
        self.manage("migrate", "--verbosity", "0")

    def reopen(self, *, contents: str) -> bool:
        """Start what an earlier bench has filled with `contents`; False, and nothing left, if not.

        A database of an older version is migrated.
        """
        places = [self.directory, *([self._cluster.directory] if self._cluster else [])]
        if not self._note.exists() or self._note.read_text() != contents:
            for place in places:
                shutil.rmtree(place, ignore_errors=True)
            return False
        if self._cluster:
            self._cluster.start()
        self.manage("migrate", "--verbosity", "0")
        return True

    def finish(self, *, contents: str) -> None:
        """Note that the database is filled, for `reopen`."""
        self._note.write_text(contents)

    def stop(self) -> None:
        """Stop every process, then the database."""
        for name in list(self._processes):
            self.end(name)
        if self._cluster:
            self._cluster.stop()

    def run(self, name: str) -> None:
        """Start a management command as a process; does not wait for it."""
        self.execute(name, sys.executable, "manage.py", name)

    def execute(self, name: str, *command: str) -> None:
        """Start a program as a process called `name`; does not wait for it."""
        with open_log(self.directory / "log") as log:
            self._processes[name] = subprocess.Popen(
                command,
                cwd=_ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def end(self, name: str) -> None:
        """End what `run` started."""
        end(self._processes.pop(name))

    def running(self) -> list[str]:
        """Return the names of what runs."""
        return list(self._processes)

    def pids(self) -> list[int]:
        """Return the processes that run and the cluster's postmaster."""
        running = [process.pid for process in self._processes.values()]
        return [*running, *([self._cluster.pid()] if self._cluster else [])]

    def number(self, query: str) -> int:
        """Return the one number that a query gives."""
        if not self._cluster:
            with sqlite3.connect(f"file:{self._file}?mode=ro", uri=True) as lite:
                return int(lite.execute(query).fetchone()[0])
        with psycopg.connect(self._cluster.url.replace("postgres:", "postgresql:")) as database:
            row = database.execute(query).fetchone()
        return int(row[0]) if row else 0

    def manage(self, *arguments: str) -> None:
        """Run a management command. Raises CalledProcessError with what it printed in the log."""
        with open_log(self.directory / "log") as log:
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
        mine = {
            "DATA_DIR": str(self.directory),
            "DATABASE_URL": url,
            "SECRET_KEY": "bench " * 10,
            "SECRETS_KEY": "bench " * 10,
            "LIMITS_EXEMPT_NETWORKS": "127.0.0.0/8",
        }
        around = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
        return {**around, **mine, **self._settings}
