"""Looking at attachments without saving them: pictures, text, a message in a message, all as a zip.

Octets of a sender stand in a page only as escaped text, in a frame without our origin, or as a
picture; small pictures are drawn anew in the child process that draws those of others.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from mailcore.html import document, tokens
from mailcore.mime import charset, filename
from mailcore.store import loose, read, remote_images
from webmail.mail import attached, signed
from webmail.mail.scope import folder_or_404, message_or_404, scope_or_404, signed_in
from webmail.mail.shell import list_context, list_state, shell_context
from webmail.mail.views.attachments import HEADERS, part_or_404
from webmail.mail.views.body import HEADERS as BODY_HEADERS
from webmail.mail.views.body import origin

TEXT_BYTES = 256 * 1024


@require_safe
@signed_in
def preview(request: HttpRequest, mailbox_id: UUID, message_id: UUID, part: str) -> HttpResponse:
    """Send a small picture of a picture, drawn by us."""
    message = message_or_404(scope_or_404(request, mailbox_id), message_id)
    row = part_or_404(message, part)
    if attached.kind_of(row) != "image":
        raise Http404
    octets = read.part_bytes(message=message, part=part, max_bytes=attached.PREVIEW_BYTES)
    picture = remote_images.redrawn(octets, small=True)
    if picture is None:
        raise Http404
    response = HttpResponse(picture.octets, content_type=picture.content_type, headers=HEADERS)
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@require_safe
@signed_in
def view(request: HttpRequest, mailbox_id: UUID, message_id: UUID, part: str) -> HttpResponse:
    """Show an attachment on a page of its own, where the conversation was."""
    scope = scope_or_404(request, mailbox_id)
    message = message_or_404(scope, message_id)
    row = part_or_404(message, part)
    kind = attached.kind_of(row)
    if kind in ("", "pdf"):
        raise Http404
    folders = read.list_folders(mailbox=scope.mailbox)
    state = list_state(request, scope, folder_or_404(folders, message.folder.public_id))
    context = {
        **shell_context(scope, folders),
        **list_context(scope, state),
        "message": message,
        "file": attached.File(row, kind),
        **_shown(message, row, kind),
    }
    return render(request, "mail/file.html", context)


def _shown(message: read.MessageView, row: read.PartView, kind: attached.Kind) -> dict[str, Any]:
    if kind == "image":
        return {}
    if kind == "message":
        inner = loose.open_loose(raw=_nested(message, row))
        return {"inner": inner, "inner_files": _inner_files(message, row, inner)}
    octets = read.part_bytes(message=message, part=row.part, max_bytes=TEXT_BYTES + 1)
    shown = {
        "text": charset.decode(octets[:TEXT_BYTES], row.charset).replace("\0", ""),
        "is_cut": len(octets) > TEXT_BYTES,
    }
    if kind == "calendar":
        shown["invitation"] = attached.read_invitation(message, row)
    return shown


def _nested(message: read.MessageView, row: read.PartView) -> bytes:
    return read.part_bytes(message=message, part=row.part, max_bytes=settings.MESSAGE_SIZE_LIMIT)


def _inner_files(
    message: read.MessageView, row: read.PartView, inner: loose.LooseMessage
) -> list[attached.File]:
    """Return the files of a message in a message as parts of the outer one, as far as it has them.

    Part numbers of IMAP go on inside (RFC 9051, 6.4.5): part 1.2 of the message that is part 3 is
    3.1.2. A message in that one opens in the same way, so depth is that of the structure.
    """
    known = {part.part: part for part in message.parts}
    found = (known.get(f"{row.part}.{file.part}") for file in inner.attachments)
    return [attached.File(part, attached.kind_of(part)) for part in found if part is not None]


@xframe_options_exempt
@require_safe
@signed_in
def body(request: HttpRequest, mailbox_id: UUID, message_id: UUID, part: str) -> HttpResponse:
    """Serve the body of a message in a message, as `body.body` does; remote images stay away."""
    if request.headers.get("Sec-Fetch-Dest", "iframe") != "iframe":
        return HttpResponseForbidden()
    scope = scope_or_404(request, mailbox_id)
    message = message_or_404(scope, message_id)
    row = part_or_404(message, part)
    if attached.kind_of(row) != "message":
        raise Http404
    shown = loose.open_loose(raw=_nested(message, row)).body

    def url_for_part(inner: str) -> str:
        return signed.image_url(
            user_pk=int(request.user.pk or 0),
            mailbox_id=scope.mailbox.public_id,
            message_id=message.public_id,
            part=f"{part}.{inner}",
        )

    theme: Literal["light", "dark"] = "dark" if request.GET.get("theme") == "dark" else "light"
    content = document.assemble(
        html=tokens.fill(shown.html, url_for_part),
        colour=shown.colour,
        theme=theme,
        language=get_language() or "en",
    )
    response = HttpResponse(content, headers=BODY_HEADERS)
    response.headers["Content-Security-Policy"] = document.body_csp(host=origin(request))
    return response


@require_safe
@signed_in
def zipped(request: HttpRequest, mailbox_id: UUID, message_id: UUID) -> HttpResponse:
    """Send all attachments as one zip; together they are no larger than a message may be."""
    message = message_or_404(scope_or_404(request, mailbox_id), message_id)
    parts = [file.part for file in attached.files(message)]
    if not parts:
        raise Http404
    out = io.BytesIO()
    left = settings.MESSAGE_SIZE_LIMIT
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        names = attached.unique_names(parts)
        for row, name in zip(parts, names, strict=True):
            octets = read.part_bytes(message=message, part=row.part, max_bytes=left)
            left -= len(octets)
            packed.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), octets)
    name = filename.safe_filename(message.subject[:80], fallback="attachments") + ".zip"
    response = HttpResponse(out.getvalue(), content_type="application/zip", headers=HEADERS)
    response.headers["Content-Disposition"] = filename.content_disposition(name)
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
