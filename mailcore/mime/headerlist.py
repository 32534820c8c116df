"""All fields of a header, for the page that shows them (RFC 5322, 2.2).

Each with its name, the raw value as received and the value as a person reads it; bounded by the
limits of the header. Nothing is interpreted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from mailcore.mime import charset, fields, words
from mailcore.mime.fields import Octets
from mailcore.mime.limits import DEFAULT, Limits

_VALUE_CHARS = 8192
_NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One field. `raw` keeps its folds; `value` is decoded, cleaned, at most 8192 characters."""

    name: str
    raw: str
    value: str


@dataclass(frozen=True, slots=True)
class HeaderList:
    """The fields in order; `truncated` says that there were more, or longer ones."""

    fields: tuple[HeaderField, ...]
    truncated: bool


def list_header(data: Octets, *, limits: Limits = DEFAULT) -> HeaderList:
    """Return the header fields of the message `data`; never raises."""
    end, _ = fields.header_span(data, end=limits.header_bytes)
    found = list(islice(fields.iterate(bytes(data[:end])), limits.header_fields + 1))
    is_cut = len(found) > limits.header_fields or end >= limits.header_bytes
    is_cut |= any(len(field.value) > limits.field_bytes for field in found)
    kept = found[: limits.header_fields]
    return HeaderList(tuple(_shown(field, limits) for field in kept), truncated=is_cut)


def _shown(field: fields.RawField, limits: Limits) -> HeaderField:
    value = field.value[: limits.field_bytes]
    return HeaderField(
        name=field.name[:_NAME_CHARS],
        raw=charset.decode(value).replace("\0", "\ufffd").strip("\r\n"),
        value=words.decode_value(value, max_chars=_VALUE_CHARS),
    )
