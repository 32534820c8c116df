"""`python -m tests.compose`: proves that the stack that is up in this directory holds.

Each step asserts; the first that fails ends the probe with status 1 and the logs of all services.
`tests/compose/run.sh` brings the stack up and takes it down.
"""

from __future__ import annotations

import smtplib
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

from tests.compose import hardening
from tests.compose.kills import Siege
from tests.compose.person import Person
from tests.compose.stack import HOSTNAME, Stack, say

ADDRESS, PASSWORD = "alice@letters.test", "correct horse battery staple"
MEMORY_TARGET = 800 * 2**20
_AUTHORITY = "/data/caddy/pki/authorities/local/root.crt"
_MIGRATION = '''"""An upgrade, as the probe makes one."""
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("mailcore", "{last}")]
    operations = [migrations.RunSQL("CREATE TABLE probe (id integer)", "DROP TABLE probe")]
'''


class Probe:
    """The steps, in order; what one makes the next ones use."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.authority = stack.compose("exec", "-T", "proxy", "cat", _AUTHORITY)
        self.siege = Siege(stack, hardening.gateway_of(stack))

    def hardening(self) -> None:
        """The containers are what the file says; a missing value is named."""
        hardening.check_containers(self.stack)
        hardening.check_missing_values(self.stack)

    def setup(self) -> None:
        """The link of the log makes the first operator, who makes a domain."""
        log = self.stack.compose("logs", "--no-log-prefix", "web")
        link = log.partition("setup.link url='")[2].partition("'")[0]
        assert link.startswith(f"https://{HOSTNAME}/setup/"), log
        operator = Person(HOSTNAME, authority=self.authority)
        operator.get(link.removeprefix(f"https://{HOSTNAME}"))
        operator.submit(form='<form class="front__form"', login="operator",
                        password=PASSWORD, again=PASSWORD)  # fmt: skip
        assert operator.path.startswith("/console/"), operator.path
        self.stack.manage("create_domain", "letters.test")
        self.stack.manage("create_mailbox", ADDRESS, "--password-stdin", given=f"{PASSWORD}\n")

    def receive(self) -> None:
        """A mail from this machine, over TLS with the proxy's certificate, is read by HTTPS."""
        _send(self.authority, port=25, subject="Words from outside")
        alice = self._alice()
        alice.get("/mail/")
        assert "Words from outside" in alice.page, alice.page[-2000:]

    def submit(self) -> None:
        """587 and 465 take mail of people who sign in."""
        _send(self.authority, port=587, subject="By program", login=True)
        _send(self.authority, port=465, subject="By program", login=True)

    def send(self) -> None:
        """What is written in the browser comes to a host outside."""
        before = len(self.siege.away.arrivals)
        alice = self._alice()
        alice.get("/mail/")
        alice.get(f"/mail/{_mailbox_of(alice)}/compose/")
        words = {"to": "friend@outside.example", "subject": "Words from inside", "send": ""}
        alice.submit(form='<form class="compose"', text="Hello.", **words)
        _wait(lambda: len(self.siege.away.arrivals) > before, "nothing came to the sink")

    def memory(self) -> None:
        """The whole stack at rest stays below the target."""
        time.sleep(60)
        found = self.stack.memory()
        total = sum(found.values())
        for name, octets in sorted(found.items()):
            say(f"memory at rest: {octets / 2**20:6.1f} MiB {name}")
        say(f"memory at rest: {total / 10**6:.0f} MB in all (target 800, aim 600)")
        assert total < MEMORY_TARGET

    def kills(self) -> None:
        """SIGKILL of each service, and of several at once, under load loses nothing."""
        self.siege.create()
        for victims in (["worker"], ["smtp"], ["postgres"], ["redis"], ["web"],
                        ["smtp", "worker", "worker-default", "postgres", "redis"]):  # fmt: skip
            self.siege.round("-".join(victims)[:20], victims)

    def down_and_up(self) -> None:
        """Data survive `down` and `up`."""
        before = self.stack.export(ADDRESS)
        self.stack.compose("down")
        say(f"down and up: healthy after {self.stack.up():.0f} s")
        assert self.stack.export(ADDRESS) == before

    def backup(self) -> None:
        """A backup made while all runs comes back on an empty machine."""
        before = {address: self.stack.export(address) for address in (ADDRESS, "bob@crash.test")}
        say(self.stack.run_once("backup", "/scratch/backup").strip())
        self.stack.compose("down", "--volumes")
        self.stack.up("postgres")
        say(self.stack.run_once("restore", "/scratch/backup").strip().replace("\n", "; "))
        self.stack.up()
        assert {address: self.stack.export(address) for address in before} == before
        self.authority = self.stack.compose("exec", "-T", "proxy", "cat", _AUTHORITY)

    def upgrade(self) -> None:
        """A new image with a migration keeps what the old one had."""
        before = self.stack.export(ADDRESS)
        place = self.stack.directory / "mailcore" / "migrations"
        last = max(path.stem for path in place.glob("0*.py"))
        (place / "9999_probe.py").write_text(_MIGRATION.format(last=last))
        self.stack.compose("build", "--quiet")
        say(f"upgrade: healthy after {self.stack.up():.0f} s")
        assert "[X] 9999_probe" in self.stack.manage("showmigrations", "mailcore")
        assert self.stack.export(ADDRESS) == before
        _send(self.authority, port=25, subject="After the upgrade")
        assert "After the upgrade" in self._alice().get("/mail/")

    def scale(self) -> None:
        """Two workers and two processes at the ports share the work, and one may die."""
        self.stack.up("--scale", "worker=2", SMTP_PROCESSES="2", WEB_CONCURRENCY="2")
        assert len(self.stack.containers("worker")) == 2
        script = "grep -lz -e --process /proc/[0-9]*/cmdline | wc -l"
        count = self.stack.compose("exec", "-T", "smtp", "sh", "-c", script)
        # The shell's own command line has the word in it too.
        assert int(count) >= 2, count
        self.siege.round("scaled", [])

    def _alice(self) -> Person:
        alice = Person(HOSTNAME, authority=self.authority)
        alice.get("/login/")
        alice.submit(form='<form class="front__form"', login=ADDRESS, password=PASSWORD)
        assert alice.path.startswith("/mail/"), (alice.path, alice.page[:500])
        return alice


