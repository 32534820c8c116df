"""The load counts what a real server kept, no more and no less."""

from __future__ import annotations

import asyncio
import re

import pytest

from bench.load import Load, run
from tests.support.servers import free_port
from tests.support.smtp_dialogue import Running


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Running(tmp_path_factory.mktemp("smtpd")) as running:
        running.backend.kept.clear()
        yield running


def load_on(port: int, **changes) -> Load:
    given = {"sessions": 3, "size": 10_000, "seconds": 60.0, "recipients": 1, "limit": 20}
    return Load(**given | {"port": port} | changes)


@pytest.mark.parametrize("is_reusing", [False, True])
def test_every_acknowledged_message_is_kept_once(server, is_reusing):
    server.backend.kept.clear()
    result = asyncio.run(run(load_on(server.port, is_reusing=is_reusing)))
    identities = {
        field
        for kept in server.backend.kept
        for field in re.findall(rb"Message-ID: <(\S+)>", kept.content)
    }
    assert (result.accepted, len(result.latencies), result.failures) == (20, 20, [])
    assert len(server.backend.kept) == len(identities) == 20
    assert {round(len(kept.content), -2) for kept in server.backend.kept} == {10_000}


def test_recipients_take_turns(server):
    server.backend.kept.clear()
    asyncio.run(run(load_on(server.port, recipients=4, limit=8)))
    paths = [kept.envelope.forward_paths[0].address for kept in server.backend.kept]
    assert sorted(paths) == sorted([f"user{number}@hamburger.test" for number in range(4)] * 2)


def test_server_that_is_not_there_is_a_failure():
    result = asyncio.run(run(load_on(free_port(), sessions=1)))
    assert result.accepted == 0
    assert "cannot connect" in result.failures[0]
