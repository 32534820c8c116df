"""What "select all" means in a search: everything that it finds, as a job works it off.

The form names its search by its query string, as a list names its folder.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from mailcore.personal.saved_searches import QUERY_CHARS
from mailcore.search.query import Query
from mailcore.store.search_all import FoundView
from webmail.mail import searching
from webmail.mail.scope import Scope


def asked(
    request: HttpRequest, scope: Scope, origin: Mapping[str, str], *, is_moving: bool
) -> FoundView | None:
    """Return what the search of `q` finds in this mailbox; None when the form names no search.

    Nothing is moved out of Sent or Drafts unless the search names a folder.
    """
    if "q" not in origin:
        return None
    query = searching.parse(origin["q"].strip()[:QUERY_CHARS])
    return FoundView(
        query=query.text,
        language=get_language() or "en",
        today=timezone.localdate().isoformat(),
        zone=timezone.get_current_timezone_name(),
        me=tuple(searching.addresses_of(request, scope, query)),
        fates=searching.fates_of(scope, query),
        is_without_own=is_moving and not _names_folder(query),
    )


def _names_folder(query: Query) -> bool:
    """Whether a clause names a place, which `in:anywhere` is not."""
    return any(
        clause.key == "in" and not clause.is_negated and clause.value != "anywhere"
        for clause in query.clauses
    )
