"""A message that is in no mailbox (captured in the queue), opened with the same defences.

The octets are read in the sandbox that reads all mail, and cleaned by the same sanitiser; nothing
is stored. That somebody may open them is the caller's to have checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from mailcore.html.text import render_text
from mailcore.mime.body import decode_body
from mailcore.mime.charset import decode
from mailcore.mime.header import HeaderTooLarge, scan_header
from mailcore.mime.structure import Part, Structure
from mailcore.store import derive
from mailcore.store.extract import Extracted
from mailcore.store.rendering import RAW_SHOWN_BYTES
from mailcore.store.rows import Mailbox, RenderedView


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a loose message. `size` in octets as it is encoded."""

    name: str
    content_type: str
    size: int
    part: str = ""


@dataclass(frozen=True, slots=True)
class LooseMessage:
    """What a reader sees of a message; `body` has tokens in place of links to parts."""

    subject: str
    authors: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    attachments: tuple[Attachment, ...]
    body: RenderedView


def open_loose(*, raw: bytes) -> LooseMessage:
    """Return what is in these octets; what cannot be read is shown as raw text, 64 KiB of it."""
    found = derive.extract_on_demand(raw)
    envelope: Mapping[str, Any] = found.envelope if found else {}
    return LooseMessage(
        subject=_subject(raw),
        authors=_people(envelope.get("authors", ())),
        to=_people(envelope.get("to", ())),
        cc=_people(envelope.get("cc", ())),
        attachments=tuple(_attachments(found)) if found else (),
        body=_body(found) if found else _as_raw(raw),
    )


def image(*, raw: bytes, part: str, max_bytes: int) -> bytes | None:
    """Return the decoded octets of a part that the body may show, or None."""
    found = derive.extract_on_demand(raw)
    named = [known for known in _parts(found) if known.number == part] if found else []
    if not named:
        return None
    octets = raw[named[0].body_offset : named[0].body_offset + named[0].size]
    described = Part(
        number=part,
        parent=-1,
        offset=0,
        header_size=0,
        size=len(octets),
        encoding=named[0].encoding,
    )
    return decode_body(octets, described, max_bytes=max_bytes).content


def _subject(raw: bytes) -> str:
    try:
        return scan_header(raw).subject
    except HeaderTooLarge:
        return ""


def _parts(found: Extracted) -> list[Part]:
    parts = Structure.from_json(dict(found.structure)).parts
    return [part for part in parts if not part.is_multipart]


def _attachments(found: Extracted) -> Iterable[Attachment]:
    wanted = set(found.structure.get("attachments", ()))
    for part in _parts(found):
        if part.number in wanted:
            yield Attachment(part.filename, part.content_type, part.size, part.number)


def _body(found: Extracted) -> RenderedView:
    body = found.bodies[0]
    return RenderedView(
        html=body.html,
        blocked_count=body.blocked_count,
        notice=body.notice,
        kind=cast("Literal['html', 'text']", body.view),
        colour=cast("Literal['none', 'grey', 'colour']", body.colour or "none"),
    )


def _as_raw(raw: bytes) -> RenderedView:
    shown = render_text(decode(raw[:RAW_SHOWN_BYTES], "").replace("\0", ""))
    return RenderedView(
        html=shown.html, blocked_count=0, notice="unreadable", kind="text", colour="none"
    )


def _people(boxes: Iterable[Sequence[str]]) -> tuple[Mailbox, ...]:
    return tuple((box[0], box[1]) for box in boxes)
