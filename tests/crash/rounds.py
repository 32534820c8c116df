"""One round: load, kills at random moments, drain, count. A fact or a violation, never a guess."""

from __future__ import annotations

import base64
import json
import math
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.crash.away import judge_away
from tests.crash.ledger import Copy, Ledger, judge
from tests.crash.load import Load
from tests.crash.system import MAILBOXES, UNDERIVED, UNREADABLE, UNSENT, System

ACCEPTS_S = 10.0  # G8, from the kill to the next 250 after a dot
SENDS_S = 60.0  # G4, from the last kill until everything has left
_GIVES_UP_S = 60.0
_DRAIN_S = 60.0
_DERIVE_S = 60.0
_SEND_S = 150.0
_MARKER = re.compile(rb"^X-Marker: (\S+)\r$", re.MULTILINE)


@dataclass(slots=True)
class Report:
    """What a round showed. Times in seconds."""

    kills: list[str] = field(default_factory=list)
    resumed_s: list[float] = field(default_factory=list)
    sent_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    replies: Counter[int] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)  # G8; a busy machine alone can cause it

    def __str__(self) -> str:
        slowest = max(self.resumed_s, default=0.0)
        counts = " ".join(f"{name}={number}" for name, number in sorted(self.counts.items()))
        replies = " ".join(f"{code}:{number}" for code, number in sorted(self.replies.items()))
        return (
            f"kills={','.join(self.kills)} accepts_again={slowest:.2f}s"
            f" all_sent={self.sent_s:.1f}s {counts}"
            f" replies=({replies}) late={len(self.late)}"
            f" violations={len(self.violations)}"
        )


def run_round(
    system: System,
    ledger: Ledger,
    *,
    random: Random,
    name: str,
    most: int = 300,
    victims: Sequence[str] = (),
) -> Report:
    """Run a round on a system whose parts run; `ledger` holds the mails of earlier rounds too.

    Kills these victims in turn, or one to three of them by chance.
    """
    report = Report()
    before = Counter(ledger.replies)
    load = Load(system.port, system.leads_to, ledger, Random(random.random()), name, most)
    load.start()
    chosen = victims or random.choices(system.victims, k=random.choice((1, 2, 3)))
    for victim in chosen:
        _kill(victim, system, load, random, report)
    settle(system, load, report)
    report.replies -= before
    return report


def settle(system: System, load: Load, report: Report) -> None:
    """End the load, wait until everything is sent and derived, and count what is there."""
    ledger = load.ledger
    load.drain(seconds=_DRAIN_S)
    still_open = ledger.open_mails()
    report.violations += [f"never accepted: {mail.marker}" for mail in still_open]
    report.violations += ledger.violations
    ledger.violations.clear()
    report.replies = Counter(ledger.replies)
    report.counts["mails"] = load.made
    report.counts["cut_off"] = ledger.cut_off
    ledger.cut_off = 0
    _wait_until_sent(system, report)
    _count(system, ledger, report)


def _kill(victim: str, system: System, load: Load, random: Random, report: Report) -> None:
    ledger = load.ledger
    time.sleep(random.uniform(0.3, 1.5))
    report.kills.append(victim)
    report.violations += [f"{name} ended by itself" for name in system.ended()]
    cut_off = ledger.cut_off
    load.most = max(load.most, load.made + 20)  # something must be left to accept
    killed_at = time.monotonic()
    system.kill(victim)
    if victim in {system.sender, "all"}:
        system.kills.append(time.monotonic())
    system.restart(victim)
    resumed = _wait_for_accept(ledger, killed_at)
    report.resumed_s.append(resumed)
    if resumed > ACCEPTS_S:
        busy = os.getloadavg()[0]
        report.late.append(f"accepts {resumed:.1f} s after {victim} (load average {busy:.1f})")
    if victim not in {"smtpd", "all"} and ledger.cut_off > cut_off:
        report.violations.append(f"connection closed after the dot: {victim} was killed")


def _wait_for_accept(ledger: Ledger, killed_at: float) -> float:
    """Return the seconds until the next 250 after a dot, infinity when there is none."""
    while time.monotonic() < killed_at + _GIVES_UP_S:
        # A 250 of the first moments may have been on its way when the signal was sent.
        found = ledger.first_acknowledged_after(killed_at + 0.05)
        if found is not None:
            return found + 0.05
        time.sleep(0.02)
    return math.inf


def _wait_until_sent(system: System, report: Report) -> None:
    """Wait for the leases of what was killed, and for everything to leave."""
    if system.away is None:
        return
    begun_at = time.monotonic()
    left = system.wait_until_none(UNSENT, seconds=_SEND_S)
    report.sent_s = time.monotonic() - begun_at
    if left:
        report.violations.append(f"{left} recipients were never sent to")
    elif report.sent_s > SENDS_S:
        report.late.append(f"all sent after {report.sent_s:.1f} s")


def _count(system: System, ledger: Ledger, report: Report) -> None:
    report.violations += [f"{name} ended by itself" for name in system.ended()]
    waiting = system.wait_until_none(UNDERIVED, seconds=_DERIVE_S)
    if waiting:
        report.violations.append(f"{waiting} contents were never derived")
    unreadable = system.count(UNREADABLE)
    if unreadable:
        report.violations.append(f"{unreadable} contents are called unreadable")
    stored = {address: list(_exported(system, address)) for address in MAILBOXES}
    wrong, counts = judge(ledger.mails, stored)
    report.violations += wrong
    report.counts += counts
    for command in ("verify_store", "audit_mail"):
        try:
            system.manage(command)
        except subprocess.CalledProcessError as error:
            report.violations.append(f"{command}: {error.output}")
    if system.away:
        wrong, sent = judge_away(ledger.mails, system.away.arrivals, system.kills)
        report.violations += wrong
        report.counts.update(sent)


def _exported(system: System, address: str) -> Iterator[Copy]:
    path = Path(system.directory / f"{address}.jsonl")
    path.unlink(missing_ok=True)
    system.manage("export_mailbox", address, "--format", "jsonl", str(path))
    with path.open("rb") as file:
        for line in file:
            message = json.loads(line)
            raw = base64.b64decode(message["raw"])
            marker = _MARKER.search(raw)
            # Our trace fields stand before the first field of the mail.
            blob = raw[raw.index(b"From: Load ") :] if marker else raw
            yield Copy(marker[1].decode() if marker else "", message["sha256"], blob)
