"""What a session of 587 and 465 says before anything is sent (RFC 4954; RFC 6409; RFC 8314).

The backend knows Alice and the word `right`; it needs no database.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest

from mailcore.delivery import refusals
from mailcore.directory.credentials import Busy, Denied
from mailcore.errors import Refused
from mailcore.smtpd.service import Service
from tests.support.smtp_dialogue import QUICK, MemoryBackend, Running
from tests.support.submitting import ALL, b64, plain

ALICE = "alice@hamburger.test"
LOOPBACK = (ip_network("127.0.0.0/8"),)
SOON = replace(QUICK, stop_timeout_s=0.2)  # a client of a test answers no close_notify
DOORS = [Service.SUBMISSION, Service.SUBMISSIONS]
SIGN_IN = b"AUTH PLAIN " + plain(ALICE, "right")


class People(MemoryBackend):
    """Signs in Alice by the password `right`; `gate` holds back who says `slow`."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.tried: list[tuple[str, str]] = []

    def authenticate(self, *, login, password, peer_ip, now):
        self.tried.append((login, peer_ip))
        if password == "slow":
            assert self.gate.wait(20)
        if password == "fault":
            raise RuntimeError("secret detail")
        if password == "busy":
            return Busy()
        return 7 if password in {"right", "slow"} else Denied(delay=timedelta(milliseconds=50))

    def check_recipient(self, *, forward_path, declared_size, smtputf8) -> None:
        if forward_path.startswith("nobody"):
            raise Refused(refusals.UNKNOWN_USER)

    def check_submitter(self, *, user_id, reverse_path) -> None:
        if reverse_path not in {ALICE, ""}:
            raise Refused(refusals.NOT_YOUR_ADDRESS)


@pytest.fixture(params=["uvloop", "asyncio"])
def server(request, tmp_path):
    with running(tmp_path, use_uvloop=request.param == "uvloop") as started:
        yield started


def running(tmp_path, *, limits=SOON, **options) -> Running:
    people = People()
    return Running(
        tmp_path,
        backend=people,
        submission_backend=people,
        services=ALL,
        limits=limits,
        **options,
    )


def greet(server, service=Service.SUBMISSIONS):
    client = server.connect(service)
    assert client.ask(b"EHLO client.test")[:3] == b"250"
    if service is Service.SUBMISSION:
        assert client.ask(b"STARTTLS")[:3] == b"220"
        client.start_tls()
        assert client.ask(b"EHLO client.test")[:3] == b"250"
    return client


def test_auth_is_offered_over_tls_only(server):
    plain_text = server.connect(Service.SUBMISSION).ask(b"EHLO client.test")
    assert b"AUTH" not in plain_text
    assert b"STARTTLS" in plain_text
    for service in DOORS:
        offered = greet(server, service).ask(b"EHLO client.test")
        assert b"250-AUTH PLAIN LOGIN\r\n" in offered
        assert b"250-LIMITS RCPTMAX=1000\r\n" in offered
        assert b"STARTTLS" not in offered


def test_port_25_offers_no_auth_even_over_tls(server):
    client = greet(server, Service.SUBMISSION)
    relay = server.connect(Service.RELAY)
    relay.ask(b"EHLO client.test")
    relay.ask(b"STARTTLS")
    relay.start_tls()
    assert b"AUTH" not in relay.ask(b"EHLO client.test")
    assert relay.ask(SIGN_IN)[:9] == b"500 5.5.1"
    assert client.ask(SIGN_IN)[:9] == b"235 2.7.0"


def test_nothing_is_taken_before_signing_in(server):
    client = server.connect(Service.SUBMISSION)
    assert client.ask(b"MAIL FROM:<alice@hamburger.test>")[:9] == b"530 5.7.0"
    assert client.ask(b"EHLO client.test")[:3] == b"250"
    assert b"STARTTLS" in client.ask(b"MAIL FROM:<alice@hamburger.test>")
    assert client.ask(SIGN_IN)[:10] == b"538 5.7.11"
    for service in DOORS:
        over_tls = greet(server, service)
        assert over_tls.ask(b"MAIL FROM:<alice@hamburger.test>")[:9] == b"530 5.7.0"
        assert over_tls.ask(b"RCPT TO:<x@y.test>")[:9] == b"503 5.5.1"
        assert over_tls.ask(b"DATA")[:9] == b"503 5.5.1"
    assert server.backend.tried == []


