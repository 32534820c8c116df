"""Hears that mailboxes changed: one thread of a web process for all its open pages.

It looks at two indexed columns of the mailboxes that somebody watches, every half second, or every
ten where Redis tells. It runs, and holds a database connection, only while somebody watches.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import redis
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from mailcore import conf
from mailcore.live import channel
from mailcore.live.channel import What
from mailcore.models.directory import Mailbox
from mailcore.models.trace import TraceEvent

log = logging.getLogger("mailcore.live")

Changes = frozenset[tuple[What, int]]
Listener = Callable[[Changes], None]
LOOK_S = 0.5
LOOK_WITH_REDIS_S = 10.0
RETRY_S = 5.0
_WINDOW = timedelta(seconds=30)  # a transaction may commit so long after the time it writes
_EVENTS_MAX = 2000
# What becomes of mail that was submitted in the name of a mailbox; glossary, trace events.
_SENDING = (
    "queued",
    "held",
    "released",
    "captured",
    "attempted",
    "delivered",
    "deferred",
    "failed",
    "expired",
    "cancelled",
    "notified",
    "reported",
)


@dataclass(frozen=True, slots=True, eq=False)
class Watching:
    """Who watches which mailboxes; `listener` is called in the watching thread, with ids."""

    mailbox_ids: frozenset[int]
    listener: Listener


@dataclass(slots=True)
class Known:
    """What the last look has seen of the mailboxes that are watched."""

    modseqs: dict[int, int] = field(default_factory=dict)
    events: dict[int, set[int]] = field(default_factory=dict)

    def look(self, mailbox_ids: Collection[int], *, now: datetime) -> set[tuple[What, int]]:
        """Return what changed since the last look.

        Of a mailbox that is new, what was sent in the last half minute counts as a change.

        Two queries, by primary key and by the trace's index of mailboxes. Raises DatabaseError.
        """
        modseqs = dict(Mailbox.objects.filter(pk__in=mailbox_ids).values_list("pk", "modseq"))
        events: dict[int, set[int]] = {one: set() for one in mailbox_ids}
        rows = TraceEvent.objects.filter(
            mailbox_id__in=mailbox_ids, at__gte=now - _WINDOW, kind__in=_SENDING
        )
        for pk, mailbox_id in rows.order_by("-at").values_list("pk", "mailbox_id")[:_EVENTS_MAX]:
            events[mailbox_id or 0].add(pk)
        changes: set[tuple[What, int]] = set()
        for one, modseq in modseqs.items():
            if self.modseqs.get(one, modseq) != modseq:
                changes.add(("mail", one))
            if events[one] - self.events.get(one, set()):
                changes.add(("sending", one))
        self.modseqs, self.events = modseqs, events
        return changes


class Watcher:
    """The listeners of a process and the thread that serves them."""

    def __init__(self, *, look_s: float = LOOK_S) -> None:
        self._look_s = look_s
        self._watching: set[Watching] = set()
        self._seeds: dict[int, int] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._gone = threading.Event()  # set when the last one has left

    def add(self, modseqs: Mapping[int, int], listener: Listener) -> Watching:
        """Call `listener` with what changes in mailboxes after they had these modseqs."""
        watching = Watching(frozenset(modseqs), listener)
        with self._lock:
            self._watching.add(watching)
            for one, modseq in modseqs.items():
                self._seeds[one] = min(modseq, self._seeds.get(one, modseq))
            if self._thread is None:
                self._gone = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._gone,), name="live-watch", daemon=True
                )
                self._thread.start()
        return watching

    def remove(self, watching: Watching) -> None:
        """Stop calling the listener. The thread ends with the last one."""
        with self._lock:
            self._watching.discard(watching)
            if not self._watching:
                self._gone.set()
                self._thread = None

    def _run(self, gone: threading.Event) -> None:
        known = Known()
        try:
            with _subscribed(conf.redis_url()) as heard:
                while not gone.is_set():
                    self._round(known, heard, gone)
        finally:
            connection.close()

    def _round(self, known: Known, heard: _Heard, gone: threading.Event) -> None:
        """Look once, then wait for the next look or for what Redis tells meanwhile."""
        try:
            close_old_connections()
            mailbox_ids = self._mailbox_ids(known, gone)
            self._dispatch(known.look(mailbox_ids, now=timezone.now()))
        except DatabaseError as error:
            log.warning("live.blind", extra={"fields": {"error": repr(error)}})
            connection.close()
        heard.subscribe_again()
        end = time.monotonic() + (LOOK_WITH_REDIS_S if heard.is_on else self._look_s)
        while not gone.is_set() and (left := end - time.monotonic()) > 0:
            if not heard.is_on:
                gone.wait(min(left, self._look_s))
                return
            self._dispatch(heard.wait(min(left, self._look_s)))

    def _mailbox_ids(self, known: Known, gone: threading.Event) -> set[int]:
        with self._lock:
            if gone.is_set():  # what came since then is for the thread that follows
                return set()
            seeds, self._seeds = self._seeds, {}
            for one, modseq in seeds.items():
                known.modseqs[one] = min(modseq, known.modseqs.get(one, modseq))
            return {one for watching in self._watching for one in watching.mailbox_ids}

    def _dispatch(self, changes: Collection[tuple[What, int]]) -> None:
        if not changes:
            return
        with self._lock:
            watching = tuple(self._watching)
        for each in watching:
            theirs = frozenset(one for one in changes if one[1] in each.mailbox_ids)
            if theirs:
                each.listener(theirs)


class _Heard:
    """What Redis tells, or nothing while it is away."""

    def __init__(self, pubsub: Any) -> None:
        self._pubsub = pubsub
        self._next_try_at = 0.0
        self.is_on = False

    def subscribe_again(self) -> None:
        """Subscribe unless that is done; not more often than every few seconds."""
        if self.is_on or self._pubsub is None or time.monotonic() < self._next_try_at:
            return
        self._next_try_at = time.monotonic() + RETRY_S
        with contextlib.suppress(redis.RedisError):
            self._pubsub.subscribe(channel.NAME)
            self.is_on = True

    def wait(self, seconds: float) -> set[tuple[What, int]]:
        """Return the notices of the next message, none when there is none in time."""
        try:
            message = self._pubsub.get_message(ignore_subscribe_messages=True, timeout=seconds)
        except redis.RedisError as error:
            log.warning("live.deaf", extra={"fields": {"error": repr(error)}})
            self.is_on = False
            return set()
        return channel.read(message["data"]) if message else set()


@contextlib.contextmanager
def _subscribed(url: str) -> Iterator[_Heard]:
    if not url:
        yield _Heard(None)
        return
    client = redis.Redis.from_url(url, socket_connect_timeout=channel.TIMEOUT_S)
    with contextlib.closing(client), client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
        yield _Heard(pubsub)


watcher = Watcher()
