"""The system under test: smtpd, derive and a database as real processes, in a directory of its own.

Kills with SIGKILL and starts again. PostgreSQL is a temporary cluster with fsync on; the embedded
database is SQLite in the data directory. Asks tables only what no command tells.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from tests.support.servers import Cluster, free_port, wait_for_port
from tests.support.sources import ROOT, environment_variables

DOMAIN = "crash.test"
MAILBOXES = tuple(f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol"))
PARTS = ("smtpd", "derive")
_UNFINISHED = "SELECT count(*) FROM mailcore_content WHERE parsed_at IS NULL"
_UNREADABLE = "SELECT count(*) FROM mailcore_content WHERE parse_state = 'unreadable'"


class System:
    """One installation. `kind` is sqlite or postgresql."""

    def __init__(self, directory: Path, *, kind: str) -> None:
        self.kind = kind
        self.directory = directory
        self.port = free_port()
        self.cluster = Cluster(directory / "cluster") if kind == "postgresql" else None
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def victims(self) -> tuple[str, ...]:
        """Return what can be killed."""
        return (*PARTS, *(["database"] if self.cluster else []), "all")

    def create(self) -> None:
        """Make database, domain and mailboxes. Raises CalledProcessError."""
        (self.directory / "data").mkdir(parents=True)
        if self.cluster:
            self.cluster.create()
            self.cluster.start()
        self.manage("migrate", "--verbosity", "0")
        self.manage("create_domain", DOMAIN)
        for address in MAILBOXES:
            self.manage("create_mailbox", address)

    def environment(self) -> dict[str, str]:
        """Return the environment of every process: nothing of the caller's settings."""
        mine = {
            name: value
            for name, value in os.environ.items()
            if name.removesuffix("_FILE") not in environment_variables()
        }
        data = self.directory / "data"
        url = self.cluster.url if self.cluster else f"sqlite:///{data / 'casilla.sqlite3'}"
        return mine | {
            "DJANGO_SETTINGS_MODULE": "webmail.settings",
            "DATA_DIR": str(data),
            "DATABASE_URL": url,
            "SECRET_KEY": "only-for-the-crash-test-" + "k" * 30,
            "SECRETS_KEY": "only-for-the-crash-test-" + "s" * 30,
            "ALLOWED_HOSTS": "localhost",
            "SMTP_LISTEN": f"127.0.0.1:{self.port}",
            "LIMITS_EXEMPT_NETWORKS": "127.0.0.0/8",
            "BLOB_INLINE_MAX": "8K",  # so that files are made, not rows alone
            "DISK_FREE_MIN": "64M",
            "LOG_LEVEL": "WARNING",
        }

    def manage(self, *arguments: str) -> str:
        """Run a management command; return what it printed. Raises CalledProcessError."""
        done = subprocess.run(
            _command(*arguments),
            env=self.environment(),
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=300,
            text=True,
        )
        return done.stdout

    def start(self, *names: str) -> None:
        """Start these parts; does not wait for them."""
        for name in names:
            with (self.directory / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    _command(name),
                    env=self.environment(),
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    process_group=0,
                )

    def run(self) -> None:
        """Start every part and wait until mail is taken. Raises TimeoutError."""
        self.start(*PARTS)
        wait_for_port(self.port, seconds=60)

    def ended(self) -> list[str]:
        """Return the parts that ended although nobody killed them."""
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def kill(self, victim: str) -> None:
        """Send SIGKILL, to everything at once for "all"."""
        names = _names(victim)
        for name in names:
            self.processes[name].kill()
        if self.cluster and victim in {"database", "all"}:
            self.cluster.kill()
        for name in names:
            self.processes[name].wait()

    def restart(self, victim: str) -> None:
        """Start again what `kill` killed; parts do not wait for the database, as after a boot."""
        self.start(*_names(victim))
        if self.cluster and victim in {"database", "all"}:
            self.cluster.start()

    def count(self, *, unreadable: bool) -> int:
        """Return how many contents could not be read, or else how many wait for derivation."""
        query = _UNREADABLE if unreadable else _UNFINISHED
        if self.cluster:
            with psycopg.connect(self.cluster.url.replace("postgres:", "postgresql:")) as server:
                row = server.execute(query).fetchone()
        else:
            file = sqlite3.connect(self.directory / "data" / "casilla.sqlite3", timeout=30)
            try:
                row = file.execute(query).fetchone()
            finally:
                file.close()
        return int(row[0]) if row else 0

    def wait_until_derived(self, *, seconds: float) -> int:
        """Return how many contents still wait for derivation after at most `seconds`."""
        end = time.monotonic() + seconds
        while (left := self.count(unreadable=False)) and time.monotonic() < end:
            time.sleep(0.1)
        return left

    def close(self) -> None:
        """End every process."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()
        if self.cluster:
            self.cluster.stop()


def _names(victim: str) -> Sequence[str]:
    if victim == "all":
        return PARTS
    return (victim,) if victim in PARTS else ()


def _command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]
