"""Header fields that a search names: read from the messages, since no index has them.

As IMAP's SEARCH HEADER has it (RFC 9051, 6.4.4): the field is there and its text contains what is
sought; nothing sought means any text. Letter case and accents are ignored, encoded words decoded.
Our own trace fields count. Costs the octets of every message that is looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mailcore import rawmail
from mailcore.blobs import BlobMissing
from mailcore.mime.fields import iterate
from mailcore.mime.words import decode_value
from mailcore.models.message import Message
from mailcore.search.nodes import Field, Node, Not
from mailcore.search.words import fold

log = logging.getLogger("mailcore.store")

_VALUE_CHARS = 10_000
_HEADER_OCTETS = 256 * 1024


@dataclass(frozen=True, slots=True)
class HeaderTest:
    """A field that has to be there with a text, folded; or, negated, must not."""

    name: str
    text: str
    is_negated: bool = False


def test_of(node: Node) -> HeaderTest | None:
    """Return what a node asks of the header, None when it asks something else."""
    is_negated = isinstance(node, Not)
    match node.child if isinstance(node, Not) else node:
        case Field(key="header", name=name, value=value) if name:
            return HeaderTest(name.lower(), fold(value), is_negated)
    return None


def passing(message_ids: Sequence[int], tests: Collection[HeaderTest]) -> set[int]:
    """Return those messages whose header passes every test; one that cannot be read passes none.

    Raises what the database raises.
    """
    columns = ("pk", "prefix", "content__blob_id", "content__header_size")
    messages = list(Message.objects.filter(pk__in=message_ids).values_list(*columns))
    blobs = rawmail.rows({blob_id for _, _, blob_id, _ in messages})
    found: set[int] = set()
    for pk, prefix, blob_id, size in messages:
        try:
            length = min(size, _HEADER_OCTETS)
            header = rawmail.read_range(blobs[blob_id], start=0, length=length)
        except (KeyError, OSError, BlobMissing, rawmail.BlobDamaged):
            log.warning("search.header_unreadable", extra={"fields": {"message": pk}})
            continue
        if _passes(bytes(prefix) + header, tests):
            found.add(pk)
    return found


def _passes(header: bytes, tests: Collection[HeaderTest]) -> bool:
    names = {test.name for test in tests}
    values = [
        (name, fold(decode_value(field.value, max_chars=_VALUE_CHARS)))
        for field in iterate(header)
        if (name := field.name.lower()) in names
    ]
    return all(
        test.is_negated != any(name == test.name and test.text in value for name, value in values)
        for test in tests
    )
