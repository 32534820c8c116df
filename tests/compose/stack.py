"""The running stack as the person who looks after it has it: `docker compose` in its directory.

Every call raises CalledProcessError, with what was printed, when a command fails.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.crash.ledger import Copy

HOSTNAME = "mail.lab.test"
AWAY_PORT = 20025
PROJECT = os.environ.get("COMPOSE_PROJECT_NAME", "casilla")
_MARKER = re.compile(rb"^X-Marker: (\S+)\r$", re.MULTILINE)
_UNITS = {"B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "KB": 1000, "MB": 10**6, "GB": 10**9}


def say(line: str) -> None:
    """Print a line of the report at once."""
    sys.stdout.write(f"[probe] {line}\n")
    sys.stdout.flush()


class Stack:
    """The project in `directory`; `scratch` is where its exports and backups go."""

    def __init__(self, directory: Path, scratch: Path) -> None:
        self.directory = directory
        self.scratch = scratch
        # The system's own uid writes here; a bind mount knows no other owner.
        scratch.chmod(0o777)

    def compose(self, *words: str, given: str | None = None, environment: Any = None) -> str:
        """Run `docker compose`; return what it printed."""
        done = subprocess.run(
            ["docker", "compose", *words],
            cwd=self.directory,
            env=os.environ | (environment or {}),
            input=given,
            stdin=None if given is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=1200,
        )
        if done.returncode:
            say(f"docker compose {' '.join(words)}: {done.stdout}{done.stderr}")
            done.check_returncode()
        return done.stdout

    def up(self, *words: str, **environment: str) -> float:
        """Bring everything up; return the seconds until all were healthy."""
        begun = time.monotonic()
        self.compose("up", "-d", "--wait", "--wait-timeout", "240", *words, environment=environment)
        return time.monotonic() - begun

    def manage(self, *words: str, given: str | None = None) -> str:
        """Run a management command where mail is received."""
        return self.compose("exec", "-T", "smtp", "python", "manage.py", *words, given=given)

    def run_once(self, *words: str) -> str:
        """Run a management command in a container of its own, with the scratch place."""
        place = f"{self.scratch}:/scratch"
        return self.compose(
            *("run", "--rm", "--no-deps", "-T", "-v", place),
            *("migrate", "python", "manage.py", *words),
        )

    def count(self, query: str) -> int:
        """Return the number that a query gives."""
        words = ("psql", "-U", "casilla", "-tAc", query)
        return int(self.compose("exec", "-T", "postgres", *words))

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """Return what `docker inspect` tells of the containers, of one service or of all."""
        names = self.compose("ps", "-a", "-q", *([service] if service else [])).split()
        return list(json.loads(_docker("inspect", *names)))

    def kill(self, service: str) -> list[float]:
        """Send SIGKILL to the first process of each container; the engine starts them again.

        Returns the moments at which each was killed and was gone, with all its children.
        """
        moments = []
        for container in self.containers(service):
            moments.append(time.monotonic())
            _kill(container["State"]["Pid"], container["Id"])
            moments.append(time.monotonic())
        return moments

    def wait_until_healthy(self, *, seconds: float = 180) -> None:
        """Return when each service that stays is healthy. Raises AssertionError."""
        ends = time.monotonic() + seconds
        while unwell := [_name(one) for one in self.containers() if not _is_well(one)]:
            assert time.monotonic() < ends, f"not healthy: {unwell}"
            time.sleep(1)

    def export(self, address: str) -> str:
        """Return a mailbox as lines of JSON."""
        path = self.scratch / "export.jsonl"
        path.unlink(missing_ok=True)
        self.run_once("export_mailbox", address, "--format", "jsonl", f"/scratch/{path.name}")
        return path.read_text()

    def copies(self, address: str) -> Iterator[Copy]:
        """Yield the messages of a mailbox as the crash test's ledger judges them."""
        for line in self.export(address).splitlines():
            message = json.loads(line)
            raw = base64.b64decode(message["raw"])
            marker = _MARKER.search(raw)
            if marker:
                # Our trace fields stand before the first field of the mail.
                blob = raw[raw.index(b"From: Load ") :]
                yield Copy(marker[1].decode(), message["sha256"], blob)

    def memory(self) -> dict[str, int]:
        """Return the octets that each container has in memory now."""
        lines = _docker("stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}").splitlines()
        found = dict(line.split("\t") for line in lines if line.startswith(f"{PROJECT}-"))
        return {name: _octets(usage.split("/")[0].strip()) for name, usage in found.items()}

    def forget_scratch(self) -> None:
        """Remove what was written; containers write as a user of their own."""
        with suppress(OSError):
            shutil.rmtree(self.scratch)


def _docker(*words: str) -> str:
    return subprocess.run(
        ["docker", *words], check=True, capture_output=True, text=True, timeout=120
    ).stdout


def _kill(pid: int, container: str) -> None:
    """Kill from outside, so that the engine takes it for a crash; without the right, ask it."""
    try:
        if pid:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError:
        _docker("kill", container)
        _docker("start", container)
        return
    # The first process of a container is gone when all others of it are.
    ends = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < ends:
        time.sleep(0.005)


def _name(container: dict[str, Any]) -> str:
    labels: dict[str, str] = container["Config"]["Labels"]
    return f"{labels['com.docker.compose.service']} {container['State']['Status']}"


def _is_well(container: dict[str, Any]) -> bool:
    state = container["State"]
    if "Health" not in state:
        return bool(state["Status"] == "exited" and state["ExitCode"] == 0)
    return bool(state["Health"]["Status"] == "healthy" and state["Status"] == "running")


def _octets(text: str) -> int:
    number, unit = re.match(r"([\d.]+)(\w+)", text).groups()  # type: ignore[union-attr]
    return int(float(number) * _UNITS[unit.upper()])