def test_password_without_tls_is_taken_from_named_networks_only(server, settings):
    settings.AUTH_PLAINTEXT_NETWORKS = LOOPBACK
    client = server.connect(Service.SUBMISSION)
    assert b"AUTH PLAIN LOGIN" in client.ask(b"EHLO client.test")
    assert client.ask(SIGN_IN)[:3] == b"235"


@pytest.mark.parametrize("service", DOORS)
def test_both_mechanisms_sign_in(server, service):
    assert greet(server, service).ask(SIGN_IN)[:9] == b"235 2.7.0"
    client = greet(server, service)
    assert client.ask(b"AUTH PLAIN") == b"334 \r\n"
    assert client.ask(plain(ALICE, "right"))[:3] == b"235"
    client = greet(server, service)
    assert client.ask(b"AUTH LOGIN") == b"334 VXNlcm5hbWU6\r\n"
    assert client.ask(b64(ALICE)) == b"334 UGFzc3dvcmQ6\r\n"
    assert client.ask(b64("right"))[:3] == b"235"
    assert server.backend.tried == [(ALICE, "127.0.0.1")] * 3


def test_order_of_commands_is_kept(server):
    client = server.connect(Service.SUBMISSIONS)
    assert client.ask(SIGN_IN)[:3] == b"503"  # EHLO first
    client.ask(b"EHLO client.test")
    assert client.ask(SIGN_IN)[:3] == b"235"
    assert client.ask(SIGN_IN)[:3] == b"503"  # once
    client.ask(b"EHLO client.test")
    assert client.ask(b"MAIL FROM:<alice@hamburger.test> AUTH=<> SIZE=5")[:3] == b"250"
    assert client.ask(b"AUTH PLAIN")[:3] == b"503"


def test_helo_alone_signs_nobody_in(server):
    client = server.connect(Service.SUBMISSIONS)
    client.ask(b"HELO client.test")
    assert client.ask(SIGN_IN)[:3] == b"503"


def test_faults_of_the_exchange_have_their_codes(server):
    faults = {
        b"AUTH": b"501 5.5.2",
        b"AUTH CRAM-MD5": b"504 5.5.4",
        b"AUTH PLAIN ====": b"501 5.5.2",
        b"AUTH PLAIN\r\n*": b"501 5.7.0",
        b"AUTH PLAIN\r\n" + plain(ALICE, "busy"): b"454 4.7.0",
        b"AUTH PLAIN\r\n" + plain(ALICE, "fault"): b"454 4.7.0",
        b"AUTH PLAIN\r\n" + b"A" * 13_000: b"500 5.5.6",
        b"AUTH LOGIN\r\n" + b64(ALICE) + b"\n": b"501 5.5.2",
    }
    found = {}
    for command in faults:
        client = greet(server)
        client.send(command + (b"" if command.endswith(b"\n") else b"\r\n"))
        answer = client.reply()
        while answer[:3] == b"334":
            answer = client.reply()
        found[command] = answer[:9]
    assert found == faults


def test_line_of_auth_may_be_long_and_others_not(server):
    long = plain(ALICE, "w" * 9000)
    assert len(long) > 12_000
    client = greet(server)
    assert client.ask(b"AUTH PLAIN " + long)[:9] == b"535 5.7.8"
    assert client.ask(b"NOOP " + b"x" * 3000)[:9] == b"500 5.5.2"


