"""Everything that a reader, a list and a search need of a message's octets, as one JSON object.

Pure: `sandbox` runs it in a process of its own, because octets from strangers go in. Every text is
bounded. Nothing is stored here and no address is looked up: see `derive`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailcore.html.sanitize import SANITISER_VERSION, ImageMode, Sanitized, sanitize
from mailcore.html.text import render_text
from mailcore.html.totext import to_text
from mailcore.mime.body import BodyChoice, choose_body, decode_text
from mailcore.mime.envelope import read_addresses
from mailcore.mime.fields import Octets
from mailcore.mime.snippet import preview
from mailcore.mime.structure import Part, Structure, parse_structure
from mailcore.store.marks import list_id, marks

__all__ = ["PARSER_VERSION", "SANITISER_VERSION", "Body", "Extracted", "extract", "render"]

PARSER_VERSION = 2  # raise it when what is extracted changes: contents are then derived anew
SEARCH_BYTES = 256 * 1024  # of words; a tsvector ends at 1 MiB (PostgreSQL, 12.1)
SHOWN_PARTS = 10  # of a body that comes in pieces (a list's footer, text around attachments)
TEXT_CHARS = 256 * 1024
BODY_BYTES = 2 * 1024 * 1024  # of all shown parts together: HTML costs half a second each

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL's text takes neither


@dataclass(frozen=True, slots=True)
class Body:
    """A sanitised body. `view` is 'html' or 'text': which alternative it shows."""

    view: str
    html: str
    blocked_count: int
    colour: str
    notice: str


@dataclass(frozen=True, slots=True)
class Extracted:
    """What derivation stores of one content."""

    structure: dict[str, Any]
    envelope: dict[str, Any]
    preview: str
    has_attachment: bool
    search_text: str
    bodies: tuple[Body, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Extracted:
        """Return the Extracted that `dataclasses.asdict` made JSON of."""
        bodies = tuple(Body(**body) for body in value["bodies"])
        return cls(**{**value, "bodies": bodies})


def extract(raw: Octets) -> Extracted:
    """Read a message. Linear in its size; raises nothing but MemoryError for any octets."""
    structure = parse_structure(raw)
    choice = choose_body(structure)
    text = _plain(raw, choice)
    body = _render(raw, structure, choice, view="html" if choice.html_part else "text")
    found = marks(
        parts=structure.parts,
        attachments=choice.attachments,
        text=text,
        blocked_count=body.blocked_count,
        html=body.html,
    )
    return Extracted(
        structure=_stored_structure(structure, choice, list_id=list_id(raw), marks=found),
        envelope=_clean(read_addresses(raw).to_json()),
        preview=storable(preview(text)),
        has_attachment=choice.has_attachment,
        search_text=_search_text(text),
        bodies=(body,),
    )


def render(raw: Octets, *, view: str, image_mode: ImageMode = "blocked") -> Body:
    """Return only the body of a message: for a cache entry that was swept, or with images."""
    structure = parse_structure(raw)
    choice = choose_body(structure)
    return _render(raw, structure, choice, view=view, image_mode=image_mode)


def storable(text: str) -> str:
    """Return `text` without NUL and lone surrogates, which no database column takes."""
    return _UNSTORABLE.sub("�", text)


def _stored_structure(
    structure: Structure, choice: BodyChoice, **found: str | Sequence[str]
) -> dict[str, Any]:
    text, html = choice.text_part, choice.html_part
    stored: dict[str, Any] = structure.to_json()
    stored["body"] = text.number if text else ""
    stored["html"] = html.number if html else ""
    stored["attachments"] = [part.number for part in choice.attachments]
    stored["inline"] = [part.number for part in choice.inline]
    stored["files"] = [part.filename for part in choice.attachments if part.filename]
    stored.update(found)
    cleaned: dict[str, Any] = _clean(stored)
    return cleaned


def _clean(value: Any) -> Any:
    """Return a JSON value whose strings are all storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _texts(raw: Octets, parts: Sequence[Part]) -> Iterator[tuple[Part, str]]:
    """Yield the first parts with their text, BODY_BYTES in all."""
    left = BODY_BYTES
    for part in parts[:SHOWN_PARTS]:
        yield part, decode_text(raw, part, max_bytes=left).text
        left = max(0, left - part.size)


def _plain(raw: Octets, choice: BodyChoice) -> str:
    """Return the words of the message: its plain parts, else what the HTML says."""
    pieces: list[str] = []
    length = 0
    for part, text in _texts(raw, choice.text):
        is_html = part.content_type == "text/html"
        words = to_text(text, max_chars=TEXT_CHARS) if is_html else text
        pieces.append(words[: TEXT_CHARS - length])
        length += len(pieces[-1])
    return "\n".join(pieces)


def _search_text(text: str) -> str:
    """Return the words of the body; those of the header are kept in their own columns."""
    return storable(text).encode()[:SEARCH_BYTES].decode(errors="ignore")


def _render(
    raw: Octets,
    structure: Structure,
    choice: BodyChoice,
    *,
    view: str,
    image_mode: ImageMode = "blocked",
) -> Body:
    images = {
        part.content_id: part.number
        for part in reversed(structure.parts)
        if part.content_id and part.content_type.startswith("image/")
    }
    shown = choice.html if view == "html" else choice.text
    pieces = [
        _render_part(part, text, images, view=view, image_mode=image_mode)
        for part, text in _texts(raw, shown)
    ]
    colours = [piece.colour for piece in pieces]
    return Body(
        view=view,
        html=storable("<hr>".join(piece.html for piece in pieces)),
        blocked_count=sum(piece.blocked_count for piece in pieces),
        colour=next((colour for colour in ("colour", "grey") if colour in colours), "none"),
        notice=next((piece.notice for piece in pieces if piece.notice), ""),
    )


def _render_part(
    part: Part, text: str, images: Mapping[str, str], *, view: str, image_mode: ImageMode
) -> Sanitized:
    if part.content_type == "text/html":
        if view == "html":
            return sanitize(text, parts=images, image_mode=image_mode)
        text = to_text(text, max_chars=TEXT_CHARS)
    flowed = part.params.get("format", "").lower() == "flowed"
    delsp = part.params.get("delsp", "").lower() == "yes"
    return render_text(text, flowed=flowed, delsp=delsp)
