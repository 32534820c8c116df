"""Row 5 of the targets: mail that is received and can be found, from ten sessions.

Every server indexes while it receives: Dovecot by fts_xapian with `fts_autoindex`, Casilla by its
derive worker. The clock stops when a search for the subject of this load finds every message.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from bench import peer
from bench.casilla import Casilla
from bench.load import Load
from bench.measure import MailLostError, send
from bench.processes import cpu_seconds
from bench.server import RECIPIENTS, Server
from tests.support.servers import Cluster, find_postgresql_bin

MESSAGES = 2_000  # a round: 200 a mailbox, below what a search of ours counts exactly
_SECONDS = 60.0
_PATIENCE_S = 300.0
_TARGET = 2.0
_FTS = """
mail_plugins = fts fts_xapian
plugin {
  fts = xapian
  fts_xapian = partial=3 full=20
  fts_autoindex = yes
  fts_enforced = yes
}
service indexer-worker {
  vsz_limit = 2G
}
"""
_PLUGIN = "modules/lib21_fts_xapian_plugin.so"
_HEAD = f"{'server':<20} {'msg/s':>7} {'250 msg/s':>9} {'CPU ms':>7}  {'rate':>9}"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Found:
    """A round: messages a second until the last is found, until the last 250, CPU a message."""

    messages: int
    rate: float
    accepted_rate: float
    cpu_ms: float


class IndexingPeer(peer.Peer):
    """Postfix -> LMTP -> Dovecot, which indexes what comes."""

    more_settings = _FTS

    def findable(self, subject: str) -> int:
        """Return how many messages with this subject a search finds, in all mailboxes."""
        searches = [
            subprocess.Popen(
                [
                    *("doveadm", "-c", self.directory / "dovecot.conf", "search"),
                    *("-u", f"user{number}", "mailbox", "INBOX", "subject", subject),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            for number in range(RECIPIENTS)
        ]
        return sum(len(one.communicate()[0].splitlines()) for one in searches)


class IndexingCasilla(Casilla):
    """Casilla with its derive worker."""

    def start(self) -> None:
        """Start the server and the worker."""
        super().start()
        self.installation.run("derive")

    def findable(self, subject: str) -> int:
        """Return how many messages with this subject a search finds, in all mailboxes.

        Asks the service only when nothing waits any more: a process for each look takes a second.
        """
        if self.installation.number(_UNDERIVED):
            return 0
        self.installation.manage("shell", "--verbosity", "0", "--command", _SEARCH % subject)
        return int((self.installation.directory / "found").read_text())


_UNDERIVED = "SELECT count(*) FROM mailcore_content WHERE parsed_at IS NULL"
_SEARCH = """
from datetime import date
from pathlib import Path
from django.conf import settings
from django.utils import timezone
from mailcore.models.directory import Mailbox
from mailcore.search.query import parse
from mailcore.store import search
query = parse('subject:"%s"', language="en", today=date.today())
now = timezone.now()
found = [search.search(mailbox=one, query=query, me=[], now=now) for one in Mailbox.objects.all()]
(settings.DATA_DIR / "found").write_text(str(sum(one.count for one in found)))
"""
Indexing = IndexingPeer | IndexingCasilla


def run(directory: Path, *, rounds: int, only: str, say: Say) -> list[dict[str, object]]:
    """Measure all rounds and print the table; return every figure.

    Raises MailLostError, CalledProcessError, TimeoutError.
    """
    kept: dict[str, list[Found]] = defaultdict(list)
    with ExitStack() as stack:
        chosen = [one for one in _servers(directory, say) if only in one.name.lower()]
        for server in chosen:
            stack.callback(server.stop)
            server.start()
        for number in range(rounds + 1):
            for server in chosen:
                found = measure(server, seed=500 + number, count=MESSAGES if number else 100)
                if number:
                    kept[server.name].append(found)
                    say(f"round {number}/{rounds}  {server.name:<20} {found.rate:7.0f}/s findable")
    say("\n" + table(kept))
    return [
        {"server": server, "round": number} | asdict(found)
        for server, all_found in kept.items()
        for number, found in enumerate(all_found, start=1)
    ]


def _servers(directory: Path, say: Say) -> list[Indexing]:
    servers: list[Indexing] = []
    if reason := peer.missing() or _missing():
        say(f"skipped the peer: {reason}; there are no ratios")
    else:
        servers.append(IndexingPeer(directory / "peer"))
    servers.append(IndexingCasilla(directory / "sqlite"))
    if find_postgresql_bin():
        cluster = Cluster(directory / "cluster")
        servers.append(IndexingCasilla(directory / "postgresql", cluster=cluster))
    else:
        say("skipped PostgreSQL: no initdb (Debian: postgresql)")
    return servers


def _missing() -> str:
    libraries = Path("/usr/lib/dovecot") / _PLUGIN
    is_there = libraries.exists() and shutil.which("doveadm")
    return "" if is_there else "Dovecot cannot index (Debian: dovecot-fts-xapian)"


def measure(server: Indexing, *, seed: int, count: int) -> Found:
    """Send `count` messages and wait until a search finds all. Raises MailLostError."""
    roots = server.pids()
    cpu_before = cpu_seconds(roots)
    result = send(_load(server, seed=seed, count=count))
    if result.failures:
        raise MailLostError(f"{server.name} refuses mail: {result.failures[0]}")
    ends = time.monotonic() + _PATIENCE_S
    while (seen := server.findable(f"Offer {seed}")) < result.accepted:
        if time.monotonic() > ends:
            raise MailLostError(f"{server.name}: {seen} of {result.accepted} can be found")
        time.sleep(0.05)
    taken_s = time.time() - result.started_at
    return Found(
        messages=result.accepted,
        rate=result.accepted / taken_s,
        accepted_rate=result.accepted / (result.finished_at - result.started_at),
        cpu_ms=(cpu_seconds(roots) - cpu_before) / result.accepted * 1000,
    )


def _load(server: Server, *, seed: int, count: int) -> Load:
    return Load(
        port=server.port,
        sessions=10,
        size=10_000,
        seconds=_SECONDS,
        recipients=RECIPIENTS,
        limit=count,
        seed=seed,
    )


def table(kept: Mapping[str, Sequence[Found]]) -> str:
    """Return the table as text; a ratio that misses its target is marked with `!`."""
    rates = {name: median(one.rate for one in rounds) for name, rounds in kept.items()}
    lines = [_HEAD, "-" * len(_HEAD)]
    for name, rounds in kept.items():
        accepted = median(one.accepted_rate for one in rounds)
        cpu = median(one.cpu_ms for one in rounds)
        line = f"{name:<20} {rates[name]:7.0f} {accepted:9.0f} {cpu:7.2f}"
        if peer.Peer.name in rates and name != peer.Peer.name:
            ratio = rates[name] / rates[peer.Peer.name]
            line += f"  {ratio:7.2f}x{'!' * (ratio < _TARGET)}"
        lines.append(line)
    return "\n".join(lines)
