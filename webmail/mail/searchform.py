"""The form behind the search box: its fields out of a query, and a query out of its fields.

It edits the same string as the box. What the form has no field for goes along in `rest`, so that
nothing of a query is lost on the way through it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mailcore.search.nodes import And, Field, Node, Not, Phrase, Query, Word
from mailcore.search.query import to_text
from mailcore.store.read import FolderRow
from webmail.mail import searching
from webmail.mail.templatetags.show import folder_name

PLACES = {"inbox": "inbox", "sent": "sent", "drafts": "drafts", "archive": "archive"}
PLACES |= {"junk": "spam", "trash": "trash"}
SIZES = ("larger:1M", "larger:5M", "larger:20M", "smaller:100k")
TEXT_FIELDS = ("from", "to", "subject")
DATE_FIELDS = ("after", "before")
VALUE_CHARS = 400
_PLAIN = re.compile(r"[^\s():*]+")


@dataclass(frozen=True, slots=True)
class Fields:
    """The form filled in; `folder` is the value of `in:`, `size` one of SIZES."""

    sender: str = ""
    to: str = ""
    subject: str = ""
    words: str = ""
    without: str = ""
    folder: str = ""
    after: str = ""
    before: str = ""
    size: str = ""
    has_attachment: bool = False
    rest: str = ""


def of_text(text: str, places: Sequence[tuple[str, str]]) -> Fields:
    """Return the form of a query: the first clause of each kind, all others in `rest`."""
    known = {value for value, _name in places}
    found: dict[str, str] = {}
    words, without, rest = [], [], []
    for node in _parts(searching.parse(text)):
        name, value = _slot(node, known)
        if isinstance(node, Word | Phrase):
            words.append(node)
        elif isinstance(node, Not) and isinstance(node.child, Word | Phrase):
            without.append(node.child)
        elif name and name not in found:
            found[name] = value
        else:
            rest.append(node)
    return Fields(
        sender=found.get("from", ""),
        to=found.get("to", ""),
        subject=found.get("subject", ""),
        words=_text(words),
        without=_text(without),
        folder=found.get("in", ""),
        after=found.get("after", ""),
        before=found.get("before", ""),
        size=found.get("size", ""),
        has_attachment="has" in found,
        rest=_text(rest),
    )


def to_query(data: QueryDict) -> str:
    """Return the query that a filled-in form asks for, in the reader's words."""
    parts = [_keyed(name, data.get(name, "")) for name in TEXT_FIELDS]
    parts += [data.get("words", ""), *_negated(data.get("without", ""))]
    parts += [_keyed("in", data.get("in", ""))]
    parts += [f"{name}:{_day(data.get(name, ''))}" for name in DATE_FIELDS if _day(data.get(name))]
    parts += [size for size in SIZES if size == data.get("size")]
    parts += ["has:attachment"] if data.get("attachment") else []
    parts += [data.get("rest", "")]
    text = " ".join(part.strip()[:VALUE_CHARS] for part in parts if part.strip())
    return to_text(searching.parse(text), language=_language())


def places(folders: Iterable[FolderRow]) -> list[tuple[str, str]]:
    """Return what `in:` may be, as value and name: folders of the mailbox, then everywhere."""
    found = [(PLACES.get(row.role, row.name), folder_name(row)) for row in folders]
    return [*found, ("anywhere", _("All mail, with spam and trash"))]


def sizes() -> list[tuple[str, str]]:
    """Return what the size may be, as value and name."""
    names = (
        _("Larger than 1 MB"),
        _("Larger than 5 MB"),
        _("Larger than 20 MB"),
        _("Smaller than 100 KB"),
    )
    return list(zip(SIZES, names, strict=True))


def _parts(query: Query) -> Sequence[Node]:
    if query.root is None:
        return ()
    return query.root.children if isinstance(query.root, And) else (query.root,)


def _slot(node: Node, places: set[str]) -> tuple[str, str]:
    """Return the name and the value of the field that shows a clause; '' for none."""
    if not isinstance(node, Field) or node.is_prefix:
        return "", ""
    if node.key in TEXT_FIELDS:
        return node.key, node.value
    if node.key in DATE_FIELDS and node.day:
        return node.key, node.day.isoformat()
    if node.key == "in" and node.value in places:
        return "in", node.value
    if node.key == "has" and node.value == "attachment":
        return "has", "1"
    size = f"{node.key}:{node.value}"
    return ("size", size) if size in SIZES else ("", "")


def _keyed(key: str, value: str) -> str:
    value = " ".join(value.replace('"', " ").split())
    if not value:
        return ""
    return f"{key}:{value}" if _PLAIN.fullmatch(value) else f'{key}:"{value}"'


def _negated(text: str) -> list[str]:
    """Return each word and phrase with a minus; what was negated already stays so."""
    return [f"-({clause.text.lstrip('-')})" for clause in searching.parse(text).clauses]


def _day(text: str | None) -> str:
    try:
        return date.fromisoformat(text or "").isoformat()
    except ValueError:
        return ""


def _text(nodes: Sequence[Node]) -> str:
    if not nodes:
        return ""
    root = And(tuple(nodes)) if len(nodes) > 1 else nodes[0]
    return to_text(Query("", root, (), ()), language=_language())


def _language() -> str:
    return get_language() or "en"
