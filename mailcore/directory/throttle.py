"""Counts failed sign-ins per account and per network, and says who must wait.

Numbers: AUTH_FAILURES_PER_MINUTE and _PER_DAY for an account and for a /32 (IPv6: /64), three
times as many for a /24 (/48), nine times for a /16 (/32). Nobody is locked out of an account from
a network that signed in to it within 30 days. Sleeps never: the delay is a value for the caller.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.db import transaction
from django.db.models import F, Q

from mailcore import conf
from mailcore.models.identity import AuthThrottle

KNOWN_FOR = timedelta(days=30)
DELAY_MAX = timedelta(seconds=15)
_PREFIXES = {4: (32, 24, 16), 6: (64, 48, 32)}
_SHARES = (1, 3, 9)
_NO_WINDOW = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Counter:
    """A row of AuthThrottle and how many failures it may hold before the door closes."""

    key: str
    window: datetime
    limit: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one sign-in is counted under. `known_key` stands for account and network together."""

    counters: tuple[Counter, ...]
    account_key: str
    known_key: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the door is closed, and how long an answer should be held back when it is no."""

    is_locked: bool
    delay: timedelta


def attempt(*, login: str, peer_ip: str, now: datetime) -> Attempt:
    """Return under which keys a sign-in counts; `login` in its normal form, `peer_ip` may be ''."""
    account = account_digest(login)
    networks = _networks(peer_ip)
    counted = [(f"account:{account}", 1)]
    if not _is_exempt(peer_ip):
        counted += [
            (f"net:{network}", share) for network, share in zip(networks, _SHARES, strict=False)
        ]
    minute, day = windows(now)
    return Attempt(
        counters=tuple(
            counter
            for key, share in counted
            for counter in (
                Counter(f"m:{key}", minute, share * conf.auth_failures_per_minute()),
                Counter(f"d:{key}", day, share * conf.auth_failures_per_day()),
            )
        ),
        account_key=f"d:account:{account}",
        known_key=f"known:{account}:{networks[0] if networks else ''}",
    )


def account_digest(login: str) -> str:
    """Return what an account is counted under.

    A digest: people type passwords into the wrong field, and keys have a bound.
    """
    return hashlib.sha256(login.encode(errors="replace")).hexdigest()[:32]


def windows(now: datetime) -> tuple[datetime, datetime]:
    """Return the starts of the minute and of the day in which failures count at `now`."""
    minute = now.replace(second=0, microsecond=0)
    return minute, minute.replace(hour=0, minute=0)


def end_of(period: str, window: datetime) -> datetime:
    """Return when a window ends; `period` is the first letter of its key, m or d."""
    return window + (_DAY if period == "d" else timedelta(minutes=1))


def limit_of(key: str) -> int:
    """Return how many failures a stored key may hold before the door closes."""
    period, kind, name = key.split(":", 2)
    of_one = conf.auth_failures_per_day() if period == "d" else conf.auth_failures_per_minute()
    if kind != "net":
        return of_one
    network = ip_network(name)
    place = _PREFIXES[network.version].index(network.prefixlen)
    return _SHARES[place] * of_one


def standing(tried: Attempt, *, now: datetime) -> Standing:
    """Return how this attempt stands after those before it; one query."""
    wanted = Q(key=tried.known_key)
    for counter in tried.counters:
        wanted |= Q(key=counter.key, window=counter.window)
    rows = AuthThrottle.objects.filter(wanted).values_list("key", "count", "last_success_at")
    counts = {key: count for key, count, _ in rows}
    is_known = any(
        key == tried.known_key and succeeded_at is not None and now - succeeded_at <= KNOWN_FOR
        for key, _, succeeded_at in rows
    )
    is_full = any(counts.get(counter.key, 0) >= counter.limit for counter in tried.counters)
    return Standing(
        is_locked=is_full and not is_known,
        delay=_delay(counts.get(tried.account_key, 0)),
    )


def record_failure(tried: Attempt) -> None:
    """Count a failed sign-in. Rows are locked in key order, so that two cannot deadlock."""
    rows = sorted(
        (AuthThrottle(key=c.key, window=c.window) for c in tried.counters), key=lambda r: r.key
    )
    wanted = Q()
    for row in rows:
        wanted |= Q(key=row.key, window=row.window)
    with transaction.atomic():
        AuthThrottle.objects.bulk_create(rows, ignore_conflicts=True)
        locked = AuthThrottle.objects.select_for_update().filter(wanted).order_by("key")
        ids = list(locked.values_list("pk", flat=True))
        AuthThrottle.objects.filter(pk__in=ids).update(count=F("count") + 1)


def record_success(tried: Attempt, *, now: datetime) -> None:
    """Remember that this network signed in to this account."""
    row = AuthThrottle(key=tried.known_key, window=_NO_WINDOW, last_success_at=now)
    AuthThrottle.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["key", "window"],
        update_fields=["last_success_at"],
    )


def sweep(*, now: datetime) -> int:
    """Delete what no longer counts; return how many rows."""
    over = Q(last_success_at__isnull=True, window__lt=now - 2 * _DAY)
    forgotten = Q(last_success_at__lt=now - KNOWN_FOR)
    count, _ = AuthThrottle.objects.filter(over | forgotten).delete()
    return count


def _delay(failure_count: int) -> timedelta:
    """Return 2, 4, 8, then 15 seconds (AUTH_DELAY doubling) after earlier failures of the day."""
    doubled: timedelta = conf.auth_delay() * (1 << min(failure_count, 10))
    return min(doubled, DELAY_MAX)


def _networks(peer_ip: str) -> list[str]:
    address = _parsed(peer_ip)
    if address is None:
        return []
    prefixes = _PREFIXES[address.version]
    return [str(ip_network((address, prefix), strict=False)) for prefix in prefixes]


def _is_exempt(peer_ip: str) -> bool:
    address = _parsed(peer_ip)
    return address is not None and any(
        address in network for network in conf.limits_exempt_networks()
    )


def _parsed(peer_ip: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(peer_ip)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