def test_third_wrong_password_ends_the_session(server):
    client = greet(server, Service.SUBMISSION)
    for _ in range(3):
        assert client.ask(b"AUTH PLAIN " + plain(ALICE, "guess"))[:9] == b"535 5.7.8"
    assert client.reply() == b""
    assert len(server.backend.tried) == 3


def test_starttls_does_not_forgive_guesses(server, settings):
    settings.AUTH_PLAINTEXT_NETWORKS = LOOPBACK
    client = server.connect(Service.SUBMISSION)
    client.ask(b"EHLO client.test")
    for _ in range(2):
        client.ask(b"AUTH PLAIN " + plain(ALICE, "guess"))
    client.ask(b"STARTTLS")
    client.start_tls()
    client.ask(b"EHLO client.test")
    assert client.ask(b"AUTH PLAIN " + plain(ALICE, "guess"))[:3] == b"535"
    assert client.reply() == b""


def test_starttls_forgets_who_signed_in(server, settings):
    settings.AUTH_PLAINTEXT_NETWORKS = LOOPBACK
    client = server.connect(Service.SUBMISSION)
    client.ask(b"EHLO client.test")
    assert client.ask(SIGN_IN)[:3] == b"235"
    client.ask(b"STARTTLS")
    client.start_tls()
    client.ask(b"EHLO client.test")
    assert client.ask(b"MAIL FROM:<alice@hamburger.test>")[:3] == b"530"


def test_plain_text_after_starttls_is_discarded(server):
    client = server.connect(Service.SUBMISSION)
    client.ask(b"EHLO client.test")
    client.send(b"STARTTLS\r\nEHLO injected.test\r\n" + SIGN_IN + b"\r\n")
    assert client.reply()[:3] == b"220"
    client.start_tls()
    assert client.ask(SIGN_IN)[:3] == b"503"  # no EHLO has been heard
    assert server.backend.tried == []


def test_addresses_of_others_are_refused_at_mail(server):
    client = greet(server)
    client.ask(SIGN_IN)
    assert client.ask(b"MAIL FROM:<bob@hamburger.test>")[:9] == b"553 5.7.1"
    assert client.ask(b"RCPT TO:<x@y.test>")[:3] == b"503"
    assert client.ask(b"MAIL FROM:<>")[:3] == b"250"


def test_recipients_anywhere_but_unknown_ones_of_ours(server):
    client = greet(server)
    client.ask(SIGN_IN)
    client.ask(b"MAIL FROM:<alice@hamburger.test>")
    assert client.ask(b"RCPT TO:<anybody@outside.example> NOTIFY=NEVER")[:3] == b"250"
    assert client.ask(b"RCPT TO:<nobody@hamburger.test>")[:9] == b"550 5.1.1"


def test_lone_line_ends_become_crlf_and_only_crlf_dot_crlf_ends(server):
    client = greet(server)
    client.ask(SIGN_IN)
    client.ask(b"MAIL FROM:<alice@hamburger.test>")
    client.ask(b"RCPT TO:<bob@hamburger.test>")
    client.ask(b"DATA")
    text = b"From: a\n\n..a\n.\nMAIL FROM:<x@y>\r.\r\r\n..b\rc" + b"\nx" * 50_000
    client.send(text + b"\r\n.\r\n")
    assert client.reply()[:3] == b"250"
    (kept,) = server.backend.kept
    assert kept.content == (
        b"From: a\r\n\r\n..a\r\n.\r\nMAIL FROM:<x@y>\r\n.\r\n\r\n.b\r\nc"
        + b"\r\nx" * 50_000
        + b"\r\n"
    )


def test_thousand_recipients_and_not_one_more(server):
    client = greet(server)
    client.ask(SIGN_IN)
    client.ask(b"MAIL FROM:<alice@hamburger.test>")
    client.send(b"".join(b"RCPT TO:<n%d@outside.example>\r\n" % n for n in range(1001)))
    answers = [client.reply()[:9] for _ in range(1001)]
    assert answers == [b"250 2.1.5"] * 1000 + [b"452 4.5.3"]


