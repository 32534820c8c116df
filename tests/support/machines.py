"""Machines of their own: data and a database that only commands touch; this test's or empty."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection

from tests.support.sources import ROOT, environment_variables

# The checks of URLs and models cost half the time of a command, and have tests of their own.
_UNCHECKED = ("--skip-checks",)


class Machine:
    """Runs `manage.py` with data of its own; without keys among the variables it makes some."""

    def __init__(self, directory: Path, *, database_url: str = "", **variables: str) -> None:
        kept = {k: v for k, v in os.environ.items() if k not in environment_variables()}
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        self.data = directory
        self.environment = kept | variables | {"DATA_DIR": str(directory), "LOG_LEVEL": "ERROR"}
        if database_url:
            self.environment |= {"DATABASE_URL": database_url, "ALLOWED_HOSTS": "localhost"}

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command and return what became of it."""
        return subprocess.run(
            [sys.executable, "manage.py", *map(str, arguments), *_UNCHECKED],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def tell(self, *arguments: str | Path) -> str:
        """Run a command that must succeed and return what it printed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout


def this_machine() -> Machine:
    """Return the system that the running test fills: its database, its data, its keys."""
    name = str(connection.settings_dict["NAME"])
    url = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        url = _with_name(os.environ["TEST_DATABASE_URL"], name)
    keys = {"SECRET_KEY": settings.SECRET_KEY, "SECRETS_KEY": settings.SECRETS_KEY}
    return Machine(settings.DATA_DIR, database_url=url, **keys)


@contextmanager
def another_machine(directory: Path) -> Iterator[Machine]:
    """Give an empty machine with the kind of database and the keys that this test run has."""
    keys = {"SECRET_KEY": settings.SECRET_KEY, "SECRETS_KEY": settings.SECRETS_KEY}
    if connection.vendor != "postgresql":
        yield Machine(directory, **keys)
        return
    with empty_database() as url:
        yield Machine(directory, database_url=url, **keys)


@contextmanager
def empty_database() -> Iterator[str]:
    """Give the URL of a new database on the server of the tests; it is dropped afterwards."""
    url = os.environ["TEST_DATABASE_URL"].replace("postgres://", "postgresql://")
    name = f"casilla_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
        try:
            yield _with_name(os.environ["TEST_DATABASE_URL"], name)
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _with_name(url: str, name: str) -> str:
    """Return the URL of a neighbour database: `postgres://host/old?x=y` with another path."""
    head, mark, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}{mark}{query}"
