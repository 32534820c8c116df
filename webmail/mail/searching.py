"""What a search page asks and shows: the query in the address, chips, results, ways to widen.

The query string is the whole state of a search: the box, the form, chips and saved searches all
only change it. Finding is `store.search`'s work and parsing is `mailcore.search`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mailcore.directory import own
from mailcore.personal import saved_searches
from mailcore.queue.fates import fates
from mailcore.search.nodes import Problem
from mailcore.search.query import Query, to_text, without
from mailcore.search.query import parse as read_query
from mailcore.store import search
from webmail import clock
from webmail.mail.scope import Scope, person
from webmail.mail.searchwords import amount, partial, problem_text

PAGE_ROWS = 50
EVERYWHERE_ROWS = 10  # of each mailbox, when all are searched
WAYS_MAX = 4
ME = {"me", "yo"}
KEPT_MAX = 2000  # people whose kept searches a process remembers
_kept: dict[tuple[UUID, int], Sequence[saved_searches.Saved]] = {}


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as its address says it; `after` is a cursor, `saved` the kept search it began as."""

    mailbox_id: UUID
    text: str
    after: str = ""
    is_oldest_first: bool = False
    is_everywhere: bool = False
    saved: UUID | None = None

    @property
    def pairs(self) -> dict[str, str]:
        """The parameters of this page of results; always with the query."""
        pairs = {
            "saved": str(self.saved or ""),
            "order": "oldest" if self.is_oldest_first else "",
            "all": "1" if self.is_everywhere else "",
            "after": self.after,
        }
        return {"q": self.text} | {name: value for name, value in pairs.items() if value}

    @property
    def path(self) -> str:
        """The address of this page of results."""
        return f"{reverse('mail:search', args=[self.mailbox_id])}?{urlencode(self.pairs)}"

    def reading(self, text: str) -> str:
        """Return the address of the same search with another query, from its first page."""
        return replace(self, text=text, after="", saved=None).path


@dataclass(frozen=True, slots=True)
class Chip:
    """A clause of the query, and the address of the search without it."""

    text: str
    path: str
    is_negated: bool


@dataclass(frozen=True, slots=True)
class Section:
    """The results in one mailbox."""

    scope: Scope
    page: search.SearchPage
    asked: Asked
    amount: str


@dataclass(frozen=True, slots=True)
class Way:
    """Another search that is offered, and its address."""

    text: str
    path: str


def asked_in(request: HttpRequest, mailbox_id: UUID) -> Asked | None:
    """Return the search that an address names by `?q=` or `?saved=`; None when there is none."""
    data = request.GET
    saved = _saved(request, data.get("saved", ""))
    if saved is None and "q" not in data:
        return None
    text = data["q"] if "q" in data else localised(saved.query if saved else "")
    return Asked(
        mailbox_id=mailbox_id,
        text=text.strip()[: saved_searches.QUERY_CHARS],
        after="".join(c for c in data.get("after", "")[:80] if c in "0123456789abcdef.-"),
        is_oldest_first=data.get("order") == "oldest",
        is_everywhere=data.get("all") == "1",
        saved=saved.id if saved else None,
    )


def parse(text: str) -> Query:
    """Return the query in the reader's language, for the reader's day."""
    return read_query(text, language=get_language() or "en", today=timezone.localdate())


def in_english(text: str) -> str:
    """Return a query as it is kept: in English words."""
    return to_text(parse(text), language="en")


def localised(text: str) -> str:
    """Return a query of English words in the reader's words."""
    found = read_query(text, language="en", today=timezone.localdate())
    return to_text(found, language=get_language() or "en")


def _saved(request: HttpRequest, text: str) -> saved_searches.Saved | None:
    try:
        search_id = UUID(text)
    except ValueError:
        return None
    return next((one for one in kept(request) if one.id == search_id), None)


