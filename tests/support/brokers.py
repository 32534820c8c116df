"""A Redis of its own and Celery processes on it, against the database of the test.

Nothing of the machine's own servers is asked or changed; every process ends with the fixture.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection

from tests.support.servers import find_redis, free_port, wait_for_port
from tests.support.sources import ROOT, environment_variables

_STOP_S = 30.0


@contextmanager
def running_redis(directory: Path) -> Iterator[str]:
    """Run a Redis that keeps nothing on disk; give its URL."""
    port = free_port()
    options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": directory}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    program = find_redis()
    assert program is not None
    with (
        (directory / "redis.log").open("ab") as log,
        _ended(
            subprocess.Popen([program, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        ),
    ):
        wait_for_port(port)
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def running_celery(
    *words: str, url: str, directory: Path, more: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `celery -A webmail` with these words until the block ends."""
    command = [sys.executable, "-m", "celery", "-A", "webmail", *words]
    log = (directory / f"celery-{words[0]}.log").open("ab")
    environment = child_environment(directory) | {"REDIS_URL": url} | more
    with (
        log,
        _ended(
            subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        ) as process,
    ):
        yield process


def flush(url: str) -> None:
    """Make Redis forget everything."""
    with redis.Redis.from_url(url) as client:
        client.flushall()


def wait_for_worker(url: str, *, seconds: float = 40) -> None:
    """Return when a worker waits for messages."""
    ends = time.monotonic() + seconds
    with redis.Redis.from_url(url) as client:
        while not any(one["cmd"] == "brpop" for one in client.client_list()):
            assert time.monotonic() < ends, "no worker waits"
            time.sleep(0.1)


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def child_environment(directory: Path) -> dict[str, str]:
    """Return the environment of a process that shares the database of the test."""
    mine = {name: v for name, v in os.environ.items() if name not in environment_variables()}
    mine.pop("DJANGO_SETTINGS_MODULE", None)
    return mine | {
        "DATABASE_URL": _database_url(),
        "DATA_DIR": str(directory),
        "SECRET_KEY": settings.SECRET_KEY,
        "SECRETS_KEY": settings.SECRETS_KEY,
        "ALLOWED_HOSTS": "localhost",
        "LOG_LEVEL": "INFO",
    }


def _database_url() -> str:
    """Return the database that the test itself uses."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    login = ":".join(filter(None, (found["USER"], found["PASSWORD"])))
    host = f"{found['HOST']}:{found['PORT']}".rstrip(":")
    at = f"{login}@" if login else ""
    return f"postgres://{at}{host}/{found['NAME']}"