def _mailbox_of(person: Person) -> str:
    return person.path.split("/")[2]


def _send(authority: str, *, port: int, subject: str, login: bool = False) -> None:
    message = EmailMessage()
    message["From"] = ADDRESS if login else "stranger@outside.example"
    message["To"], message["Subject"] = ADDRESS, subject
    message.set_content("Hello.\n")
    tls = ssl.create_default_context(cadata=authority)
    if port == 465:
        tls.check_hostname = False  # smtplib says the name that it connects to
        server: smtplib.SMTP = smtplib.SMTP_SSL("127.0.0.1", port, timeout=30, context=tls)
    else:
        server = smtplib.SMTP("127.0.0.1", port, timeout=30)
        server._host = HOSTNAME  # type: ignore[attr-defined]  # what the certificate must say
        server.starttls(context=tls)
    with server:
        if login:
            server.login(ADDRESS, PASSWORD)
        server.send_message(message)


def _wait(is_so: Callable[[], bool], otherwise: str, *, seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, otherwise
        time.sleep(0.2)


def main() -> int:
    """Carry out the steps named on the command line, or all."""
    stack = Stack(Path.cwd(), Path(tempfile.mkdtemp(prefix="casilla-compose-")))
    probe = Probe(stack)
    steps = (probe.hardening, probe.setup, probe.receive, probe.submit, probe.send, probe.memory,
             probe.kills, probe.down_and_up, probe.backup, probe.upgrade, probe.scale)  # fmt: skip
    wanted = sys.argv[1:]
    probe.siege.away.start()
    try:
        for step in steps:
            if not wanted or step.__name__ in wanted:
                begun = time.monotonic()
                step()
                say(f"{step.__name__}: ok ({time.monotonic() - begun:.0f} s)")
    except (AssertionError, OSError, ValueError, subprocess.CalledProcessError):
        say(stack.compose("ps", "-a"))
        say(stack.compose("logs", "--tail", "40"))
        raise
    finally:
        probe.siege.away.stop()
        stack.forget_scratch()
    say("all steps are ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
