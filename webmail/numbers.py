"""Counts as people read them: 30,026 in English, 30 026 in Spanish."""

from __future__ import annotations

from django.utils.formats import number_format


def grouped(number: int) -> str:
    """Return a count with its thousands apart, in the reader's language."""
    return str(number) if -1000 < number < 1000 else str(number_format(number, force_grouping=True))
