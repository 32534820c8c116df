"""What a search page says about a search: how many were found, what time left out, what is odd."""

from __future__ import annotations

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailcore.search.nodes import Problem
from mailcore.store.search import COUNT_MAX, SearchPage
from webmail.numbers import grouped


def amount(page: SearchPage) -> str:
    """Say how many messages were found, exactly up to a thousand."""
    if page.is_capped:
        return _("%(n)s+ messages") % {"n": grouped(COUNT_MAX)}
    return ngettext("%(n)d message", "%(n)d messages", page.count) % {"n": page.count}


def partial(page: SearchPage) -> str:
    """Say from which day on nothing is missing, when time ran out; '' when it did not."""
    if not page.is_partial:
        return ""
    if page.searched_back_to is None:
        return _("This search takes too long. Narrow it: add a person, a folder or a date.")
    day = date_format(timezone.localtime(page.searched_back_to), _("j M Y"))
    text = _("Searched only back to %(day)s. To look further, narrow it: a person, a folder.")
    return text % {"day": day}


def problem_text(problem: Problem) -> str:
    """Say in words why a search is not quite what was typed."""
    return {
        Problem.TOO_LONG: _("Only the first 1,000 characters were searched for."),
        Problem.TOO_MANY_TERMS: _("Only the first 30 words were searched for."),
        Problem.TOO_DEEP: _("Brackets within brackets within brackets: the inner were left out."),
        Problem.UNCLOSED_QUOTE: _("A quotation mark is missing at the end."),
        Problem.UNBALANCED: _("A bracket is missing."),
        Problem.DANGLING_OR: _("OR needs something on both sides."),
        Problem.UNKNOWN_KEY: _("A word before a colon is not known: it was searched as text."),
        Problem.UNKNOWN_VALUE: _("A word behind a colon is not known: it was searched as text."),
        Problem.BAD_DATE: _("A date could not be read. Write it like 2026-11-21."),
        Problem.BAD_AGE: _("An age could not be read. Write it like 3d, 2w, 6m or 1y."),
        Problem.BAD_SIZE: _("A size could not be read. Write it like 500k or 5M."),
        Problem.EMPTY_VALUE: _("Nothing stands behind a colon: that was left out."),
        Problem.NOT_YET: _("This part finds nothing in this version."),
        Problem.RECENT: _("Deliveries are known for 30 days: older mail is not found by them."),
    }[problem]
