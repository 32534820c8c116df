"""Time limits, early talkers and counters of a running server (guarantees, section 3)."""

from __future__ import annotations

import time
from dataclasses import replace

from tests.support.smtp_dialogue import QUICK, Running


def test_silent_client_is_told_421_and_closed(tmp_path):
    with Running(tmp_path, limits=replace(QUICK, command_timeout_s=0.3)) as server:
        client = server.connect()
        assert client.reply() == b"421 4.4.2 You took too long\r\n"
        assert client.rest() == b""


def test_message_that_drips_is_cut_off(tmp_path):
    limits = replace(QUICK, data_rate=1000, data_rate_window_s=0.2)
    with Running(tmp_path, limits=limits) as server:
        client = server.connect()
        client.envelope()
        for _ in range(8):
            client.send(b"x")
            time.sleep(0.05)
        assert client.reply()[:9] == b"421 4.4.2"


def test_session_ends_after_its_time_whatever_the_client_does(tmp_path):
    with Running(tmp_path, limits=replace(QUICK, session_timeout_s=0.3)) as server:
        client = server.connect()
        client.ask(b"EHLO x")
        assert client.reply()[:9] == b"421 4.4.2"


def test_client_that_talks_before_the_banner_is_cut_off(tmp_path):
    with Running(tmp_path, limits=replace(QUICK, banner_delay_s=0.5)) as server:
        client = server.dial()
        client.send(b"EHLO x\r\n")
        assert client.rest() == b""


def test_messages_and_recipients_per_minute_are_450(tmp_path):
    limits = replace(QUICK, messages_per_minute=2, recipients_per_minute=1)
    with Running(tmp_path, limits=limits) as server:
        client = server.connect()
        client.ask(b"EHLO x")
        client.ask(b"MAIL FROM:<>")
        assert client.ask(b"RCPT TO:<bob@hamburger.test>")[:9] == b"250 2.1.5"
        assert client.ask(b"RCPT TO:<bob@hamburger.test>")[:9] == b"450 4.7.1"
        client.ask(b"RSET")
        assert client.ask(b"MAIL FROM:<>")[:9] == b"250 2.1.0"
        client.ask(b"RSET")
        assert client.ask(b"MAIL FROM:<>")[:9] == b"450 4.7.1"


def test_errors_are_slowed_from_the_third(tmp_path):
    with Running(tmp_path, limits=replace(QUICK, error_delay_s=0.2)) as server:
        client = server.connect()
        begun = time.monotonic()
        for _ in range(4):
            client.ask(b"XYZ")
        assert time.monotonic() - begun >= 0.4


def test_trace_tells_connection_and_refusal_but_not_of_a_silent_one(tmp_path):
    with Running(tmp_path) as server:
        server.connect().close()
        client = server.connect()
        client.ask(b"EHLO x")
        client.ask(b"MAIL FROM:<a@x.test>")
        client.ask(b"RCPT TO:<nobody@hamburger.test>")
    kinds = [(event.kind, event.forward_path, event.reply[:9]) for event in server.events]
    assert kinds[:2] == [("connected", "", ""), ("refused", "nobody@hamburger.test", "550 5.1.1")]
    assert server.events[0].trace_id == server.events[1].trace_id


def test_server_listens_on_ipv6(tmp_path):
    with Running(tmp_path, host="::1") as server:
        client = server.connect()
        client.envelope()
        client.send(b".\r\n")
        assert client.reply()[:3] == b"250"
    assert server.backend.kept[0].peer.ip == "::1"
