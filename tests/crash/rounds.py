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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.crash.ledger import Copy, Ledger, judge
from tests.crash.load import Load
from tests.crash.system import MAILBOXES, System

ACCEPTS_S = 10.0  # G8, from the kill to the next 250 after a dot
_GIVES_UP_S = 60.0
_DRAIN_S = 60.0
_DERIVE_S = 60.0
_MARKER = re.compile(rb"^X-Marker: (\S+)\r$", re.MULTILINE)


@dataclass(slots=True)
class Report:
    """What a round showed. Times in seconds."""

    kills: list[str] = field(default_factory=list)
    resumed_s: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    replies: Counter[int] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)  # G8; a busy machine alone can cause it

    def __str__(self) -> str:
        slowest = max(self.resumed_s, default=0.0)
        counts = " ".join(f"{name}={number}" for name, number in sorted(self.counts.items()))
        replies = " ".join(f"{code}:{number}" for code, number in sorted(self.replies.items()))
        return (
            f"kills={','.join(self.kills)} accepts_again={slowest:.2f}s {counts}"
            f" replies=({replies}) late={len(self.late)}"
            f" violations={len(self.violations)}"
        )


def run_round(
    system: System, ledger: Ledger, *, random: Random, name: str, most: int = 300
) -> Report:
    """Run a round on a system whose parts run; `ledger` holds the mails of earlier rounds too."""
    report = Report()
    before = Counter(ledger.replies)
    load = Load(system.port, ledger, Random(random.random()), name, most)
    load.start()
    _kill_at_random(system, load, random, report)
    load.drain(seconds=_DRAIN_S)
    still_open = ledger.open_mails()
    report.violations += [f"never accepted: {mail.marker}" for mail in still_open]
    report.violations += ledger.violations
    ledger.violations.clear()
    report.replies = ledger.replies - before
    report.counts["mails"] = load.made
    report.counts["cut_off"] = ledger.cut_off
    ledger.cut_off = 0
    _count(system, ledger, report)
    return report


def _kill_at_random(system: System, load: Load, random: Random, report: Report) -> None:
    ledger = load.ledger
    for _ in range(random.choice((1, 2, 3))):
        time.sleep(random.uniform(0.3, 1.5))
        victim = random.choice(system.victims)
        report.kills.append(victim)
        report.violations += [f"{name} ended by itself" for name in system.ended()]
        cut_off = ledger.cut_off
        load.most = max(load.most, load.made + 20)  # something must be left to accept
        killed_at = time.monotonic()
        system.kill(victim)
        system.restart(victim)
        resumed = _wait_for_accept(ledger, killed_at)
        report.resumed_s.append(resumed)
        if resumed > ACCEPTS_S:
            busy = os.getloadavg()[0]
            report.late.append(f"accepts {resumed:.1f} s after {victim} (load average {busy:.1f})")
        if victim in {"derive", "database"} and ledger.cut_off > cut_off:
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


def _count(system: System, ledger: Ledger, report: Report) -> None:
    report.violations += [f"{name} ended by itself" for name in system.ended()]
    waiting = system.wait_until_derived(seconds=_DERIVE_S)
    if waiting:
        report.violations.append(f"{waiting} contents were never derived")
    unreadable = system.count(unreadable=True)
    if unreadable:
        report.violations.append(f"{unreadable} contents are called unreadable")
    stored = {address: list(_exported(system, address)) for address in MAILBOXES}
    wrong, counts = judge(ledger.mails, stored)
    report.violations += wrong
    report.counts += counts
    try:
        system.manage("verify_store")
    except subprocess.CalledProcessError as error:
        report.violations.append(f"verify_store: {error.output}")


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
