"""The web process and its PostgreSQL: few connections for many requests; none stale for long."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests.support.machines import Machine
from tests.support.servers import Cluster, find_postgresql_bin
from tests.support.web import build, running_web

pytestmark = [pytest.mark.slow]
# A session that is none: the page looks it up and leads to signing in.
_COOKIE = {"Cookie": f"session={'x' * 32}"}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    if connection.vendor != "postgresql":
        pytest.skip("of PostgreSQL")
    if find_postgresql_bin() is None:
        pytest.skip("no initdb")
    with tempfile.TemporaryDirectory(prefix="casilla-web-", dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        made = Cluster(Path(directory) / "cluster")
        made.create()
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _ask(url: str) -> int:
    try:
        with urlopen(Request(f"{url}/mail/", headers=_COOKIE), timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def _connections(cluster: Cluster) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    with psycopg.connect(cluster.url.replace("postgres:", "postgresql:")) as server:
        row = server.execute(query).fetchone()
    return int(row[0]) - 1 if row else 0


def test_many_requests_share_connections_which_a_restart_makes_stale(cluster, tmp_path):
    keys = {"SECRET_KEY": settings.SECRET_KEY, "SECRETS_KEY": settings.SECRETS_KEY}
    Machine(tmp_path, database_url=cluster.url, **keys).tell("migrate")
    build(tmp_path)
    with running_web(tmp_path, DATABASE_URL=cluster.url) as url, ThreadPoolExecutor(60) as crowd:
        assert set(crowd.map(_ask, [url] * 200)) == {200}
        assert 1 <= _connections(cluster) <= 40
        cluster.kill()
        assert _ask(url) == 500
        cluster.start()
        assert set(crowd.map(_ask, [url] * 200)) == {200}
