"""A server on a free port, Alice and Bob of hamburger.test behind it; a host outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from mailcore.directory import resolve
from mailcore.queue.audit import audit
from mailcore.smtpd.backend import DeliveryBackend
from mailcore.smtpd.limits import Limits
from tests.support.fake_mta import FakeMta
from tests.support.people import Person, make_alice, make_bob
from tests.support.receiving import LIMITS, Mx
from tests.support.sending import Outside, one_host
from tests.support.submitting import Submission

StartMx = Callable[..., Mx]
StartSubmission = Callable[..., Submission]


@pytest.fixture
def quick_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Django delete rows after a test instead of truncating every table.

    On PostgreSQL a TRUNCATE of all tables takes longer than most of these tests.
    """

    def deletions(style: object, tables: Sequence[str], **_: object) -> list[str]:
        return [f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables]

    monkeypatch.setattr(connection.ops, "sql_flush", deletions)


@pytest.fixture
def ground(
    quick_flush: None, transactional_db: None, settings: Any, tmp_path: Path
) -> Iterator[None]:
    """An empty database and blob store, whatever room the disk has."""
    settings.DATA_DIR = tmp_path
    settings.DISK_FREE_MIN = 0
    settings.CASILLA_HOSTNAME = "mx.hamburger.test"
    resolve.forget()
    yield
    resolve.forget()
    # Whatever a scenario was about: nothing that was accepted is lost or in two places. A moment
    # long ago, because clocks of tests differ: then no lease is overdue and no event too old.
    assert [str(breach) for breach in audit(now=datetime(2000, 1, 1, tzinfo=UTC))] == []


@pytest.fixture
def start_mx(ground: None, tmp_path: Path) -> Iterator[StartMx]:
    """Start a server with limits or a backend of the test's own."""
    with ExitStack() as running:

        def start(*, limits: Limits = LIMITS, backend: DeliveryBackend | None = None) -> Mx:
            mx = Mx(tmp_path, limits=limits, backend=backend)
            running.enter_context(mx)
            return mx

        yield start


@pytest.fixture
def mx(start_mx: StartMx) -> Mx:
    return start_mx()


@pytest.fixture
def start_submission(ground: None, tmp_path: Path, settings: Any) -> Iterator[StartSubmission]:
    """Start a server with all three doors, with a backend of the test's own."""
    settings.OUTBOUND_MODE = "direct"
    with ExitStack() as running:

        def start(**options: Any) -> Submission:
            made = Submission(tmp_path, **options)
            running.enter_context(made)
            return made

        yield start


@pytest.fixture
def submission(start_submission: StartSubmission) -> Submission:
    return start_submission()


@pytest.fixture
def alice(ground: None) -> Person:
    return make_alice()


@pytest.fixture
def bob(ground: None) -> Person:
    return make_bob()


@pytest.fixture
def postgresql(ground: None) -> None:
    """Only where one mailbox can be locked, or one table taken away, without the others."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one lock for all")


@pytest.fixture
def lock_timeout(ground: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let connections made from now on give up soon when SQLite is locked."""
    if connection.vendor == "sqlite":
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.2)


@pytest.fixture
def mta(ground: None, settings: Any) -> Iterator[FakeMta]:
    """A good host outside, at 127.0.0.1 on the port of all hosts."""
    with FakeMta() as host:
        settings.OUTBOUND_MODE = "direct"
        settings.OUTBOUND_PORT = host.port
        settings.OUTBOUND_ALLOW_NETWORKS = (ip_network("127.0.0.0/8"),)
        yield host


@pytest.fixture
def outside(mta: FakeMta) -> Iterator[Outside]:
    """The domains remote.test and other.test, whose mail that host takes."""
    with Outside(one_host("remote.test", "other.test")) as world:
        yield world
