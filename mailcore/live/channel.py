"""Tells other processes that a mailbox changed: one Redis message, from a thread of its own.

Without REDIS_URL nothing is told, and listeners look at the tables. Nobody who commits waits here:
what Redis does not take at once is dropped.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Collection, Iterable
from functools import partial
from typing import Literal

import redis
from django.db import transaction

from mailcore import conf

log = logging.getLogger("mailcore.live")

What = Literal["mail", "sending"]  # what is in the mailbox; what becomes of what was sent
NAME = "casilla.live"
TIMEOUT_S = 2.0
_PAUSE_S = 1.0
_LONGEST = 10_000  # notices that wait while Redis is slow


def after_commit(mailbox_ids: Iterable[int | None], what: What) -> None:
    """Tell once the open transaction is committed; at once outside of one. None is nobody."""
    found = frozenset(one for one in mailbox_ids if one is not None)
    if found:
        transaction.on_commit(partial(tell, found, what), robust=True)


def tell(mailbox_ids: Collection[int], what: What) -> None:
    """Tell every web process; returns at once and raises nothing."""
    if conf.redis_url():
        _sender().put((what, mailbox_id) for mailbox_id in mailbox_ids)


class Sender:
    """Sends what is put, in one message for all that came together."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: set[tuple[What, int]] = set()
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def put(self, notices: Iterable[tuple[What, int]]) -> None:
        """Add to what is sent next; while Redis is away, only so much is kept."""
        with self._condition:
            if len(self._waiting) < _LONGEST:
                self._waiting.update(notices)
            self._condition.notify()

    def _run(self) -> None:
        client = redis.Redis.from_url(
            self._url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
        )
        while True:
            notices = self._take()
            try:
                client.publish(NAME, write(notices))
            except redis.RedisError as error:
                log.warning("live.not_told", extra={"fields": {"error": repr(error)}})
                time.sleep(_PAUSE_S)

    def _take(self) -> set[tuple[What, int]]:
        with self._condition:
            while not self._waiting:
                self._condition.wait()
            notices, self._waiting = self._waiting, set()
            return notices


def write(notices: Iterable[tuple[What, int]]) -> str:
    """Return notices as JSON: lists of mailbox ids by what changed."""
    lists: dict[str, list[int]] = {}
    for what, mailbox_id in sorted(notices):
        lists.setdefault(what, []).append(mailbox_id)
    return json.dumps(lists)


def read(message: bytes | str) -> set[tuple[What, int]]:
    """Return the notices of a message; what is none is left out. Raises nothing."""
    try:
        lists = json.loads(message)
    except ValueError:
        return set()
    if not isinstance(lists, dict):
        return set()
    whats: tuple[What, ...] = ("mail", "sending")
    return {
        (what, one)
        for what in whats
        if isinstance(lists.get(what), list)
        for one in lists[what]
        if isinstance(one, int)
    }


_senders: dict[int, Sender] = {}  # by process id: a thread does not outlive a fork
_lock = threading.Lock()


def _sender() -> Sender:
    with _lock:
        found = _senders.get(os.getpid())
        if found is None:
            _senders.clear()
            found = _senders[os.getpid()] = Sender(conf.redis_url())
        return found
