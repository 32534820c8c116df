"""SMTP_PROCESSES: several processes on the same ports, one supervisor, a clean stop."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machines import Machine
from tests.support.servers import free_port, wait_for_port
from tests.support.smtp_dialogue import Client
from tests.support.sources import ROOT
from tests.support.waiting import until

pytestmark = [pytest.mark.slow]


@pytest.fixture
def bare_machine(tmp_path) -> Machine:
    return Machine(
        tmp_path / "var",
        SMTP_PROCESSES="2",
        SMTP_LISTEN=f"127.0.0.1:{free_port()}",
        SUBMISSION_LISTEN=f"127.0.0.1:{free_port()}",
        SUBMISSIONS_LISTEN=f"127.0.0.1:{free_port()}",
        LIMITS_EXEMPT_NETWORKS="127.0.0.0/8",
        DISK_FREE_MIN="0",
    )


@pytest.fixture
def machine(bare_machine: Machine) -> Machine:
    bare_machine.tell("migrate")
    bare_machine.tell("create_domain", "hamburger.test")
    bare_machine.tell("create_mailbox", "bob@hamburger.test")
    return bare_machine


@pytest.fixture
def smtpd(machine) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "smtpd", "--skip-checks"],
        cwd=ROOT,
        env=machine.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for_port(port(machine), seconds=60)
        is_ready = until(lambda: len(listeners(process.pid)) == 2)
        if is_ready:
            yield process
    finally:
        process.kill()
        said, _ = process.communicate()
    assert is_ready, said


def port(machine: Machine, name: str = "SMTP_LISTEN") -> int:
    return int(machine.environment[name].rpartition(":")[2])


def children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def sockets(pid: int) -> int:
    """Return how many sockets a process has open."""
    return sum("socket:" in str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir())


def listeners(pid: int) -> list[int]:
    """Return the children that listen at all three doors by now."""
    try:
        return [child for child in children(pid) if sockets(child) >= 3]
    except OSError:
        return []


def dial(machine: Machine) -> Client:
    client = Client(socket.create_connection(("127.0.0.1", port(machine)), timeout=30))
    client.greeting = client.reply()
    return client


def test_connections_are_spread_over_the_processes(machine, smtpd):
    before = {child: sockets(child) for child in children(smtpd.pid)}
    clients = [dial(machine) for _ in range(40)]
    assert {client.greeting[:3] for client in clients} == {b"220"}
    grown = [sockets(child) - before[child] for child in children(smtpd.pid)]
    for client in clients:
        client.close()
    assert len(grown) == 2
    assert all(count >= 5 for count in grown)


def test_one_that_is_killed_is_started_again_and_the_other_goes_on(machine, smtpd):
    first, second = children(smtpd.pid)
    os.kill(first, signal.SIGKILL)
    # Reaped, and so all its threads are gone: until then its socket may be given a client.
    assert until(lambda: first not in children(smtpd.pid))
    with dial(machine) as client:
        client.envelope()
        client.send(b"Message-ID: <one@x.test>\r\n\r\nx\r\n.\r\n")
        assert client.reply()[:3] == b"250"
    assert until(lambda: len(listeners(smtpd.pid)) == 2)
    assert second in children(smtpd.pid)
    assert first not in children(smtpd.pid)


def test_a_stop_lets_messages_in_progress_end_and_leaves_nobody(machine, smtpd):
    pids = children(smtpd.pid)
    clients = [dial(machine) for _ in range(8)]
    for client in clients:
        client.envelope()
        client.send(b"Subject: under way\r\n\r\n")
    smtpd.send_signal(signal.SIGTERM)
    time.sleep(1)
    for number, client in enumerate(clients):
        client.send(b"number %d\r\n.\r\n" % number)
    assert [client.reply()[:3] for client in clients] == [b"250"] * 8
    for client in clients:
        client.close()
    output, _ = smtpd.communicate(timeout=60)
    assert smtpd.returncode == 0, output
    assert not any(Path(f"/proc/{pid}/exe").exists() for pid in pids)
    exported = machine.tell(
        "export_mailbox", "bob@hamburger.test", "--format", "jsonl", machine.data / "out"
    )
    assert exported == "8 messages exported\n"


def test_a_killed_supervisor_takes_its_processes_along(machine, smtpd):
    pids = children(smtpd.pid)
    smtpd.kill()
    assert len(pids) == 2
    assert until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in pids))


def test_a_port_in_use_is_one_line_though_ports_are_shared(bare_machine):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", port(bare_machine, "SUBMISSION_LISTEN")))
        taken.listen()
        done = bare_machine.run("smtpd")
    assert done.returncode == 1
    assert "cannot take mail on" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("count", ["0", "65"])
def test_a_senseless_number_stops_the_start(bare_machine, count):
    bare_machine.environment["SMTP_PROCESSES"] = count
    assert "SMTP_PROCESSES is a number from 1 to 64" in bare_machine.run("smtpd").stderr
