"""The sink counts what a real client was told is taken, repeats by themselves."""

from __future__ import annotations

import smtplib
import socket

import pytest

from bench.sink import Sink
from tests.support.servers import free_port


@pytest.fixture
def sink():
    with Sink(free_port()) as running:
        yield running


def test_messages_and_repeats_are_counted(sink):
    with smtplib.SMTP("127.0.0.1", sink.port, "client.test") as client:
        for number in (1, 2, 2):
            octets = f"Message-ID: <{number}@client.test>\r\n\r\n..\r\n.\r\nend\r\n"
            client.sendmail("a@client.test", ["b@sink.test"], octets)
        assert sink.count().connections == 1
    count = sink.count()
    assert (count.messages, count.different) == (3, 2)
    assert 0 < count.first_at <= count.last_at


def test_pipelined_messages_are_counted_however_they_are_cut(sink):
    envelope = b"MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n"
    one = envelope + b"Message-ID: <%d@b>\r\n\r\nx\r\n.\r\n"
    empty = envelope + b".\r\n"
    octets = b"EHLO b.test\r\n" + one % 1 + empty + one % 2 + b"QUIT\r\n"
    for size in (1, 7, len(octets)):
        with socket.create_connection(("127.0.0.1", sink.port), timeout=10) as line:
            for start in range(0, len(octets), size):
                line.sendall(octets[start : start + size])
            while line.recv(65536):
                pass
    count = sink.count()
    assert (count.messages, count.different) == (9, 3)
