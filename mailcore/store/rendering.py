"""The octets of a message and the body that the mail frame shows (RFC 2045; guarantees G11, G13).

Takes a MessageView that was read with its mailbox: that was the authorisation. Parts are sliced
by their stored offsets, so that a large message is not read for a small part.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, cast

from django.utils import timezone

from mailcore import rawmail
from mailcore.html.sanitize import ImageMode
from mailcore.html.text import render_text
from mailcore.mime.body import decode_body
from mailcore.mime.charset import decode
from mailcore.mime.structure import Part
from mailcore.models.blob import Blob, RenderedBody
from mailcore.models.message import Message
from mailcore.store import derive
from mailcore.store.extract import SANITISER_VERSION
from mailcore.store.rows import MessageView, RenderedView

RAW_SHOWN_BYTES = 64 * 1024  # of a message that cannot be read
USED_AT_STEP = timedelta(days=1)

View = Literal["", "html", "text"]


def raw(*, message: MessageView) -> bytes:
    """Return the message as stored: our trace fields, then the octets as received.

    Raises BlobMissing, BlobDamaged, OSError.
    """
    return prefix(message=message) + rawmail.read(_blob(message))


def prefix(*, message: MessageView) -> bytes:
    """Return the trace fields that we put before the message (RFC 5321, 4.4)."""
    found = Message.objects.filter(pk=message.id).values_list("prefix", flat=True).first()
    return bytes(found or b"")


def part_bytes(*, message: MessageView, part: str, max_bytes: int) -> bytes:
    """Return the decoded octets of a leaf part, cut to `max_bytes`.

    Raises KeyError when the message has no such part; BlobMissing, BlobDamaged, OSError.
    """
    view = next((known for known in message.parts if known.part == part), None)
    if view is None:
        raise KeyError(part)
    # Base64 and uuencode take at most three times the octets, quoted-printable as well.
    length = min(view.length, 3 * max_bytes + 4096)
    octets = rawmail.read_range(_blob(message), start=view.offset, length=length)
    described = Part(
        number=part, parent=-1, offset=0, header_size=0, size=len(octets), encoding=view.encoding
    )
    return decode_body(octets, described, max_bytes=max_bytes).content


def rendered_body(
    *, message: MessageView, view: View = "", image_mode: ImageMode = "blocked"
) -> RenderedView:
    """Return the sanitised body, derived now when the cache lacks it.

    `view` asks for the HTML or the text alternative; by default HTML if there is one. With
    `image_mode` 'proxied' remote images have tokens, else they are left out. A message that
    cannot be read is shown as its raw text, at most 64 KiB. Raises BlobMissing, OSError.
    """
    if message.state != "ready":
        return _as_raw(message)
    kind: Literal["html", "text"] = "html" if message.html_part and view != "text" else "text"
    mode = image_mode if kind == "html" else "blocked"
    cached = _cached(message.content_id, kind, mode)
    if cached is not None:
        return _view(cached.html, cached.blocked_count, cached.notice, kind, cached.colour)
    octets = rawmail.read(_blob(message))
    body = derive.render_on_demand(
        content_id=message.content_id, raw=octets, view=kind, image_mode=mode
    )
    if body is None:
        return _as_raw(message)
    return _view(body.html, body.blocked_count, body.notice, kind, body.colour)


def _cached(content_id: int, kind: str, image_mode: str) -> RenderedBody | None:
    """Return the cache entry and keep it from being swept: its date is renewed once a day."""
    found = RenderedBody.objects.filter(
        content_id=content_id,
        part=kind,
        sanitiser_version=SANITISER_VERSION,
        image_mode=image_mode,
    ).first()
    now = timezone.now()
    if found is not None and now - found.used_at > USED_AT_STEP:
        RenderedBody.objects.filter(pk=found.pk).update(used_at=now)
    return found


def _as_raw(message: MessageView) -> RenderedView:
    octets = rawmail.read_range(_blob(message), start=0, length=RAW_SHOWN_BYTES)
    shown = render_text(decode(octets, "").replace("\0", ""))
    notice = "unreadable" if message.state == "unreadable" else "pending"
    return _view(shown.html, 0, notice, "text", "none")


def _view(
    html: str, blocked_count: int, notice: str, kind: Literal["html", "text"], colour: str
) -> RenderedView:
    known = cast("Literal['none', 'grey', 'colour']", colour or "none")
    return RenderedView(
        html=html, blocked_count=blocked_count, notice=notice, kind=kind, colour=known
    )


def _blob(message: MessageView) -> Blob:
    return Blob.objects.get(content__pk=message.content_id)