def kept(request: HttpRequest) -> Sequence[saved_searches.Saved]:
    """Return the kept searches of the person who asks.

    Looked up once and after each change: every change raises the version of the person's choices.
    """
    user = person(request)
    key = user.public_id, clock.choices_of(user).version
    found = _kept.get(key)
    if found is None:
        if len(_kept) >= KEPT_MAX:
            _kept.clear()
        found = _kept[key] = tuple(saved_searches.list_saved(user=user))
    return found


def context(request: HttpRequest, scope: Scope, asked: Asked) -> dict[str, Any]:
    """Return what the list of results shows: one mailbox's page, or a few of every mailbox."""
    query = parse(asked.text)
    me = addresses_of(request, scope, query)
    within = [Scope(current=row, all=scope.all) for row in scope.all]
    sections = [
        _section(one, query, me, asked) for one in (within if asked.is_everywhere else [scope])
    ]
    alone = sections[0].page if sections and not asked.is_everywhere else None
    more = alone.next_cursor if alone else None
    return {
        "asked": asked,
        "saved": next((one for one in kept(request) if one.id == asked.saved), None),
        "found": alone,
        "sections": sections if asked.is_everywhere else (),
        "amount": amount(alone) if alone and query.clauses else "",
        "partial": partial(alone) if alone else "",
        "more": replace(asked, after=more) if more else None,
        "newest": replace(asked, after="", is_oldest_first=False),
        "oldest": replace(asked, after="", is_oldest_first=True),
        "everywhere": None if len(scope.all) < 2 else replace(asked, after="", is_everywhere=True),
        "chips": _chips(query, asked),
        "problems": [problem_text(code) for code in query.problems],
        "widenings": _widenings(scope, query, asked),
        "examples": _examples(asked),
    }


def _section(scope: Scope, query: Query, me: Sequence[str], asked: Asked) -> Section:
    page = search.search(
        mailbox=scope.mailbox,
        query=query,
        me=me,
        now=timezone.now(),
        after=asked.after or None,
        limit=EVERYWHERE_ROWS if asked.is_everywhere else PAGE_ROWS,
        oldest_first=asked.is_oldest_first,
        fates=fates_of(scope, query),
    )
    alone = replace(asked, mailbox_id=scope.mailbox.public_id, is_everywhere=False, after="")
    return Section(scope, page, alone, amount(page))


def addresses_of(request: HttpRequest, scope: Scope, query: Query) -> Sequence[str]:
    """Return the person's addresses, if the query may ask for them."""
    if not any(word in query.text.casefold() for word in ME):
        return ()
    return [one.address for one in own.addresses(user=person(request), first=scope.mailbox)]


def fates_of(scope: Scope, query: Query) -> dict[str, tuple[int, ...]]:
    """Return what became of the mailbox's sent mail, if the query asks for that."""
    is_asked = Problem.RECENT in query.problems
    return fates(mailbox_id=scope.mailbox.pk) if is_asked else {}


def _chips(query: Query, asked: Asked) -> list[Chip]:
    return [
        Chip(clause.text, asked.reading(without(asked.text, clause)), clause.is_negated)
        for clause in query.clauses
    ]


def _widenings(scope: Scope, query: Query, asked: Asked) -> list[Way]:
    """Return what to try when nothing was found: all folders, all mailboxes, a clause less."""
    ways: list[Way] = []
    if not any(clause.key == "in" for clause in query.clauses):
        anywhere = f"{asked.text} {localised('in:anywhere')}"
        ways.append(Way(_("Search spam and trash too"), asked.reading(anywhere)))
    if len(scope.all) > 1 and not asked.is_everywhere:
        everywhere = replace(asked, after="", is_everywhere=True)
        ways.append(Way(_("Search all mailboxes"), everywhere.path))
    if len(query.clauses) > 1:
        text = _("Without %(text)s")
        ways += [
            Way(text % {"text": chip.text}, chip.path) for chip in _chips(query, asked)[:WAYS_MAX]
        ]
    return ways


def _examples(asked: Asked) -> list[Way]:
    texts = map(localised, ("is:unread", "has:attachment newer_than:1m", "from:me", "larger:5M"))
    return [Way(text, asked.reading(text)) for text in texts]
