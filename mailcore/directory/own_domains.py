"""Is a domain one of ours? Asked for every message, so the names are kept for some seconds.

Which mail a domain takes is `resolve`'s to say; this knows names only.
"""

from __future__ import annotations

import time

from mailcore import conf
from mailcore.models.directory import Domain

_KEPT_S = 10.0
_OFFICES = frozenset({"postmaster", "mailer-daemon"})
_kept: tuple[float, frozenset[str]] = (0.0, frozenset())


def is_own(name: str) -> bool:
    """Return whether `name` (an A-label, lower case) is a domain of ours, ten seconds ago or now.

    Raises what the database raises.
    """
    global _kept
    until, names = _kept
    now = time.monotonic()
    if now >= until:
        names = frozenset(Domain.objects.values_list("name", flat=True))
        _kept = (now + _KEPT_S, names)
    return name in names


def is_office(address: str) -> bool:
    """Return whether `address` is one that our own reports come from.

    What stands in From proves nothing. Raises what the database raises.
    """
    local_part, _, domain = address.casefold().rpartition("@")
    return local_part in _OFFICES and (domain == conf.hostname().casefold() or is_own(domain))


def forget() -> None:
    """Forget the names, after a change in this process."""
    global _kept
    _kept = (0.0, frozenset())
