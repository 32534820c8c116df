"""A proxy that we trust says who is there; strangers who claim the same are cut off."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from mailcore.smtpd.service import Service
from tests.support.proxies import SIGNATURE, v1, v2
from tests.support.smtp_dialogue import QUICK, Client, Running

# Clients here hang up after the server, which would wait for them.
LIMITS = replace(QUICK, proxy_silence_s=0.3, proxy_header_s=0.5, stop_timeout_s=0.1)
HERE = "127.0.0.0/8"
ALL = (Service.RELAY, Service.SUBMISSION, Service.SUBMISSIONS)


@pytest.fixture(params=["uvloop", "asyncio"])
def server(request, tmp_path):
    with Running(
        tmp_path,
        limits=LIMITS,
        proxies=HERE,
        services=ALL,
        submission_backend=object(),
        use_uvloop=request.param == "uvloop",
    ) as running:
        yield running


def send(client: Client) -> None:
    client.envelope()
    client.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
    assert client.reply()[:3] == b"250"


@pytest.mark.parametrize("header", [v1("203.0.113.7", 4711), v2("203.0.113.7", 4711)])
def test_the_clients_address_is_that_of_the_header(server, header):
    client = server.dial()
    client.send(header)
    assert client.reply()[:3] == b"220"
    send(client)
    client.ask(b"RCPT TO:<x@elsewhere.example>")
    (kept,) = server.backend.kept
    assert (kept.peer.ip, kept.peer.port) == ("203.0.113.7", 4711)
    assert {event.peer for event in server.events} <= {"203.0.113.7"}


def test_a_header_may_come_in_pieces(server):
    client = server.dial()
    for octet in v2("2001:db8::7", 4711):
        client.send(bytes([octet]))
        time.sleep(0.002)
    assert client.reply()[:3] == b"220"
    send(client)
    assert server.backend.kept[0].peer.ip == "2001:db8::7"


def test_an_ipv4_address_inside_ipv6_is_that_ipv4_client(server):
    client = server.dial()
    client.send(v2("::ffff:203.0.113.9"))
    client.reply()
    send(client)
    assert server.backend.kept[0].peer.ip == "203.0.113.9"


@pytest.mark.parametrize("header", [v2("203.0.113.7", command=0), v2("", command=0)])
def test_a_proxy_that_looks_whether_we_live_speaks_for_itself(server, header):
    client = server.dial()
    client.send(header)
    assert client.reply()[:3] == b"220"
    send(client)
    assert server.backend.kept[0].peer.ip == "127.0.0.1"


def test_who_might_be_a_proxy_and_says_nothing_is_greeted_as_itself(server):
    client = server.connect()
    assert client.greeting[:3] == b"220"
    send(client)
    assert server.backend.kept[0].peer.ip == "127.0.0.1"


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO early.test\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"PROXY TCP4 203.0.113.7 127.0.0.1 99999 25\r\n",
        b"PROXY TCP4 " + b"1" * 500,
        SIGNATURE + b"\x21\x11\xff\xff" + bytes(5000),
        SIGNATURE + b"\x21\x13\x00\x0c" + bytes(12),
        v1("203.0.113.7") + b"EHLO early.test\r\n",
        v1("203.0.113.7") + v1("203.0.113.8"),
        v2("203.0.113.7") + v2("203.0.113.8"),
    ],
)
def test_what_is_no_header_or_goes_on_at_once_is_cut_off(server, octets):
    client = server.dial()
    client.send(octets)
    assert client.rest() == b""
    assert server.connect().greeting[:3] == b"220"


@pytest.mark.parametrize("service", [Service.RELAY, Service.SUBMISSIONS])
def test_half_a_header_is_not_waited_for(server, service):
    client = server.dial(service)
    client.send(b"PROXY TCP4 203.0.113.7 127.0.0.1 ")
    assert client.rest() == b""


def test_a_header_that_drips_is_not_waited_for(server):
    client = server.dial()
    for octet in v1("203.0.113.7"):
        client.send(bytes([octet]))
        time.sleep(0.05)
    assert client.rest() == b""


def test_who_hangs_up_in_its_header_leaves_nothing(server):
    for octets in (b"", b"PROXY", SIGNATURE):
        client = server.dial()
        client.send(octets)
        client.close()
    time.sleep(0.1)
    assert server.server.context.clients.open_count == 0


def test_a_header_after_the_greeting_is_cut_off(server):
    client = server.connect()
    client.send(v1("203.0.113.7"))
    assert client.rest() == b""


def test_limits_count_the_client_and_not_the_proxy(tmp_path):
    limits = replace(LIMITS, connections_per_client=1)
    with Running(tmp_path, limits=limits, proxies=HERE) as server:
        clients = [server.dial() for _ in range(3)]
        for client, ip in zip(clients, ("203.0.113.7", "203.0.113.8", "203.0.113.7"), strict=True):
            client.send(v1(ip))
            client.greeting = client.reply()
        assert [client.greeting[:3] for client in clients] == [b"220", b"220", b"421"]
        clients[0].close()
        time.sleep(0.1)
        again = server.dial()
        again.send(v2("203.0.113.7"))
        assert again.reply()[:3] == b"220"


@pytest.mark.parametrize("proxies", ["", "192.0.2.0/24"])
@pytest.mark.parametrize("header", [v1("203.0.113.7"), v2("203.0.113.7"), v2("", command=0)])
def test_a_stranger_who_claims_to_be_a_proxy_is_cut_off(tmp_path, proxies, header):
    with Running(tmp_path, limits=replace(LIMITS, banner_delay_s=0.2), proxies=proxies) as server:
        before = server.dial()
        before.send(header)
        assert before.rest() == b""
        after = server.connect()
        # Version 1 is known for what it is, the lines of version 2 are no commands.
        after.send(header + b"\r\nQUIT\r\n")
        assert {line[:3] for line in after.rest().splitlines()} <= {b"500", b"221"}
        assert server.events == []


def test_a_stranger_at_465_who_claims_to_be_a_proxy_is_cut_off(tmp_path):
    with Running(tmp_path, services=ALL, submission_backend=object()) as server:
        client = server.dial(Service.SUBMISSIONS)
        client.send(v1("203.0.113.7"))
        assert not client.rest().startswith(b"220")


@pytest.mark.parametrize(
    ("header", "ip"),
    [
        (v1("203.0.113.7"), "203.0.113.7"),
        (v2("2001:db8::7", more=bytes(100)), "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (b"", "127.0.0.1"),
    ],
)
def test_tls_comes_after_the_header(server, header, ip):
    client = server.dial(Service.SUBMISSIONS)
    client.send(header)
    client.start_tls()
    assert client.reply()[:3] == b"220"
    (session,) = server.server.submission.sessions
    assert session.ip == ip
    assert b"AUTH PLAIN" in client.ask(b"EHLO x")


def test_a_header_inside_tls_is_cut_off(server):
    client = server.connect(Service.SUBMISSIONS)
    client.send(v1("203.0.113.7"))
    assert client.rest() == b""


def test_no_header_but_something_else_at_465_is_cut_off(server):
    client = server.dial(Service.SUBMISSIONS)
    client.send(b"EHLO x\r\n")
    assert client.rest() == b""


def test_starttls_works_behind_a_proxy(server):
    client = server.dial(Service.SUBMISSION)
    client.send(v1("203.0.113.7"))
    client.reply()
    client.ask(b"EHLO x")
    assert client.ask(b"STARTTLS")[:3] == b"220"
    client.start_tls()
    assert b"AUTH PLAIN" in client.ask(b"EHLO x")
    (session,) = server.server.submission.sessions
    assert (session.ip, session.tls.version) == ("203.0.113.7", "TLSv1.3")


def test_a_server_stops_while_headers_are_awaited(tmp_path):
    slow = replace(LIMITS, proxy_silence_s=30, proxy_header_s=30)
    with Running(tmp_path, limits=slow, proxies=HERE) as server:
        waiting, begun = server.dial(), server.dial()
        begun.send(b"PROXY ")
        time.sleep(0.1)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 10
        waiting.close()
