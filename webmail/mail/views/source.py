"""A message as it came: source, header fields, and the file itself.

Everything is text on an app page, escaped by the template; the .eml is a download.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mailcore.mime import filename, headerlist, hops
from mailcore.store import read
from webmail import csp
from webmail.mail.scope import folder_or_404, message_or_404, scope_or_404, signed_in
from webmail.mail.shell import list_context, list_state, shell_context

SHOWN_BYTES = 512 * 1024


@require_safe
@signed_in
def source(request: HttpRequest, mailbox_id: UUID, message_id: UUID) -> HttpResponse:
    """Show the octets of a message as text, at most half a mebibyte of them."""
    return _page(request, mailbox_id, message_id, "mail/source.html")


@require_safe
@signed_in
def headers(request: HttpRequest, mailbox_id: UUID, message_id: UUID) -> HttpResponse:
    """Show all header fields of a message, those that we added first."""
    return _page(request, mailbox_id, message_id, "mail/headers.html")


@require_safe
@signed_in
def raw(request: HttpRequest, mailbox_id: UUID, message_id: UUID) -> HttpResponse:
    """Send the message as a file."""
    scope = scope_or_404(request, mailbox_id)
    message = message_or_404(scope, message_id)
    name = filename.safe_filename(message.subject[:80], fallback="message") + ".eml"
    return HttpResponse(
        read.raw(message=message),
        content_type="message/rfc822",
        headers={
            "Content-Disposition": filename.content_disposition(name),
            "Content-Security-Policy": csp.FILE,
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


def _page(request: HttpRequest, mailbox_id: UUID, message_id: UUID, template: str) -> HttpResponse:
    scope = scope_or_404(request, mailbox_id)
    message = message_or_404(scope, message_id)
    folders = read.list_folders(mailbox=scope.mailbox)
    state = list_state(request, scope, folder_or_404(folders, message.folder.public_id))
    data = read.raw(message=message)
    header = headerlist.list_header(data).fields
    received = [field.value for field in header if field.name.lower() == "received"]
    context = {
        **shell_context(scope, folders),
        **list_context(scope, state),
        "message": message,
        "text": data[:SHOWN_BYTES].decode("utf-8", "replace").replace("\r\n", "\n"),
        "is_cut": len(data) > SHOWN_BYTES,
        "fields": header,
        "hops": hops.read_hops(received),
    }
    return render(request, template, context)
