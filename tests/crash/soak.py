"""`python -m tests.crash.soak --minutes 30`: mail in, out and read for a while, nothing killed.

About ten mails a second come in, some of them leave again, a person reads pages all the time. A
line a minute with the memory of each part (PSS, what it alone has and its share of the rest). At
the end everything is counted as after a crash; status 1 when a promise was broken or a part grew.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bench.processes import memory_bytes
from bench.visitor import RefusedError, Visitor, hidden
from tests.crash.away import Away
from tests.crash.ledger import Ledger
from tests.crash.load import Load
from tests.crash.rounds import Report, settle
from tests.crash.system import MAILBOXES, System
from tests.support.servers import wait_for_port

_PAUSE_S = 2.0
_WARM_UP_SHARE = 3  # a third of the time is left to caches and pools
_GROWTH_MAX = 16 << 20  # octets from then on, and a tenth: what is more is called growth
_LINK = re.compile(r'href="(/mail/[0-9a-f-]{36}/[^"#]*)"')


@dataclass
class Reader:
    """A person who signs in and follows links of the webmail until told to stop."""

    port: int
    login: str
    password: str
    random: Random
    pages: int = 0
    faults: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Read in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="reader")
        self._thread.start()

    def stop(self) -> None:
        """Return when the page in hand is read."""
        self.is_over.set()
        self._thread.join(150)

    def _run(self) -> None:
        visitor = Visitor(self.port)
        try:
            form = {"login": self.login, "password": self.password}
            page = visitor.get("/login/").text
            name = "csrfmiddlewaretoken"
            visitor.post("/login/", form | {name: hidden(page, name)})
            self._follow_links(visitor)
        except (RefusedError, LookupError, OSError) as fault:
            self.faults.append(f"reading: {fault}")
        finally:
            visitor.close()

    def _follow_links(self, visitor: Visitor) -> None:
        path = "/mail/"
        while not self.is_over.wait(self.random.uniform(0.1, 0.6)):
            found = sorted(set(_LINK.findall(visitor.get(path).text)))
            self.pages += 1
            path = self.random.choice(found) if found and self.pages % 8 else "/mail/"


def growth(samples: Sequence[Mapping[str, int]]) -> list[str]:
    """Return what grew, in words: the last sample against the one after the warm-up."""
    first, last = samples[len(samples) // _WARM_UP_SHARE], samples[-1]
    return [
        f"{name} grew from {first[name] >> 20} to {last[name] >> 20} MiB"
        for name in last
        if last[name] - first[name] > _GROWTH_MAX + first[name] // 10
    ]


def soak(directory: Path, *, kind: str, minutes: float, seed: int) -> Report:
    """Run the parts under a mild load for `minutes`; return what was counted."""
    random = Random(seed)
    away = Away(Random(random.random()))
    system, ledger, report = System(directory, kind=kind, away=away), Ledger(), Report()
    try:
        away.start()
        system.create()
        system.manage("build_assets", "--verbosity", "0")
        system.run()
        wait_for_port(system.web_port, seconds=60)
        box = MAILBOXES[0]
        reader = Reader(system.web_port, box, system.passwords[box], Random(random.random()))
        load = Load(
            *(system.port, system.leads_to, ledger, Random(random.random()), "soak"),
            most=sys.maxsize,
            pause_s=_PAUSE_S,
        )
        load.start()
        reader.start()
        try:
            samples = _watch(system, load, reader, minutes=minutes)
        finally:
            reader.stop()
            settle(system, load, report)
        report.violations += [*reader.faults, *growth(samples)]
    finally:
        system.close()
        away.stop()
    return report


def _watch(
    system: System, load: Load, reader: Reader, *, minutes: float
) -> list[Mapping[str, int]]:
    samples: list[Mapping[str, int]] = []
    end = time.monotonic() + minutes * 60
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 60))
        taken = {name: memory_bytes([process.pid]) for name, process in system.processes.items()}
        samples.append(taken)
        each = " ".join(f"{name}={octets >> 20}" for name, octets in taken.items())
        total = sum(taken.values()) >> 20
        _say(f"mails={load.made} pages={reader.pages} MiB: {each} together={total}")
    return samples


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Carry out the command line."""
    parser = argparse.ArgumentParser(prog="tests.crash.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="casilla-soak-"))
    directory.chmod(0o755)
    report = soak(directory, kind=options.database, minutes=options.minutes, seed=options.seed)
    _say(str(report))
    for line in report.violations[:20]:
        _say(f"  {line}")
    if report.violations:
        _say(f"kept for a look: {directory}")
    else:
        shutil.rmtree(directory)
    return int(bool(report.violations))


if __name__ == "__main__":
    sys.exit(main())
