"""Servers that a test run needs: a PostgreSQL cluster of its own, Redis, Chromium, free ports.

`python -m tests.support.servers postgresql|redis|chromium` prints where one is found or exits 1;
`start DIR` and `stop DIR` run a temporary cluster. Servers of the machine are asked, not changed.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

USER = "casilla"
_PORTS_FIRST, _PORTS_LAST = 10_000, 32_768


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing uses now.

    It lies below the ports that Linux gives to clients and to who asks for any: a server that takes
    seconds to start would else find its port given away to the tests that run beside it.
    """
    while True:
        port = _PORTS_FIRST + secrets.randbelow(_PORTS_LAST - _PORTS_FIRST)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for_port(port: int, *, seconds: float = 15.0, host: str = "127.0.0.1") -> None:
    """Return when a connection to `port` is accepted. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {host}:{port} after {seconds} s")


def find_chromium() -> str | None:
    """Return the path of a Chromium or Chrome on PATH, the one without windows first."""
    names = (
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    )
    return next((path for name in names if (path := shutil.which(name))), None)


def find_redis() -> str | None:
    """Return the path of redis-server on PATH."""
    return shutil.which("redis-server")


def find_postgresql_bin() -> Path | None:
    """Return the directory of initdb and postgres, the newest version of Debian's layout first."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(found, key=lambda path: float(re.sub(r"[^\d.]", "", path.parts[4]) or 0))
    if newest:
        return newest[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def find_postgresql() -> str | None:
    """Return the URL of a server that lets us make databases: TEST_DATABASE_URL or a local one."""
    given = os.environ.get("TEST_DATABASE_URL", "")
    me = pwd.getpwuid(os.getuid()).pw_name
    local = [
        f"postgres:///postgres?host=/var/run/postgresql&user={me}",
        f"postgres://{me}@127.0.0.1:5432/postgres",
        "postgres://postgres@127.0.0.1:5432/postgres",
    ]
    candidates = [given] if given else local
    return next((url for url in candidates if _may_create(url)), None)


def _may_create(url: str) -> bool:
    try:
        with psycopg.connect(url.replace("postgres://", "postgresql://"), connect_timeout=3) as db:
            row = db.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])


class Cluster:
    """A PostgreSQL server of its own in `directory`, durable (fsync on), on loopback.

    As root it runs as an unprivileged user, because PostgreSQL refuses root.
    """

    def __init__(self, directory: Path, *, port: int = 0) -> None:
        binaries = find_postgresql_bin()
        if binaries is None:
            raise FileNotFoundError("no initdb: install the package postgresql")
        self.binaries = binaries
        self.directory = directory
        self.data = directory / "data"
        self.port = port or free_port()
        self.user = "postgres" if os.getuid() == 0 else None
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the URL for DATABASE_URL; the database is named postgres."""
        return f"postgres://{USER}@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        """Make the cluster. Raises CalledProcessError."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.user:
            shutil.chown(self.directory, self.user)
        self.directory.chmod(0o755)
        options = [*("-U", USER), *("-A", "trust"), *("-E", "UTF8"), "--locale=C.UTF-8"]
        subprocess.run(
            [self.binaries / "initdb", "-D", self.data, *options],
            **self._as_user(),
            check=True,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Start the server and wait until it takes a query. Raises TimeoutError."""
        settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=64MB")
        with (self.directory / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [
                    self.binaries / "postgres",
                    *("-D", self.data, "-p", str(self.port)),
                    *(word for setting in settings for word in ("-c", setting)),
                ],
                **self._as_user(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def pid(self) -> int:
        """Return the server's process id. Raises FileNotFoundError when it does not run."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """Kill every process of the server at once, as a power cut would (SIGKILL)."""
        pid = self.pid()
        backends = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, backends)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        for one in (pid, *map(int, backends)):
            self._wait_gone(one)

    def stop(self) -> None:
        """Stop the server; clients are cut off. Does nothing when it does not run."""
        try:
            pid = self.pid()
            os.kill(pid, signal.SIGINT)
        except (FileNotFoundError, ProcessLookupError):
            return
        self._wait_gone(pid)

    def _as_user(self) -> dict[str, Any]:
        if not self.user:
            return {}
        return {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []}

    def _wait(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if _may_create(self.url):
                return
            time.sleep(0.1)
        raise TimeoutError(f"PostgreSQL does not start, see {self.directory / 'log'}")

    def _wait_gone(self, pid: int) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self._server and self._server.pid == pid:
                self._server.poll()  # reaps it
            if not Path(f"/proc/{pid}").exists():
                return
            time.sleep(0.05)
        raise TimeoutError(f"process {pid} does not end")


def main(arguments: list[str]) -> int:
    """Carry out the command line of the scripts; see the module's docstring."""
    match arguments:
        case ["postgresql"]:
            found = find_postgresql()
        case ["chromium"]:
            found = find_chromium()
        case ["redis"]:
            found = find_redis()
        case ["start", directory]:
            cluster = Cluster(Path(directory))
            cluster.create()
            cluster.start()
            found = cluster.url
        case ["stop", directory]:
            Cluster(Path(directory)).stop()
            shutil.rmtree(directory, ignore_errors=True)
            return 0
        case _:
            found = None
    if found:
        sys.stdout.write(f"{found}\n")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
