"""Which networks and accounts cannot sign in now because of failed tries, and letting them again.

Reads what `throttle` counts. An account is counted under a digest, so its name is found among
those that exist; a name that nobody has stays a digest.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from mailcore import conf
from mailcore.directory import throttle
from mailcore.models.identity import AuthThrottle, User

LIMIT = 200


@dataclass(frozen=True, slots=True)
class Block:
    """A closed door. `key` is for `unblock`; `name` is a network, a login, or '' if unknown."""

    key: str
    is_network: bool
    name: str
    failure_count: int
    until: datetime


def blocked(*, now: datetime, limit: int = LIMIT) -> list[Block]:
    """Return what is blocked at `now`, those with most failures first; at most `limit` (200)."""
    minute, day = throttle.windows(now)
    tried = Q(key__startswith="m:", window=minute, count__gte=conf.auth_failures_per_minute())
    tried |= Q(key__startswith="d:", window=day, count__gte=conf.auth_failures_per_day())
    rows = AuthThrottle.objects.filter(tried).order_by("-count", "pk")
    full = [row for row in rows[: 4 * LIMIT] if row.count >= throttle.limit_of(row.key)]
    names = _logins({row.key.rpartition(":")[2] for row in full if ":account:" in row.key})
    found: dict[str, Block] = {}
    for row in full:
        period, key = row.key.split(":", 1)
        is_network = key.startswith("net:")
        name = key.removeprefix("net:") if is_network else names.get(key.rpartition(":")[2], "")
        block = Block(key, is_network, name, row.count, throttle.end_of(period, row.window))
        if key not in found or found[key].until < block.until:
            found[key] = block
    return list(found.values())[: min(limit, LIMIT)]


def unblock(*, key: str) -> str:
    """Forget the failures counted under a key of `blocked`; return the network or login, or ''."""
    kind, _, name = key.partition(":")
    if kind not in {"net", "account"} or not name or "\0" in name:
        return ""
    count, _ = AuthThrottle.objects.filter(key__in=[f"m:{key}", f"d:{key}"]).delete()
    if not count:
        return ""
    return name if kind == "net" else _logins({name}).get(name, key)


def _logins(digests: Collection[str]) -> dict[str, str]:
    """Return whose digests these are, of the users that exist."""
    if not digests:
        return {}
    logins = User.objects.values_list("login", flat=True).iterator()
    spelled = ((throttle.account_digest(login), login) for login in logins)
    return {digest: login for digest, login in spelled if digest in digests}
