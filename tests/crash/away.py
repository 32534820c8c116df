"""The world outside: a mail host on loopback that counts what it takes, and what it may get twice.

It loses a connection now and then after it took a message and before its 250. `judge` compares
what came with what was acknowledged (G4): nothing is lost; a copy too many needs an excuse, a lost
reply or a kill within `WINDOW_S` after it was taken.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.crash.ledger import Mail
from tests.support.counting_sink import SinkSession
from tests.support.servers import free_port

# 20 ms until an outcome is written, its COMMIT, and the time for which a busy machine may keep
# either process from running.
WINDOW_S = 0.5
_DROPS = 0.02
_MARKER = re.compile(rb"^X-Marker: (\S+)\r$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A copy that the host took. `at` is monotonic time in seconds."""

    at: float
    was_answered: bool


@dataclass
class Away:
    """The mail host of every domain that is not ours; runs in a thread of its own."""

    random: Random
    port: int = field(default_factory=free_port)
    host: str = "127.0.0.1"
    arrivals: dict[tuple[str, str], list[Arrival]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def start(self) -> None:
        """Listen. Returns when connections are taken."""
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="away")
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        """End the thread; connections are cut."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        make = self._loop.create_server(lambda: SinkSession(self._take), self.host, self.port)
        server = self._loop.run_until_complete(make)
        self._loop.call_soon(ready.set)
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _take(self, paths: tuple[str, ...], content: bytes) -> bytes | None:
        marker = _MARKER.search(content)
        name = marker[1].decode() if marker else ""
        was_answered = self.random.random() >= _DROPS
        for path in paths:
            self.arrivals[name, path].append(Arrival(time.monotonic(), was_answered))
        return b"250 2.0.0 Taken\r\n" if was_answered else None


def judge_away(
    mails: Mapping[str, Mail],
    arrivals: Mapping[tuple[str, str], Sequence[Arrival]],
    kills: Iterable[float],
) -> tuple[list[str], dict[str, int]]:
    """Return what is wrong with what left, and counts; `kills` are moments in monotonic time."""
    moments = sorted(kills)
    wrong: list[str] = []
    counts = {"sent": 0, "sent_again": 0}
    for (marker, path), copies in arrivals.items():
        counts["sent"] += len(copies)
        mail = mails.get(marker)
        if mail is None or path not in mail.away:
            wrong.append(f"{path} got a mail that nobody sent there: {marker!r}")
            continue
        # Without a Message-ID a repeated submission is another mail.
        allowed = 1 if mail.has_message_id else 1 + mail.unanswered
        needless = [copy for copy in copies[:-1] if not _is_excused(copy, moments)]
        counts["sent_again"] += len(copies) - 1
        if len(needless) >= allowed:
            wrong.append(f"sent {len(copies)} times: {marker} to {path}, {_ages(copies, moments)}")
    for mail in mails.values():
        if mail.is_acknowledged:
            missing = [path for path in mail.away if (mail.marker, path) not in arrivals]
            wrong += [f"lost: {mail.marker} never came to {path}" for path in missing]
    return wrong, counts


def _is_excused(copy: Arrival, kills: Sequence[float]) -> bool:
    """Whether a repeat of this copy was to be expected: nobody could have stored its reply."""
    return not copy.was_answered or any(0 <= kill - copy.at <= WINDOW_S for kill in kills)


def _ages(copies: Sequence[Arrival], kills: Sequence[float]) -> str:
    """Return how long before the next kill each copy was taken."""
    ages = (
        min((kill - copy.at for kill in kills if kill >= copy.at), default=-1) for copy in copies
    )
    return "before the next kill by " + ", ".join(f"{age:.3f} s" for age in ages)
