"""How the pages of the settings find their place in the rail."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def is_below(path: str, page: str) -> bool:
    """Return whether a path is that of a page or of one below it."""
    return path.startswith(page)
