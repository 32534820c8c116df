"""A few crash rounds on the kind of database that this run of the suite uses.

The time to the next accept is judged by `make crash` alone: the suite shares its machine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.crash.__main__ import run_rounds
from tests.support.servers import find_postgresql_bin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
ROUNDS = 3


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that PostgreSQL's user may enter; pytest's own ones are closed to others."""
    with tempfile.TemporaryDirectory(prefix="casilla-crash-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_no_acknowledged_mail_is_lost_or_doubled_by_kills(open_directory):
    if connection.vendor == "postgresql" and find_postgresql_bin() is None:
        pytest.skip("no initdb to make a cluster with")
    reports = run_rounds(open_directory, kind=connection.vendor, rounds=ROUNDS, seed=7, most=60)
    assert [report.violations for report in reports] == [[]] * ROUNDS
    assert all(report.kills for report in reports)
    assert sum(report.counts["mails"] for report in reports) > ROUNDS


def test_what_leaves_is_neither_lost_nor_repeated_without_need_by_kills(open_directory):
    if connection.vendor == "postgresql" and find_postgresql_bin() is None:
        pytest.skip("no initdb to make a cluster with")
    [report] = run_rounds(
        open_directory,
        kind=connection.vendor,
        rounds=1,
        seed=11,
        most=60,
        is_sending=True,
        victims=lambda system: [system.sender, *(["broker"] if system.broker else []), "all"],
    )
    assert report.violations == []
    assert report.counts["sent"] > 0
