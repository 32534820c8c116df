"""The web sessions of a person, so that they can see them and end them.

Kept are the network (/24 or /48) and the kind of browser, which is what a person needs to tell
one session from another. A row goes with its session. When one was last seen is written at most
every ten minutes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef

from mailcore.models.identity import SignIn, User

_SEEN_S = 600.0
_SEEN_MAX = 10_000
_BROWSERS = (  # the first that fits: later ones are named by earlier ones too
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_seen: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class SignInRow:
    """A session; `agent` is like "Firefox, Linux", '' when unknown; `network` like 192.0.2.0/24."""

    public_id: UUID
    session_key: str
    network: str
    agent: str
    created_at: datetime
    seen_at: datetime


def begin(*, user_id: int, session_key: str, peer_ip: str, agent: str, now: datetime) -> None:
    """Remember a session that just began; `agent` is the User-Agent field."""
    SignIn.objects.update_or_create(
        session_key=session_key,
        defaults={
            "user_id": user_id,
            "network": network_of(peer_ip),
            "agent": family(agent),
            "created_at": now,
            "seen_at": now,
        },
    )


def seen(*, session_key: str, peer_ip: str, now: datetime) -> None:
    """Note that a session is in use; most calls do nothing but look at the clock."""
    at = time.monotonic()
    if at - _seen.get(session_key, -_SEEN_S) < _SEEN_S:
        return
    if len(_seen) >= _SEEN_MAX:
        _seen.clear()
    _seen[session_key] = at
    network = network_of(peer_ip)
    SignIn.objects.filter(session_key=session_key).update(seen_at=now, network=network)


def moved(*, old_key: str, new_key: str) -> None:
    """Keep the row of a session that got another key."""
    SignIn.objects.filter(session_key=old_key).update(session_key=new_key)


def list_sign_ins(*, user: User, now: datetime) -> list[SignInRow]:
    """Return the living sessions of a person, the last one seen first."""
    living = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    rows = SignIn.objects.filter(Exists(living), user_id=user.pk).order_by("-seen_at", "-pk")
    columns = ("public_id", "session_key", "network", "agent", "created_at", "seen_at")
    return [SignInRow(*row) for row in rows.values_list(*columns)]


def end(*, user: User, public_id: UUID) -> bool:
    """End one session of this person; return whether there was one."""
    return _end(list(SignIn.objects.filter(user_id=user.pk, public_id=public_id))) == 1


def end_others(*, user: User, session_key: str) -> int:
    """End all listed sessions of this person but one; return how many that were."""
    return _end(list(SignIn.objects.filter(user_id=user.pk).exclude(session_key=session_key)))


def forget(*, session_key: str) -> None:
    """Forget a session that its person ended by signing out."""
    SignIn.objects.filter(session_key=session_key).delete()


def sweep() -> int:
    """Forget sessions that Django no longer has; return how many."""
    kept = Session.objects.filter(session_key=OuterRef("session_key"))
    return SignIn.objects.filter(~Exists(kept)).delete()[0]


def network_of(peer_ip: str) -> str:
    """Return the /24 of an IPv4 address, the /48 of an IPv6 one, '' for anything else."""
    try:
        address = ip_address(peer_ip)
    except ValueError:
        return ""
    address = getattr(address, "ipv4_mapped", None) or address
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


def family(agent: str) -> str:
    """Return the kinds of browser and system of a User-Agent, out of a short list."""
    found = [_first(agent, _BROWSERS), _first(agent, _SYSTEMS)]
    return ", ".join(name for name in found if name)


def _first(agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in names if mark in agent), "")


def _end(rows: list[SignIn]) -> int:
    with transaction.atomic():
        Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
        SignIn.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)
