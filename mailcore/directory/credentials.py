"""Who is it? One `authenticate` for every door: web, and later submission, POP3 and IMAP.

An unknown user, a wrong password, a disabled user and a throttled one cost the same work and get
the same answer. Argon2 is bounded: a flood of guesses must not take all memory (19 MiB each).
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from django.contrib.auth.hashers import check_password, is_password_usable, make_password

from mailcore.directory import throttle
from mailcore.directory.users import LOGIN_CHARS, PASSWORD_CHARS, normalise_login
from mailcore.models.identity import User


@dataclass(frozen=True, slots=True)
class Denied:
    """No. The caller should answer only after `delay`, without holding a thread or connection."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class Busy:
    """Too many are signing in: nothing was checked or counted; try again (SMTP: 454 4.7.0)."""


class HashingGate:
    """Hashes in `running` threads of its own; at most `waiting` more queue, for `timeout`.

    Threads of its own, because the C library keeps what Argon2 took for every thread that ran it.
    """

    def __init__(self, *, running: int, waiting: int, timeout: timedelta) -> None:
        self._places = threading.BoundedSemaphore(running + waiting)
        self._pool = ThreadPoolExecutor(running, thread_name_prefix="argon2")
        self._timeout_s = timeout.total_seconds()

    def check(self, password: str, encoded: str) -> bool | None:
        """Return whether the password fits, or None when there is no place in the queue."""
        if not self._places.acquire(blocking=False):
            return None
        hashing = self._pool.submit(check_password, password, encoded)
        hashing.add_done_callback(lambda _: self._places.release())
        try:
            return hashing.result(self._timeout_s)
        except TimeoutError:
            hashing.cancel()
            return None


_cores = os.cpu_count() or 1
_gate = HashingGate(running=2 * _cores, waiting=32 * _cores, timeout=timedelta(seconds=10))


def authenticate(
    *, login: str, password: str, peer_ip: str, now: datetime, gate: HashingGate = _gate
) -> User | Denied | Busy:
    """Return the user whose login and password these are, or why not.

    `peer_ip` is the client's address, '' when it has none. Never raises for what a client sent;
    raises what the database raises.
    """
    dummy = _dummy_hash()
    name = normalise_login(login[:LOGIN_CHARS])
    tried = throttle.attempt(login=name, peer_ip=peer_ip, now=now)
    standing = throttle.standing(tried, now=now)
    user = _find(name)
    may_enter = user is not None and user.is_active and is_password_usable(user.password)
    encoded = user.password if user is not None and may_enter else dummy
    fits = gate.check(_hashable(password), encoded)
    if fits is None:
        return Busy()
    if user is not None and may_enter and fits and not standing.is_locked:
        throttle.record_success(tried, now=now)
        return user
    throttle.record_failure(tried)
    return Denied(delay=standing.delay)


def _find(name: str) -> User | None:
    # What cannot be stored (NUL, lone surrogates) cannot be asked for either.
    return User.objects.filter(login__iexact=name if name.isprintable() else "").first()


def _hashable(password: str) -> str:
    return password[: PASSWORD_CHARS + 1].encode(errors="replace").decode()


@lru_cache(maxsize=1)
def _dummy_hash() -> str:
    """Return a hash that costs what a real one costs."""
    return make_password("not the password of anybody")
