"""Hostile clients on the wire: guarantees G9, G10 and G12 (tests/support/hostile_dialogues.py)."""

from __future__ import annotations

import contextlib
import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.hostile_dialogues import DATA, Dialogue, all_dialogues
from tests.support.smtp_dialogue import QUICK, REPLY, Running

DIALOGUES = all_dialogues()
ANSWERS = re.compile(rb"(?:%s)*" % REPLY.pattern)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Running(tmp_path_factory.mktemp("smtpd")) as running:
        yield running


def exchange(server: Running, octets: bytes) -> bytes:
    """Greet, send everything, say no more, and return all replies."""
    client = server.connect()
    client.send(octets)
    with contextlib.suppress(OSError):
        client.socket.shutdown(socket.SHUT_WR)
    heard = client.greeting + client.rest()
    client.close()
    return heard


def rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue.name)
def test_hostile_client_gets_grammatical_replies_and_harms_nobody(server, dialogue: Dialogue):
    server.backend.kept.clear()
    before = rss_bytes()
    bystander = server.connect()
    heard = exchange(server, dialogue.octets)
    assert ANSWERS.fullmatch(heard), heard[-600:]
    assert max(len(line) for line in heard.splitlines(keepends=True)) <= 512
    assert all(code in heard for code in dialogue.codes), heard[-600:]
    assert len(server.backend.kept) == dialogue.kept
    assert bystander.ask(b"EHLO honest.test")[:3] == b"250"
    bystander.close()
    assert rss_bytes() - before < 32 * 2**20


def test_there_are_enough_of_them_and_each_has_a_name():
    assert len(DIALOGUES) >= 150
    assert len({dialogue.name for dialogue in DIALOGUES}) == len(DIALOGUES)


def test_two_hundred_held_connections_leave_a_new_client_served(tmp_path):
    limits = replace(QUICK, connections_per_client=20)
    with Running(tmp_path, limits=limits) as server:
        held = [server.connect() for _ in range(200)]
        refused = [client for client in held if client.greeting[:9] == b"421 4.3.2"]
        assert len(refused) == 180
        held[0].close()
        client = server.connect()
        while client.greeting[:3] != b"220":
            client.close()
            client = server.connect()
        client.envelope()


def test_floods_of_content_on_many_connections_stay_within_memory(tmp_path):
    with Running(tmp_path) as server:
        exchange(server, DATA + b"x" * 100_000)
        before = rss_bytes()
        clients = [server.connect() for _ in range(60)]
        for client in clients:
            client.send(DATA)
        for _ in range(3):
            for client in clients:
                client.send(b"y" * 60_000)
        used = rss_bytes() - before
    assert used < 60 * 512 * 1024
