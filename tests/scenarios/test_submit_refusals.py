"""Who may not send, and not as whom: forged senders, wrong passwords, guesses (guarantees, 2).

The real server, directory and throttle. Timing is compared by what was done, not by a clock.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest

from mailcore.directory.credentials import Denied
from mailcore.models.identity import AuthThrottle
from mailcore.models.queue import QueuedMessage
from mailcore.models.trace import TraceEvent
from mailcore.smtpd.backend import DeliverySubmission
from mailcore.smtpd.service import Service
from tests.support.deliveries import make_message
from tests.support.people import PASSWORD, give_access, make_mallory, make_operator
from tests.support.receiving import wait_until
from tests.support.submitting import plain, send

REMOTE = "dora@outside.example"


def letter(*fields: str) -> bytes:
    return ("\r\n".join(fields) + "\r\n\r\nHi\r\n").encode()


FORGED = {
    "From: bob@hamburger.test": b"553 5.7.1",
    "From: Alice <bob@hamburger.test>": b"553 5.7.1",
    "From: alice@hamburger.test, bob@hamburger.test": b"553 5.7.1",
    "From: alice@hamburger.test\r\nSender: bob@hamburger.test": b"553 5.7.1",
    "From: alice@hamburger.test\r\nFrom: bob@hamburger.test": b"550 5.6.0",
    "From: alice@hamburger.test\nFrom: bob@hamburger.test": b"550 5.6.0",
    "From: alice@hamburger.test\rFrom: bob@hamburger.test": b"550 5.6.0",
    "Subject: nobody": b"550 5.6.0",
}


def test_nobody_writes_in_anothers_name(submission, alice, bob):
    found = {}
    with submission.sign_in(alice) as client:
        for text in FORGED:
            found[text] = send(client, letter(text), REMOTE, sender=alice.address)[:9]
    assert found == FORGED
    assert not QueuedMessage.objects.exists()


def test_reverse_path_of_another_is_refused(submission, alice, bob):
    mallory = make_mallory()
    for who, sender in ((mallory, alice.address), (alice, bob.address), (alice, REMOTE)):
        reply = submission.submit(who, letter(f"From: {sender}"), REMOTE, sender=sender)
        assert reply[:9] == b"553 5.7.1"
    give_access(user=alice.user, mailbox=bob.mailbox, role="send")
    reply = submission.submit(alice, letter("From: bob@hamburger.test"), REMOTE, sender=bob.address)
    assert reply[:3] == b"250"


def test_open_relay_needs_a_password(submission, alice):
    for service in (Service.SUBMISSION, Service.SUBMISSIONS):
        client = submission.open(service)
        assert client.ask(b"MAIL FROM:<alice@hamburger.test>")[:9] == b"530 5.7.0"
    with submission.connect() as client:
        client.ask(b"EHLO x.test")
        client.ask(b"MAIL FROM:<alice@hamburger.test>")
        assert client.ask(b"RCPT TO:<dora@outside.example>")[:9] == b"550 5.7.1"


def test_wrong_unknown_and_disabled_are_answered_alike(submission, alice, bob, settings):
    settings.AUTH_DELAY = timedelta(0)
    bob.user.is_active = False
    bob.user.save()
    answers = set()
    for login, password in (
        (alice.address, "wrong"),
        ("nobody@hamburger.test", PASSWORD),
        (bob.address, PASSWORD),
        ("", ""),
        (alice.address, PASSWORD + "x" * 5000),
    ):
        answers.add(submission.open().ask(b"AUTH PLAIN " + plain(login, password)))
    assert answers == {b"535 5.7.8 Login or password is wrong\r\n"}


def test_guesses_are_counted_and_the_right_password_comes_too_late(submission, alice, settings):
    settings.AUTH_DELAY = timedelta(0)
    settings.AUTH_FAILURES_PER_DAY = 4
    settings.LIMITS_EXEMPT_NETWORKS = ()
    for _ in range(2):
        client = submission.open()
        for _ in range(3):
            answer = client.ask(b"AUTH PLAIN " + plain(alice.address, "guess"))
            assert answer[:3] == b"535"
        assert client.reply() == b""
    assert submission.open().ask(b"AUTH PLAIN " + plain(alice.address))[:3] == b"535"
    assert AuthThrottle.objects.filter(key__startswith="d:account:").get().count == 7


class NotingDelays(DeliverySubmission):
    """Keeps the delays that sign-ins were answered with, and lets nobody wait."""

    def __init__(self) -> None:
        self.delays: list[float] = []

    def authenticate(self, **asked):
        found = super().authenticate(**asked)
        if not isinstance(found, Denied):
            return found
        self.delays.append(found.delay.total_seconds())
        return replace(found, delay=timedelta(0))


def test_answers_to_guesses_are_held_back_longer_and_longer(start_submission, alice):
    backend = NotingDelays()
    submission = start_submission(submission_backend=backend)
    for login in (alice.address, "nobody@hamburger.test"):
        for _ in range(5):
            submission.open().ask(b"AUTH PLAIN " + plain(login, "guess"))
    assert backend.delays == [2, 4, 8, 15, 15] * 2


def test_operator_without_a_mailbox_signs_in_and_may_send_nothing(submission, alice):
    make_operator("root")
    client = submission.open()
    assert client.ask(b"AUTH PLAIN " + plain("root"))[:3] == b"235"
    assert client.ask(b"MAIL FROM:<alice@hamburger.test>")[:9] == b"553 5.7.1"


def test_refusals_are_traced_and_passwords_are_not(submission, alice):
    submission.open().ask(b"AUTH PLAIN " + plain(alice.address, "a-wrong-password"))
    submission.submit(alice, letter("From: bob@hamburger.test"), REMOTE)
    told = repr(submission.events)
    assert "535 5.7.8" in told
    assert "553 5.7.1" in told
    assert "a-wrong-password" not in told
    assert "correct horse" not in told


def test_account_disabled_after_signing_in_sends_nothing(submission, alice, bob):
    client = submission.sign_in(alice)
    alice.user.is_active = False
    alice.user.save()
    raw = make_message(sender=alice.address)
    assert send(client, raw, bob.address, sender=alice.address)[:9] == b"553 5.7.1"


# --- real programs ---


@pytest.mark.skipif(not shutil.which("swaks"), reason="no swaks")
@pytest.mark.parametrize(
    ("service", "options"), [(Service.SUBMISSION, ["--tls"]), (Service.SUBMISSIONS, ["--tlsc"])]
)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_submits(submission, alice, bob, service, options, mechanism):
    done = subprocess.run(
        [
            *("swaks", "--server", f"127.0.0.1:{submission.ports[service]}", *options),
            *("--auth", mechanism, "--auth-user", alice.address, "--auth-password", PASSWORD),
            *("--from", alice.address, "--to", f"{bob.address},{REMOTE}", "--pipeline"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    states = dict(QueuedMessage.objects.get().recipients.values_list("forward_path", "state"))
    assert states == {bob.address: "delivered", REMOTE: "queued"}


@pytest.mark.skipif(not shutil.which("msmtp"), reason="no msmtp")
@pytest.mark.parametrize(
    ("service", "starttls"), [(Service.SUBMISSION, "on"), (Service.SUBMISSIONS, "off")]
)
def test_msmtp_submits(submission, alice, bob, service, starttls):
    done = subprocess.run(
        [
            *("msmtp", "--host=127.0.0.1", f"--port={submission.ports[service]}", "--tls=on"),
            *(f"--tls-starttls={starttls}", "--tls-certcheck=off", "--auth=plain"),
            *(f"--user={alice.address}", f"--passwordeval=echo {PASSWORD}"),
            *(f"--from={alice.address}", bob.address, REMOTE),
        ],
        input=f"From: {alice.address}\nTo: {bob.address}\nSubject: x\n\nHi\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    wait_until(QueuedMessage.objects.exists)
    assert TraceEvent.objects.filter(kind="accepted").count() == 2
