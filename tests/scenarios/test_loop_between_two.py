"""Two Casillas that forward to each other: the mail ends, and its sender is told once (G6)."""

from __future__ import annotations

import base64
import json
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.db import connection

from tests.support.machines import Machine
from tests.support.servers import free_port, wait_for_port
from tests.support.sources import ROOT

pytestmark = [pytest.mark.slow]

HOPS = 6
MAIL = (
    b"From: Ana <ana@a.test>\r\nMessage-ID: <round@a.test>\r\nSubject: Round\r\n\r\nAnd round\r\n"
)


@contextmanager
def running(machine: Machine, command: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", command, "--skip-checks"],
        cwd=ROOT,
        env=machine.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def casilla(directory: Path, domain: str, ports: dict[str, int]) -> Machine:
    """Return a system for `domain` that finds the other one by a route."""
    other = next(name for name in ports if name != domain)
    machine = Machine(
        directory / domain,
        CASILLA_HOSTNAME=f"mx.{domain}",
        SMTP_LISTEN=f"127.0.0.1:{ports[domain]}",
        SUBMISSION_LISTEN="",
        SUBMISSIONS_LISTEN="",
        OUTBOUND_MODE="direct",
        OUTBOUND_ALLOW_NETWORKS="127.0.0.0/8",
        SMTP_ROUTES=f"{other}=127.0.0.1:{ports[other]}",
        RECEIVED_LIMIT=str(HOPS),
        LIMITS_EXEMPT_NETWORKS="127.0.0.0/8",
        DISK_FREE_MIN="0",
    )
    machine.tell("migrate")
    machine.tell("create_domain", domain)
    machine.tell("create_alias", f"round@{domain}", f"round@{other}")
    return machine


def inbox(machine: Machine) -> list[bytes]:
    """Return the messages of Ana's mailbox."""
    out = machine.data / "out.jsonl"
    out.unlink(missing_ok=True)
    machine.tell("export_mailbox", "ana@a.test", "--format", "jsonl", out)
    return [base64.b64decode(json.loads(line)["raw"]) for line in out.read_text().splitlines()]


def wait_until_quiet(machines: list[Machine]) -> None:
    """Wait until nothing is queued on either side."""
    end = time.monotonic() + 60
    while any(machine.tell("queue", "--json", "--state", "queued") for machine in machines):
        assert time.monotonic() < end, "it goes on and on"
        time.sleep(0.5)


def test_mail_between_two_that_forward_to_each_other_ends_with_one_report(tmp_path):
    if connection.vendor != "sqlite":
        pytest.skip("both systems have SQLite: once is enough")
    ports = {"a.test": free_port(), "b.test": free_port()}
    first, second = (casilla(tmp_path, domain, ports) for domain in ports)
    first.tell("create_mailbox", "ana@a.test")
    with ExitStack() as stack:
        for machine, domain in ((first, "a.test"), (second, "b.test")):
            stack.enter_context(running(machine, "smtpd"))
            stack.enter_context(running(machine, "queue_runner"))
            wait_for_port(ports[domain], seconds=60)
        with smtplib.SMTP("127.0.0.1", ports["a.test"], timeout=30) as client:
            client.sendmail("ana@a.test", ["round@a.test"], MAIL)
        end = time.monotonic() + 60
        while not inbox(first):
            assert time.monotonic() < end, "nobody told the sender"
            time.sleep(0.5)
        wait_until_quiet([first, second])
        [report] = inbox(first)
    assert b"multipart/report" in report
    assert b"5.4.6" in report
    assert "0 findings" in first.tell("audit_mail")
    assert "0 findings" in second.tell("audit_mail")
