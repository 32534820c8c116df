"""Remote images of messages by way of us, for the frame that has no cookie.

The signed address is the permission: only a body that its reader opened with images names one.
What is sent was drawn anew by us; nothing of the other server's answer is passed on.
"""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from mailcore.store import remote_images
from webmail.mail import signed
from webmail.mail.views.attachments import HEADERS

PER_MINUTE = 600  # of one user, in each process: some newsletters


@require_safe
def image(request: HttpRequest, token: str) -> HttpResponse:
    """Send a remote image, 404 when it cannot be had, 429 to who asks too fast."""
    named = signed.read_remote(token)
    if named is None or not get_user_model().objects.filter(pk=named[0], is_active=True).exists():
        raise Http404
    user_pk, url = named
    if not _may_ask(user_pk):
        return HttpResponse(status=429, headers={"Retry-After": "60", "Cache-Control": "no-store"})
    picture = remote_images.remote_image(url=url, now=timezone.now())
    if picture is None:
        raise Http404
    response = HttpResponse(picture.octets, content_type=picture.content_type, headers=HEADERS)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _may_ask(user_pk: int) -> bool:
    key = f"remote-images:{user_pk}"
    cache.add(key, 0, timeout=60)
    try:
        return cache.incr(key) <= PER_MINUTE
    except ValueError:  # it ran out in between
        return True
