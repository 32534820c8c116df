"""Captured mail: what would have left and was kept instead, to be looked at, sent or deleted.

A body goes the way of all mail bodies: the sandbox, the sanitiser, a frame with an opaque origin
and its policy. Opening one is recorded in the audit log.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from mailcore.html import document, tokens
from mailcore.mime import sniff
from mailcore.queue import inspect, lookup
from mailcore.store import loose
from webmail.console.scope import found_or_404, next_page, number, recorded
from webmail.mail.views.attachments import HEADERS as FILE_HEADERS
from webmail.mail.views.attachments import IMAGE_BYTES
from webmail.mail.views.body import HEADERS as BODY_HEADERS
from webmail.mail.views.source import SHOWN_BYTES

PAGE_ROWS = 50
SALT = "webmail.console.image"
LIFETIME_S = 3600


@require_safe
def captured(request: HttpRequest) -> HttpResponse:
    """List what is captured, newest first."""
    page = inspect.recipients(states=["captured"], before=number(request), limit=PAGE_ROWS)
    subjects = lookup.subjects({row.message_id for row in page.recipients})
    context = {
        "rows": [(row, subjects.get(row.message_id, "")) for row in page.recipients],
        "now": timezone.now(),
        "next_page": next_page(request, before=page.before),
    }
    return render(request, "console/captured.html", context)


@require_safe
def message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Show a captured message: header, recipients, and its body in a frame."""
    raw = found_or_404(lookup.captured_octets(message_id=message_id))
    view = found_or_404(inspect.message(public_id=message_id))
    context = {"queued": view, "opened": loose.open_loose(raw=raw), "now": timezone.now()}
    return render(request, "console/captured_message.html", context)


@require_safe
def source(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Show the octets of a captured message as text, at most half a mebibyte of them."""
    with recorded(request, "message.opened", str(message_id)):
        raw = found_or_404(lookup.captured_octets(message_id=message_id))
    context = {
        "message_id": message_id,
        "text": raw[:SHOWN_BYTES].decode("utf-8", "replace").replace("\r\n", "\n"),
        "is_cut": len(raw) > SHOWN_BYTES,
        "size": len(raw),
    }
    return render(request, "console/captured_source.html", context)


@xframe_options_exempt
@require_safe
def body(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Serve the document of the frame; refuse to be anything but a frame."""
    if request.headers.get("Sec-Fetch-Dest", "iframe") != "iframe":
        return HttpResponseForbidden()
    with recorded(request, "message.opened", str(message_id)):
        raw = found_or_404(lookup.captured_octets(message_id=message_id))
    shown = loose.open_loose(raw=raw).body
    theme: Literal["light", "dark"] = "dark" if request.GET.get("theme") == "dark" else "light"
    content = document.assemble(
        html=tokens.fill(shown.html, lambda part: _image_url(request, message_id, part)),
        colour=shown.colour,
        theme=theme,
        language=get_language() or "en",
    )
    response = HttpResponse(content, headers=BODY_HEADERS)
    origin = f"{request.scheme}://{request.get_host()}"
    response.headers["Content-Security-Policy"] = document.body_csp(host=origin)
    return response


@require_safe
def image(request: HttpRequest, token: str) -> HttpResponse:
    """Send an image that a captured body shows; the signed address is the permission.

    The frame has no cookies, so this view stands outside `operators_only`.
    """
    try:
        user_pk, name, part = signing.loads(token, salt=SALT, max_age=LIFETIME_S)
        message_id = UUID(name)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise Http404 from error
    operators = get_user_model().objects.filter(is_active=True, is_operator=True)
    raw = operators.filter(pk=user_pk).exists() and lookup.captured_octets(message_id=message_id)
    data = raw and loose.image(raw=raw, part=part, max_bytes=IMAGE_BYTES)
    if not data or not sniff.sniff(data).startswith("image/"):
        raise Http404
    response = HttpResponse(data, content_type=sniff.sniff(data), headers=FILE_HEADERS)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _image_url(request: HttpRequest, message_id: UUID, part: str) -> str:
    names = [request.user.pk, message_id.hex, part]
    return reverse("console_image", args=[signing.dumps(names, salt=SALT)])
