"""Kills services of the running stack under load and counts the mail, as the crash test does.

The load, the outside world and the verdict are the crash test's; only what runs is the real stack.
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from random import Random

from tests.compose.stack import AWAY_PORT, Stack, say
from tests.crash.away import Away, judge_away
from tests.crash.ledger import Ledger, judge
from tests.crash.load import Load
from tests.crash.system import ALIASES, DOMAIN, MAILBOXES, UNDERIVED, UNSENT

_MAILS = 150
_DRAIN_S = 120.0
_SETTLE_S = 180.0
_LEADS_TO = {box: (box,) for box in MAILBOXES} | ALIASES


class Siege:
    """The ledger of all rounds on one stack, and the world outside of it."""

    def __init__(self, stack: Stack, gateway: str) -> None:
        self._stack = stack
        self._random = Random(5)
        self.ledger = Ledger()
        self.away = Away(Random(6), port=AWAY_PORT, host=gateway)
        self._sender_killed_at: list[float] = []

    def create(self) -> None:
        """Make domain, mailboxes and aliases."""
        self._stack.manage("create_domain", DOMAIN)
        for address in MAILBOXES:
            self._stack.manage("create_mailbox", address)
        for alias, targets in ALIASES.items():
            self._stack.manage("create_alias", alias, *targets)

    def round(self, name: str, victims: Sequence[str]) -> None:
        """Load, kill these at once, wait until all is done, count. Raises AssertionError."""
        load = Load(25, _LEADS_TO, self.ledger, Random(self._random.random()), name, _MAILS)
        load.start()
        try:
            self._wait_for_load(load)
            for victim in victims:
                moments = self._stack.kill(victim)
                if victim == "worker":
                    self._sender_killed_at += moments
            self._resumed(load, time.monotonic(), victims)
        finally:
            load.drain(seconds=_DRAIN_S)
        self._stack.wait_until_healthy()
        self._settle()
        self._judge(name, victims)

    def _wait_for_load(self, load: Load) -> None:
        ends = time.monotonic() + 60
        while load.made < _MAILS // 4 and time.monotonic() < ends:
            time.sleep(0.05)

    def _resumed(self, load: Load, killed_at: float, victims: Sequence[str]) -> None:
        load.most = load.made + 40  # something must be left to accept
        ends = time.monotonic() + 90
        while (found := self.ledger.first_acknowledged_after(killed_at + 0.2)) is None:
            assert time.monotonic() < ends, f"no mail is taken after {victims} were killed"
            time.sleep(0.05)
        if victims:
            say(f"{', '.join(victims)} killed: mail is taken again after {found + 0.2:.1f} s")

    def _settle(self) -> None:
        for query in (UNSENT, UNDERIVED):
            ends = time.monotonic() + _SETTLE_S
            while left := self._count(query):
                assert time.monotonic() < ends, f"{left} left of: {query}"
                time.sleep(0.5)

    def _count(self, query: str) -> int:
        with suppress(subprocess.CalledProcessError):
            return self._stack.count(query)
        return 1

    def _judge(self, name: str, victims: Sequence[str]) -> None:
        stored = {address: list(self._stack.copies(address)) for address in MAILBOXES}
        wrong, counts = judge(self.ledger.mails, stored)
        # What has no marker is a mail of another step.
        arrivals = {key: found for key, found in self.away.arrivals.items() if key[0]}
        away, sent = judge_away(self.ledger.mails, arrivals, self._sender_killed_at)
        wrong += away + self.ledger.violations
        wrong += [f"never accepted: {mail.marker}" for mail in self.ledger.open_mails()]
        assert not wrong, wrong[:20]
        for command in ("audit_mail", "verify_store"):
            self._stack.manage(command)
        total = Counter(counts) + Counter(sent)
        say(
            f"round {name} ({', '.join(victims) or 'nothing'} killed):"
            f" {len(self.ledger.mails)} mails so far, {total['copies']} copies,"
            f" {total['sent']} sent, {total['sent_again']} twice with reason, nothing lost;"
            f" audit_mail and verify_store find no fault"
        )