def test_guesses_in_plenty_hold_up_neither_port_25_nor_recipients(server):
    waiting = [greet(server) for _ in range(20)]
    for client in waiting:
        client.send(b"AUTH PLAIN " + plain(ALICE, "slow") + b"\r\n")
    with server.connect(Service.RELAY) as stranger:
        stranger.ask(b"EHLO x.test")
        stranger.ask(b"MAIL FROM:<a@x.test>")
        assert stranger.ask(b"RCPT TO:<slow@hamburger.test>")[:3] == b"250"
    server.backend.gate.set()
    assert {client.reply()[:3] for client in waiting} == {b"235"}


def test_more_sign_ins_than_the_pool_has_room_for_are_told_to_wait(tmp_path):
    with running(tmp_path) as server:
        doorkeeper = server.server.submission.doorkeeper
        assert doorkeeper is not None
        doorkeeper._room = 2
        waiting = [greet(server) for _ in range(2)]
        for client in waiting:
            client.send(b"AUTH PLAIN " + plain(ALICE, "slow") + b"\r\n")
        while len(server.backend.tried) < 2:
            time.sleep(0.01)
        assert greet(server).ask(SIGN_IN)[:9] == b"454 4.7.0"
        server.backend.gate.set()
        assert {client.reply()[:3] for client in waiting} == {b"235"}
        assert greet(server).ask(SIGN_IN)[:3] == b"235"


def test_handshakes_that_never_end_shut_nobody_out(tmp_path):
    limits = replace(SOON, connections_per_client=5, command_timeout_s=2)
    with running(tmp_path, limits=limits) as server:
        port = server.ports[Service.SUBMISSIONS]
        held = [socket.create_connection((server.host, port)) for _ in range(8)]
        for one in held[5:]:
            one.settimeout(10)
            assert one.recv(1) == b""  # turned away before TLS
        for one in held[:5]:
            one.settimeout(10)
            assert one.recv(1) == b""  # out of patience
        assert greet(server).ask(SIGN_IN)[:3] == b"235"
        for one in held:
            one.close()


def test_plain_text_at_the_tls_door_is_hung_up_on(server):
    with server.dial(Service.SUBMISSIONS) as client:
        client.send(b"EHLO client.test\r\n" * 5)
        assert b"250" not in client.rest()
    assert greet(server).ask(SIGN_IN)[:3] == b"235"


def test_passwords_are_in_no_event_and_no_log(server, caplog):
    client = greet(server)
    secrets = ["guess-me-not", "fault"]
    for word in secrets:
        client.ask(b"AUTH PLAIN " + plain(ALICE, word))
    client.ask(b"AUTH LOGIN")
    client.ask(b64("typed-in-the-wrong-field"))
    client.ask(b64("guess-me-not"))
    told = caplog.text + repr(server.events)
    for word in ("guess-me-not", "typed-in-the-wrong-field", plain(ALICE, "guess-me-not").decode()):
        assert word not in told
        assert b64(word).decode() not in told
    assert [event.kind for event in server.events].count("refused") == 3


class Unanswerable:
    """Says of every domain but x.test that no answer reaches it."""

    async def check(self, reverse_path: str) -> None:
        if reverse_path and not reverse_path.endswith("@x.test"):
            raise Refused(refusals.NO_SENDER_DOMAIN)


def test_sender_domain_is_asked_about_on_port_25_only(tmp_path):
    with running(tmp_path, sender_domains=Unanswerable()) as server:
        with server.connect() as stranger:
            stranger.ask(b"EHLO x.test")
            assert stranger.ask(b"MAIL FROM:<a@gone.test>")[:9] == b"450 4.1.8"
            assert stranger.ask(b"MAIL FROM:<a@x.test>")[:3] == b"250"
            stranger.ask(b"RSET")
            assert stranger.ask(b"MAIL FROM:<>")[:3] == b"250"
        client = greet(server)
        client.ask(SIGN_IN)
        assert client.ask(b"MAIL FROM:<alice@hamburger.test>")[:3] == b"250"
