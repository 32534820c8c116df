"""The body of a message: a complete document for the sandboxed frame, or for the printer.

The document has an opaque origin and its own policy; whatever is in it can reach neither cookies
nor the page around it (webmail design, c). Images come by signed addresses; those of other servers
through us, and only with `?images=1`.
"""

from __future__ import annotations

import time
from typing import Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from mailcore.html import document, tokens
from mailcore.store import read
from webmail.mail import signed
from webmail.mail.scope import Scope, message_or_404, scope_or_404, signed_in
from webmail.mail.shell import build

CACHE_S = 600
HEADERS = {
    "Cache-Control": f"private, max-age={CACHE_S}",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-DNS-Prefetch-Control": "off",
    "X-Robots-Tag": "noindex",
}


@xframe_options_exempt
@require_safe
@signed_in
def body(request: HttpRequest, mailbox_id: UUID, message_id: UUID) -> HttpResponse:
    """Serve the document of the frame; refuse to be anything but a frame."""
    if request.headers.get("Sec-Fetch-Dest", "iframe") != "iframe":
        return HttpResponseForbidden()
    scope = scope_or_404(request, mailbox_id)
    message = message_or_404(scope, message_id)
    theme: Literal["light", "dark"] = "dark" if request.GET.get("theme") == "dark" else "light"
    tag = _etag(request, message, theme)
    unchanged = get_conditional_response(request, etag=tag)
    if unchanged is not None:
        return unchanged
    response = HttpResponse(_document(request, scope, message, theme), headers=HEADERS)
    response.headers["Content-Security-Policy"] = document.body_csp(host=origin(request))
    response.headers["ETag"] = tag
    return response


@xframe_options_exempt
@require_safe
@signed_in
def printed(request: HttpRequest, mailbox_id: UUID, message_id: UUID) -> HttpResponse:
    """Serve header and body as one document with the policy of bodies, without any script."""
    scope = scope_or_404(request, mailbox_id)
    message = message_or_404(scope, message_id)
    head = render(request, "mail/print_head.html", {"message": message}).content.decode()
    content = _document(request, scope, message, "light").replace(
        "<casilla-mail", head + '<casilla-mail role="main"', 1
    )
    response = HttpResponse(content, headers=HEADERS)
    response.headers["Content-Security-Policy"] = document.body_csp(host=origin(request))
    return response


def _document(
    request: HttpRequest, scope: Scope, message: read.MessageView, theme: Literal["light", "dark"]
) -> str:
    view = read.rendered_body(
        message=message, image_mode="proxied" if _wants_images(request) else "blocked"
    )
    user_pk = int(request.user.pk or 0)

    def url_for_part(part: str) -> str:
        return signed.image_url(
            user_pk=user_pk,
            mailbox_id=scope.mailbox.public_id,
            message_id=message.public_id,
            part=part,
        )

    return document.assemble(
        html=tokens.fill(
            view.html, url_for_part, lambda url: signed.remote_url(user_pk=user_pk, url=url)
        ),
        colour=view.colour,
        theme=theme,
        language=get_language() or "en",
    )


def _wants_images(request: HttpRequest) -> bool:
    return request.GET.get("images") == "1"


def origin(request: HttpRequest) -> str:
    """Return the origin of the site, as the policy of bodies names it."""
    return f"{request.scheme}://{request.get_host()}"


def _etag(request: HttpRequest, message: read.MessageView, theme: str) -> str:
    """Say when the document is the same; signed addresses in it live for an hour."""
    period = int(time.time()) // (signed.LIFETIME_S // 2)
    digest = message.blob_sha256.hex()[:24]
    images = "images" if _wants_images(request) else "none"
    return f'"{digest}-{message.state}-{theme}-{images}-{get_language()}-{build()}-{period}"'
