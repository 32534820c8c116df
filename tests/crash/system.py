"""The system under test: its parts and a database as real processes, in a directory of its own.

Kills with SIGKILL and starts again. PostgreSQL is a temporary cluster with fsync on; the embedded
database is SQLite in the data directory. With an outside world it sends too and has a web server:
by `queue_runner`, or with PostgreSQL and Redis by Celery. Asks tables only what no command tells.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg

from tests.crash.away import Away
from tests.crash.broker import Broker
from tests.support.servers import Cluster, find_redis, free_port, wait_for_port
from tests.support.sources import ROOT, environment_variables

DOMAIN = "crash.test"
MAILBOXES = tuple(f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol"))
ALIASES = {
    f"away@{DOMAIN}": ("one@outside.example",),
    f"both@{DOMAIN}": (MAILBOXES[0], "two@elsewhere.example"),
    f"many@{DOMAIN}": tuple(f"{number}@outside.example" for number in range(5)),
}
_CELERY = {
    "worker": ("worker", "-Q", "deliver", "-c", "1", "--loglevel", "WARNING"),
    "beat": ("beat", "--loglevel", "WARNING"),
}
_WEB = ("--worker-class", "asgi", "--asgi-lifespan", "off", "--no-control-socket")
UNDERIVED = "SELECT count(*) FROM mailcore_content WHERE parsed_at IS NULL"
UNREADABLE = "SELECT count(*) FROM mailcore_content WHERE parse_state = 'unreadable'"
UNSENT = "SELECT count(*) FROM mailcore_queuedrecipient WHERE state = 'queued'"


class System:
    """One installation. `kind` is sqlite or postgresql; without `away` it only receives."""

    def __init__(self, directory: Path, *, kind: str, away: Away | None = None) -> None:
        self.kind = kind
        self.directory = directory
        self.away = away
        self.port = free_port()
        self.cluster = Cluster(directory / "cluster") if kind == "postgresql" else None
        has_broker = bool(away and self.cluster and find_redis())
        self.broker = Broker(directory / "redis") if has_broker else None
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.kills: list[float] = []  # of what sends, in monotonic time
        self._ports = (free_port(), free_port())
        self.web_port = free_port()
        self.passwords: dict[str, str] = {}  # by mailbox

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the processes of ours."""
        if self.away is None:
            return ("smtpd", "derive")
        return ("smtpd", "derive", "web", self.sender, *(("beat",) if self.broker else ()))

    @property
    def victims(self) -> tuple[str, ...]:
        """Return what can be killed."""
        servers = {"database": self.cluster, "broker": self.broker}
        there = [name for name, server in servers.items() if server]
        sender = [self.sender] * 2 if self.away else []  # it has the most to lose
        return (*self.parts, *sender, *there, "all")

    @property
    def sender(self) -> str:
        """Return the part that sends."""
        return "worker" if self.broker else "queue_runner"

    @property
    def leads_to(self) -> Mapping[str, Sequence[str]]:
        """Return every address that takes mail, with the mailboxes and remote addresses behind."""
        return {box: (box,) for box in MAILBOXES} | (ALIASES if self.away else {})

    def create(self) -> None:
        """Make database, domain, mailboxes and aliases. Raises CalledProcessError."""
        (self.directory / "data").mkdir(parents=True)
        if self.cluster:
            self.cluster.create()
            self.cluster.start()
        if self.broker:
            self.broker.start()
        self.manage("migrate", "--verbosity", "0")
        self.manage("create_domain", DOMAIN)
        for address in MAILBOXES:
            self.passwords[address] = self.manage("create_mailbox", address).split()[-1]
        for alias, targets in ALIASES.items() if self.away else ():
            self.manage("create_alias", alias, *targets)

    def environment(self) -> dict[str, str]:
        """Return the environment of every process: nothing of the caller's settings."""
        mine = {
            name: value
            for name, value in os.environ.items()
            if name.removesuffix("_FILE") not in environment_variables()
        }
        data = self.directory / "data"
        url = self.cluster.url if self.cluster else f"sqlite:///{data / 'casilla.sqlite3'}"
        return (
            mine
            | {
                "DJANGO_SETTINGS_MODULE": "webmail.settings",
                "DATA_DIR": str(data),
                "DATABASE_URL": url,
                "SECRET_KEY": "only-for-the-crash-test-" + "k" * 30,
                "SECRETS_KEY": "only-for-the-crash-test-" + "s" * 30,
                "ALLOWED_HOSTS": "localhost,127.0.0.1",
                "SMTP_LISTEN": f"127.0.0.1:{self.port}",
                "SUBMISSION_LISTEN": f"127.0.0.1:{self._ports[0]}",
                "SUBMISSIONS_LISTEN": f"127.0.0.1:{self._ports[1]}",
                "LIMITS_EXEMPT_NETWORKS": "127.0.0.0/8",
                "BLOB_INLINE_MAX": "8K",  # so that files are made, not rows alone
                "DISK_FREE_MIN": "64M",
                "LOG_LEVEL": "WARNING",
            }
            | self._sending()
        )

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
                    self._program(name),
                    env=self.environment(),
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    process_group=0,
                )

    def run(self) -> None:
        """Start every part and wait until mail is taken. Raises TimeoutError."""
        self.start(*self.parts)
        wait_for_port(self.port, seconds=60)

    def ended(self) -> list[str]:
        """Return the parts that ended although nobody killed them."""
        return [name for name, process in self.processes.items() if process.poll() is not None]

    def kill(self, victim: str) -> None:
        """Send SIGKILL, to everything at once for "all"; a part dies with its children."""
        names = self._names(victim)
        for name in names:
            _kill_group(self.processes[name])
        if self.cluster and victim in {"database", "all"}:
            self.cluster.kill()
        if self.broker and victim in {"broker", "all"}:
            self.broker.kill()
        for name in names:
            self.processes[name].wait()

    def restart(self, victim: str) -> None:
        """Start again what `kill` killed; parts do not wait for the database, as after a boot."""
        self.start(*self._names(victim))
        if self.cluster and victim in {"database", "all"}:
            self.cluster.start()
        if self.broker and victim in {"broker", "all"}:
            self.broker.start()

    def count(self, query: str) -> int:
        """Return the number that a query of this module gives."""
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

    def wait_until_none(self, query: str, *, seconds: float) -> int:
        """Return what the query still counts after at most `seconds`."""
        end = time.monotonic() + seconds
        while (left := self.count(query)) and time.monotonic() < end:
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
                _kill_group(process)
                process.wait()
        self.processes.clear()
        if self.broker:
            self.broker.stop()
        if self.cluster:
            self.cluster.stop()

    def _program(self, name: str) -> list[str]:
        if name == "web":
            place = f"127.0.0.1:{self.web_port}"
            return [sys.executable, "-m", "gunicorn", *_WEB, "--bind", place, "webmail.asgi"]
        return _command(name)

    def _names(self, victim: str) -> Sequence[str]:
        if victim == "all":
            return self.parts
        return (victim,) if victim in self.parts else ()

    def _sending(self) -> dict[str, str]:
        if self.away is None:
            return {}
        settings = {
            "OUTBOUND_MODE": "direct",
            "OUTBOUND_ALLOW_NETWORKS": "127.0.0.0/8",
            "SMTP_ROUTES": f"*=127.0.0.1:{self.away.port}",
            "RETRY_SCHEDULE": "1s,2s",
        }
        return settings | ({"REDIS_URL": self.broker.url} if self.broker else {})


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _command(*arguments: str) -> list[str]:
    if arguments[0] in _CELERY:
        return [sys.executable, "-m", "celery", "-A", "webmail", *_CELERY[arguments[0]]]
    return [sys.executable, str(ROOT / "manage.py"), *arguments]
