"""Parts of a message as files, and images for the frame of its body.

The type is what the octets say, never what the sender says; everything is a download under a
policy of its own, so that an HTML or SVG attachment cannot run here.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from mailcore.directory import mailboxes
from mailcore.mime import filename, sniff
from mailcore.store import read
from webmail import csp
from webmail.mail import signed
from webmail.mail.scope import message_or_404, scope_or_404, signed_in

IMAGE_BYTES = 10 * 2**20
HEADERS = {
    "Content-Security-Policy": csp.FILE,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=3600, immutable",
}


@require_safe
@signed_in
def part(request: HttpRequest, mailbox_id: UUID, message_id: UUID, part: str) -> HttpResponse:
    """Send a part as a download with a safe name and type.

    With `?inline=1` pictures and PDF, by their octets, are shown by the browser instead.
    """
    scope = scope_or_404(request, mailbox_id)
    message = message_or_404(scope, message_id)
    row = part_or_404(message, part)
    data = read.part_bytes(message=message, part=part, max_bytes=settings.MESSAGE_SIZE_LIMIT)
    content_type = sniff.served_type(data)
    inline = request.GET.get("inline") == "1" and sniff.is_inline_safe(content_type)
    response = HttpResponse(data, content_type=content_type, headers=HEADERS)
    if inline and content_type == "application/pdf":
        response.headers["Content-Security-Policy"] = csp.PDF
    response.headers["Content-Disposition"] = filename.content_disposition(row.name, inline=inline)
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@require_safe
def image(request: HttpRequest, token: str) -> HttpResponse:
    """Send an image that the body of a message shows; the signed address is the permission."""
    named = signed.read_image(token)
    user = named and get_user_model().objects.filter(pk=named.user_pk, is_active=True).first()
    row = user and named and mailboxes.access(user, named.mailbox_id)
    message = row and named and read.message(mailbox=row.mailbox, message_id=named.message_id)
    if not message or not named:
        raise Http404
    part_or_404(message, named.part)
    data = read.part_bytes(message=message, part=named.part, max_bytes=IMAGE_BYTES)
    content_type = sniff.sniff(data)
    if not content_type.startswith("image/"):
        raise Http404
    response = HttpResponse(data, content_type=content_type, headers=HEADERS)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def part_or_404(message: read.MessageView, number: str) -> read.PartView:
    """Return the part with this number. Raises Http404."""
    for row in message.parts:
        if row.part == number:
            return row
    raise Http404
