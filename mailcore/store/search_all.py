"""All that a search finds, as a job works it off: the search is kept and run again for each chunk.

A job outlives the page that asked, so what the page knew goes with it: the day that "yesterday" is
counted from, the zone of days, the person's own addresses.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.search.query import parse
from mailcore.store import index
from mailcore.store.matching import OWN_ROLES
from mailcore.store.search_hits import TIME_S, Cursor, Finder
from mailcore.store.search_operators import Fates
from mailcore.store.search_plan import plan

COUNTED_MAX = 1_000_000
CHUNK_S = 20.0


@dataclass(frozen=True, slots=True)
class FoundView:
    """What a search finds. `query` is what was typed, in `language`.

    `today`, an ISO date, is the person's day, `zone` the name of their time zone, `me` their
    addresses, `fates` what `delivery:` found. `is_without_own` leaves off Sent
    and Drafts: what is moved together stays out of them.
    """

    query: str
    language: str
    today: str
    zone: str
    me: tuple[str, ...] = ()
    fates: Fates = field(default_factory=dict)
    is_without_own: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return what `FoundView(**...)` takes."""
        return asdict(self)


def next_ids(
    *, mailbox: Mailbox, view: FoundView, after: Cursor | None, last: int, limit: int
) -> list[int]:
    """Return the ids that come after the cursor, newest first, at most `limit`; none above `last`.

    Raises TimeoutError after CHUNK_S seconds: a worker can wait, but it holds the mailbox.
    """
    finder = _finder(mailbox, view, Q(pk__lte=last))
    if finder is None:
        return []
    with index.limited(CHUNK_S):
        deadline = time.monotonic() + CHUNK_S
        return [pk for _key, pk in finder.find((None, None), limit, after, deadline)]


def count(*, mailbox: Mailbox, view: FoundView, now: datetime) -> int:
    """Return how many messages that are, or how many of them were counted in TIME_S seconds."""
    finder = _finder(mailbox, view, Q())
    if finder is None:
        return 0
    deadline = time.monotonic() + TIME_S
    return len(finder.in_time(now=now, limit=COUNTED_MAX, after=None, deadline=deadline).rows)


def _finder(mailbox: Mailbox, view: FoundView, narrowed: Q) -> Finder | None:
    # As the page did: a query written anew could be cut elsewhere, and find more.
    query = parse(view.query, language=view.language, today=date.fromisoformat(view.today))
    if query.root is None:
        return None
    with timezone.override(ZoneInfo(view.zone)):
        found = plan(mailbox=mailbox, root=query.root, me=view.me, fates=view.fates)
    if view.is_without_own:
        own = Folder.objects.filter(mailbox_id=mailbox.pk, role__in=OWN_ROLES)
        narrowed &= ~Q(folder_id__in=list(own.values_list("pk", flat=True)))
    return Finder(mailbox, replace(found, condition=found.condition & narrowed))
