"""Files of a draft: sent back as downloads, raster images for the editor as what they are."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from mailcore.mime import filename, sniff
from mailcore.store import drafts
from webmail import csp
from webmail.mail.scope import change_scope, signed_in

HEADERS = {
    "Content-Security-Policy": csp.FILE,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=3600, immutable",
}


@require_safe
@signed_in
def draft_file(
    request: HttpRequest, mailbox_id: UUID, draft_id: UUID, file_id: UUID
) -> HttpResponse:
    """Send a file of a draft; its type is what the octets say."""
    scope = change_scope(request, mailbox_id)
    draft = drafts.find(mailbox=scope.mailbox, draft_id=draft_id)
    file = next((one for one in draft.files if one.id == file_id), None) if draft else None
    if file is None:
        raise Http404
    data = drafts.file_bytes(file=file)
    response = HttpResponse(data, content_type=sniff.served_type(data), headers=HEADERS)
    response.headers["Content-Disposition"] = filename.content_disposition(file.name)
    return response
