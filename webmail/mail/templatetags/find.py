"""How results of a search look: matches marked, where a result is opened, kept searches.

Marking works on words as the index has them, without accents; everything between marks is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlencode

from django import template
from django.http import HttpRequest
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mailcore.personal.saved_searches import Saved
from mailcore.search.words import fold, split
from mailcore.store.rows import OWN_ROLES
from mailcore.store.search import SearchRow
from webmail.mail import searching

register = template.Library()

MARKED_CHARS = 600  # a subject may be a thousand
PREFIX_CHARS = 3  # a shorter hit marks whole words only
_WORD = re.compile(r"\w+")


@register.filter
def marked_subject(row: SearchRow) -> SafeString | str:
    """Return the subject with what was found marked."""
    return marked(row.subject, row.hits) if row.subject else _("(no subject)")


@register.filter
def marked_snippet(row: SearchRow) -> SafeString:
    """Return the text around the match, else the beginning of the message, marked."""
    return marked(row.snippet or row.preview, row.hits)


@register.filter
def author(row: SearchRow) -> SafeString | str:
    """Return who wrote, or to whom one wrote oneself, marked."""
    if row.folder.role in OWN_ROLES and row.to:
        names = ", ".join(name or address for name, address in row.to[:3])
        return marked(_("To: %(value)s") % {"value": names}, row.hits)
    return marked(row.from_name or row.from_address or _("(no sender)"), row.hits)


@register.filter
def opening(asked: searching.Asked, row: SearchRow) -> str:
    """Return the query string with which a result opens and leads back to its search."""
    pairs = {"in": str(row.folder.public_id), "m": str(row.public_id), **asked.pairs}
    return f"?{urlencode(pairs)}"


@register.simple_tag(takes_context=True)
def kept_searches(context: template.Context) -> Sequence[Saved]:
    """Return the kept searches of whoever reads the page."""
    request: HttpRequest = context["request"]
    return searching.kept(request)


def marked(text: str, hits: Sequence[str]) -> SafeString:
    """Return `text` escaped, with `<mark>` around the words that begin like one of `hits`."""
    text = text[:MARKED_CHARS]
    words = {word for hit in hits for word in split(hit)}
    pieces: list[tuple[str, str]] = []
    at = 0
    for found in _WORD.finditer(text) if words else ():
        length = _marked_length(found[0], words)
        if length:
            end = found.start() + length
            pieces.append((text[at : found.start()], text[found.start() : end]))
            at = end
    return format_html_join("", "{}<mark>{}</mark>", pieces) + escape(text[at:])


def _marked_length(word: str, hits: set[str]) -> int:
    """Return how many characters of a word are marked."""
    folded = fold(word)
    if folded in hits:
        return len(word)
    begun = [hit for hit in hits if len(hit) >= PREFIX_CHARS and folded.startswith(hit)]
    if not begun:
        return 0
    return max(map(len, begun)) if len(folded) == len(word) else len(word)
