"""587 and 465 with the real mail system behind them, and clients that sign in.

On top of `receiving`: the same server, three doors.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

from mailcore.smtpd.backend import DeliveryBackend, DeliverySubmission
from mailcore.smtpd.limits import Limits
from mailcore.smtpd.service import Service
from tests.support.people import PASSWORD, Person
from tests.support.receiving import LIMITS, stuffed
from tests.support.smtp_dialogue import Client, Running

QUICK_STOP = replace(LIMITS, stop_timeout_s=0.2)  # a client here answers no close_notify
ALL = (Service.RELAY, Service.SUBMISSION, Service.SUBMISSIONS)


def plain(login: str, password: str = PASSWORD, *, acting_for: str = "") -> bytes:
    """Return the response of AUTH PLAIN (RFC 4616)."""
    return base64.b64encode(f"{acting_for}\0{login}\0{password}".encode())


def b64(text: str) -> bytes:
    """Return a response of AUTH LOGIN."""
    return base64.b64encode(text.encode())


class Submission(Running):
    """A running server with doors for strangers and for our own people."""

    def __init__(
        self,
        directory: Path,
        *,
        limits: Limits = QUICK_STOP,
        submission_backend: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(
            directory,
            limits=limits,
            backend=DeliveryBackend(),
            services=ALL,
            submission_backend=submission_backend or DeliverySubmission(),
            **options,
        )

    def open(self, service: Service = Service.SUBMISSION) -> Client:
        """Return a client that has said hello over TLS and not signed in."""
        client = self.connect(service)
        if service is Service.SUBMISSION:
            assert client.ask(b"EHLO [10.1.2.3]")[:3] == b"250"
            assert client.ask(b"STARTTLS")[:3] == b"220"
            client.start_tls()
        assert b"AUTH PLAIN LOGIN" in client.ask(b"EHLO [10.1.2.3]")
        return client

    def sign_in(self, who: Person, service: Service = Service.SUBMISSION) -> Client:
        """Return a client that has signed in."""
        client = self.open(service)
        answer = client.ask(b"AUTH PLAIN " + plain(who.address))
        assert answer[:9] == b"235 2.7.0", answer
        return client

    def submit(
        self,
        who: Person,
        raw: bytes,
        *paths: str,
        sender: str = "",
        service: Service = Service.SUBMISSION,
        parameters: str = "",
    ) -> bytes:
        """Send one message in a session of its own; return the reply that ended it."""
        with self.sign_in(who, service) as client:
            return send(client, raw, *paths, sender=sender or who.address, parameters=parameters)


def send(client: Client, raw: bytes, *paths: str, sender: str, parameters: str = "") -> bytes:
    """Send one message; return the first refusal, or the reply to the final dot."""
    commands = [f"MAIL FROM:<{sender}> {parameters}".rstrip()]
    commands += [f"RCPT TO:{path if '<' in path else f'<{path}>'}" for path in paths]
    for command in commands:
        answer = client.ask(command.encode())
        if answer[:3] != b"250":
            return answer
    assert client.ask(b"DATA")[:3] == b"354"
    client.send(stuffed(raw))
    return client.reply()
