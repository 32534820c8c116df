"""Whether all that mail needs answers: database, broker, queue, disk. For `/readyz`.

Every part is asked in a thread of its own and has less than a second: what hangs is not well, and
is not asked again before it came back, so that watchers cannot pile up questions. Says nothing
about hosts, users or errors: anybody may ask.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass, field
from threading import Lock

import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from mailcore.delivery import capacity
from mailcore.queue import inspect

log = logging.getLogger("webmail.readiness")

ANSWER_S = 0.8
OVERDUE_MAX_S = 1800.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether one part is well, and harmless numbers about it."""

    is_well: bool
    facts: Mapping[str, object] = field(default_factory=dict)


class Questions:
    """Asks every part at once. `parts` are asked in threads; what they raise means not well."""

    def __init__(self, parts: Mapping[str, Callable[[], Finding]]) -> None:
        self._parts = parts
        self._pool = ThreadPoolExecutor(len(parts), thread_name_prefix="readiness")
        self._lock = Lock()
        self._running: dict[str, Future[Finding]] = {}

    def ask(self, *, within_s: float = ANSWER_S) -> dict[str, Finding]:
        """Return a finding for every part; those that take longer than `within_s` are not well."""
        asked = {name: self._future(name) for name in self._parts}
        ends = time.monotonic() + within_s
        return {
            name: _finding(name, future, max(0.0, ends - time.monotonic()))
            for name, future in asked.items()
        }

    def _future(self, name: str) -> Future[Finding]:
        with self._lock:
            running = self._running.get(name)
            if running is None or running.done():
                running = self._running[name] = self._pool.submit(self._parts[name])
            return running


def _finding(name: str, future: Future[Finding], within_s: float) -> Finding:
    try:
        return future.result(within_s)
    except NoAnswer:
        log.warning("readiness.no_answer", extra={"fields": {"part": name}})
    except Exception:
        log.warning("readiness.fault", exc_info=True, extra={"fields": {"part": name}})
    return Finding(is_well=False)


def _database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()
    return Finding(is_well=True)


def _queue() -> Finding:
    try:
        overdue_s = inspect.overdue_s(now=timezone.now())
    finally:
        connection.close()
    return Finding(overdue_s <= OVERDUE_MAX_S, {"overdue_s": round(overdue_s)})


def _broker() -> Finding:
    if not settings.REDIS_URL:
        return Finding(is_well=True, facts={"used": False})
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=ANSWER_S / 2, socket_timeout=ANSWER_S / 2
    ) as client:
        client.ping()
    return Finding(is_well=True)


def _disk() -> Finding:
    usage = shutil.disk_usage(settings.DATA_DIR)
    return Finding(capacity.has_room(), {"free_percent": usage.free * 100 // usage.total})


_questions = Questions({"database": _database, "broker": _broker, "queue": _queue, "disk": _disk})


def ask() -> dict[str, Finding]:
    """Return how database, broker, queue and disk are, within a second."""
    return _questions.ask()
