"""Commands and replies of one session, on the wire (RFC 5321, section 4)."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from mailcore.smtpd.workers import Collector
from tests.support.smtp_dialogue import QUICK, MemoryBackend, Running

MESSAGE = b"Subject: x\r\n\r\nhello\r\n"


@pytest.fixture(params=["uvloop", "asyncio"])
def server(request, tmp_path):
    with Running(tmp_path, use_uvloop=request.param == "uvloop") as running:
        yield running


def test_ehlo_names_only_what_works(server):
    with server.connect() as client:
        assert client.ask(b"EHLO client.test") == (
            b"250-mx.hamburger.test\r\n250-SIZE 200000\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
            b"250-SMTPUTF8\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n"
            b"250-LIMITS RCPTMAX=100\r\n250 HELP\r\n"
        )


def test_message_is_handed_over_byte_for_byte(server):
    content = b"Subject: x\r\n\r\n..two\r\n.\xff\x00 one\r\n" + b"x" * 70_000 + b"\r\n"
    with server.connect() as client:
        client.envelope()
        client.send(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        assert client.reply().startswith(b"250 2.0.0 Ok: queued as ")
    (kept,) = server.backend.kept
    assert kept.content == content
    assert kept.envelope.reverse_path == "a@x.test"


def test_pipelined_messages_are_answered_in_order_in_few_writes(server):
    one = (
        b"MAIL FROM:<> SIZE=30\r\nRCPT TO:<slow@hamburger.test>\r\n"
        b"RCPT TO:<nobody@hamburger.test>\r\nDATA\r\n" + MESSAGE + b".\r\n"
    )
    with server.connect() as client:
        client.send(b"EHLO x\r\n" + one * 3 + b"QUIT\r\n")
        assert client.reply()[:3] == b"250"
        for _ in range(3):
            codes = [client.reply()[:9] for _ in range(5)]
            assert codes == [
                b"250 2.1.0",
                b"250 2.1.5",
                b"550 5.1.1",
                b"354 End d",
                b"250 2.0.0",
            ]
        assert client.reply()[:3] == b"221"
        assert client.rest() == b""
    assert [kept.content for kept in server.backend.kept] == [MESSAGE] * 3


def test_starttls_begins_anew_and_forgets_plain_text(server):
    with server.connect() as client:
        client.ask(b"EHLO x")
        client.send(b"STARTTLS\r\nRSET\r\nMAIL FROM:<evil@x.test>\r\n")
        assert client.reply()[:3] == b"220"
        client.start_tls()
        assert client.ask(b"MAIL FROM:<a@x.test>") == b"503 5.5.1 Send EHLO first\r\n"
        assert b"STARTTLS" not in client.ask(b"EHLO x")
        assert client.ask(b"STARTTLS")[:3] == b"503"
        client.envelope()
        client.send(b"x" * 150_000 + b"\r\n.\r\n")
        assert client.reply()[:3] == b"250"
        assert client.ask(b"QUIT")[:3] == b"221"
    (kept,) = server.backend.kept
    assert kept.content == b"x" * 150_000 + b"\r\n"
    assert kept.peer.tls.version in {"TLSv1.2", "TLSv1.3"}
    assert kept.peer.tls.cipher


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"VRFY bob", b"252 2.5.2"),
        (b"EXPN list", b"502 5.5.1"),
        (b"HELP", b"214 2.0.0"),
        (b"NOOP anything", b"250 2.0.0"),
        (b"RSET", b"250 2.0.0"),
        (b"RSET x", b"501 5.5.4"),
        (b"RCPT TO:<bob@hamburger.test>", b"503 5.5.1"),
        (b"DATA", b"503 5.5.1"),
        (b"BDAT 5 LAST", b"500 5.5.1"),
        (b"MAIL FROM:a@x.test", b"501 5.5.4"),
        (b"MAIL TO:<a@x.test>", b"501 5.5.4"),
        (b"MAIL FROM:<a@x.test> SIZE=999999", b"552 5.3.4"),
        (b"MAIL FROM:<a@x.test> SIZE=x", b"501 5.5.4"),
        (b"MAIL FROM:<a@x.test> BODY=BINARYMIME", b"501 5.5.4"),
        (b"MAIL FROM:<a@x.test> AUTH=<>", b"555 5.5.4"),
        (b"mail from: <a@x.test> size=1 body=8bitmime smtputf8 ret=HDRS envid=a+2Bb", b"250 2.1.0"),
        (b"EHLO bad name", b"501 5.5.4"),
        (b"QUIT now", b"501 5.5.4"),
        (b"NO\x00OP", b"500 5.5.1"),
        (b"NOOP a\rb", b"500 5.5.2"),
        (b"\xff\xfe", b"500 5.5.1"),
        (b"", b"500 5.5.1"),
    ],
)
def test_command_has_its_reply(tmp_path, command, answer):
    with Running(tmp_path) as server, server.connect() as client:
        client.ask(b"EHLO client.test")
        assert client.ask(command)[: len(answer)] == answer


def test_parameters_of_the_envelope_are_kept(tmp_path):
    with Running(tmp_path) as server, server.connect() as client:
        client.ask(b"EHLO x")
        client.ask(b"MAIL FROM:<a@x.test> SIZE=9 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=q")
        client.ask(b"RCPT TO:<bob@hamburger.test> NOTIFY=success,delay ORCPT=rfc822;b@c.test")
        client.ask(b"DATA")
        client.send(b".\r\n")
        assert client.reply()[:3] == b"250"
        envelope = server.backend.kept[0].envelope
    assert (envelope.declared_size, envelope.body_8bit, envelope.smtputf8) == (9, True, True)
    assert (envelope.ret, envelope.envid) == ("FULL", "q")
    assert envelope.forward_paths[0].notify == ("SUCCESS", "DELAY")
    assert envelope.forward_paths[0].orcpt == "rfc822;b@c.test"
    assert server.backend.kept[0].content == b""


def test_fault_of_ours_is_451_and_tells_nothing(tmp_path, caplog):
    with Running(tmp_path) as server, server.connect() as client:
        client.ask(b"EHLO x")
        client.ask(b"MAIL FROM:<a@x.test>")
        answer = client.ask(b"RCPT TO:<broken@hamburger.test>")
        assert answer == b"451 4.3.0 Something went wrong here, try again later\r\n"
        client.ask(b"RCPT TO:<bob@hamburger.test>")
        client.ask(b"DATA")
        client.send(b"X-Fault: yes\r\n\r\n.\r\n")
        assert client.reply() == answer
    assert "secret detail" in caplog.text


def test_late_outcome_of_a_busy_mailbox_is_awaited(tmp_path):
    with Running(tmp_path) as server, server.connect() as client:
        client.envelope()
        client.send(b"X-Later: yes\r\n\r\n.\r\n")
        assert client.reply()[:3] == b"250"


def test_answer_that_takes_too_long_is_451(tmp_path):
    go_on = threading.Event()
    backend = MemoryBackend(before_commit=lambda: go_on.wait(10))
    limits = replace(QUICK, answer_timeout_s=0.1)
    with Running(tmp_path, backend=backend, limits=limits) as server, server.connect() as client:
        client.envelope()
        client.send(MESSAGE + b".\r\n")
        assert client.reply()[:9] == b"451 4.3.0"
        go_on.set()


def test_hang_up_does_not_cancel_a_commit(tmp_path):
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go_on.wait(10)

    backend = MemoryBackend(before_commit=hold)
    with Running(tmp_path, backend=backend) as server:
        client = server.connect()
        client.envelope()
        client.send(MESSAGE + b".\r\n")
        assert begun.wait(10)
        client.close()
        go_on.set()
    assert [kept.content for kept in backend.kept] == [MESSAGE]


def test_sessions_share_a_commit_while_one_is_under_way(tmp_path):
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go_on.wait(10)

    backend = MemoryBackend(before_commit=hold)
    with Running(tmp_path, backend=backend) as server:
        clients = [server.connect() for _ in range(5)]
        clients[0].envelope()
        clients[0].send(MESSAGE + b".\r\n")
        assert begun.wait(10)
        for client in clients[1:]:
            client.envelope()
            client.send(MESSAGE + b".\r\n")
        collector = server.server.context.collector
        assert isinstance(collector, Collector)
        while len(collector._waiting) < 4:
            pass
        go_on.set()
        assert [client.reply()[:3] for client in clients] == [b"250"] * 5
        for client in clients:
            client.close()
    assert backend.batches == [1, 4]


def test_stop_says_421_to_the_idle_and_finishes_data(tmp_path):
    with Running(tmp_path) as server:
        idle, busy = server.connect(), server.connect()
        busy.envelope()
        busy.send(b"Subject: half")
        server.begin_stop()
        assert idle.reply()[:9] == b"421 4.3.2"
        assert idle.rest() == b""
        busy.send(b"\r\n\r\nrest\r\n.\r\n")
        assert busy.reply()[:3] == b"250"
        assert busy.reply()[:9] == b"421 4.3.2"
        with pytest.raises(ConnectionRefusedError):
            server.dial()
    assert server.backend.kept[0].content == b"Subject: half\r\n\r\nrest\r\n"


def test_full_disk_is_452_and_the_content_is_not_read_as_commands(tmp_path, caplog):
    # A file where the directory of spools should be: nothing can be written there.
    (tmp_path / "spool").write_text("")
    limits = replace(QUICK, message_octets=5_000_000)
    with Running(tmp_path, limits=limits) as server, server.connect() as client:
        client.envelope()
        client.send(b"x" * 2_000_000 + b"\r\nNOOP\r\nMAIL FROM:<mallory@x.test>\r\n.\r\n")
        assert client.reply()[:9] == b"452 4.3.1"
        assert client.ask(b"RCPT TO:<bob@hamburger.test>")[:3] == b"503"
        assert server.backend.kept == []
    assert "smtpd.spool_fault" in caplog.text
