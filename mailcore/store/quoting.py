"""What an answer or a forward takes from a message: its text, its HTML, its place in the thread.

RFC 5322, 3.6.4. Reads only. HTML was sanitised when the message was derived and is cut down once
more to what may be sent; language and layout of the quote are the compose page's.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailcore import rawmail
from mailcore.html import outgoing, tokens
from mailcore.mime.charset import decode
from mailcore.mime.header import HeaderTooLarge, scan_header
from mailcore.mime.limits import DEFAULT
from mailcore.models.blob import Blob
from mailcore.store.rendering import part_bytes, rendered_body
from mailcore.store.rows import MessageView, PartView

TEXT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The Message-ID of a message and those it refers to, oldest first, without brackets."""

    message_id: str
    references: tuple[str, ...]


def text_of(*, message: MessageView) -> str:
    r"""Return the body as text with \n, from its text part or made from its HTML; may be cut.

    Raises BlobMissing, BlobDamaged, OSError.
    """
    part = _part(message, message.body_part)
    if part is None or part.content_type == "text/html":
        return outgoing.to_plain(html_of(message=message, images={}))
    octets = part_bytes(message=message, part=part.part, max_bytes=TEXT_BYTES)
    text = decode(octets, part.charset).replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "").strip("\n")


def html_of(*, message: MessageView, images: dict[str, str]) -> str:
    """Return the body as HTML that may be sent; `images` maps parts to Content-IDs that go along.

    Raises BlobMissing, OSError.
    """
    body = rendered_body(message=message)
    if body.kind == "text":
        body = rendered_body(message=message, view="text")
        lines = body.html.replace("\n", "<br>")
        return outgoing.clean(lines)
    known = {tokens.token_for(part): name for part, name in images.items()}
    return outgoing.clean(body.html, images=known)


def shown_images(*, message: MessageView) -> list[PartView]:
    """Return the parts that the HTML of the message shows as images."""
    body = rendered_body(message=message)
    numbers = set(tokens.parts_in(body.html)) if body.kind == "html" else set()
    return [part for part in message.parts if part.part in numbers]


def ancestry(*, message: MessageView) -> Ancestry:
    """Return how the message names itself and its parents. Raises BlobMissing, OSError."""
    blob = Blob.objects.get(content__pk=message.content_id)
    octets = rawmail.read_range(blob, start=0, length=DEFAULT.header_bytes)
    try:
        header = scan_header(octets)
    except HeaderTooLarge:
        return Ancestry("", ())
    return Ancestry(header.message_id, header.references or header.in_reply_to[:1])


def _part(message: MessageView, number: str) -> PartView | None:
    return next((part for part in message.parts if number and part.part == number), None)
