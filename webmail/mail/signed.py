"""Signed addresses of images in a message: no cookie reaches them, because the frame has none.

An address names user, mailbox, message and part and lives for an hour; access is checked again
when it is used. That of a remote image names the user and where the image is.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.urls import reverse

LIFETIME_S = 3600
SALT = "webmail.mail.image"
REMOTE_SALT = "webmail.mail.remote"


@dataclass(frozen=True, slots=True)
class Image:
    """What a signed address names."""

    user_pk: int
    mailbox_id: UUID
    message_id: UUID
    part: str


def image_url(*, user_pk: int, mailbox_id: UUID, message_id: UUID, part: str) -> str:
    """Return the address of a part that is shown inside the body of its message."""
    names = [user_pk, mailbox_id.hex, message_id.hex, part]
    return reverse("mail:image", args=[signing.dumps(names, salt=SALT)])


def read_image(token: str) -> Image | None:
    """Return what `token` names, or None when it is forged, broken or too old."""
    try:
        user_pk, mailbox, message, part = signing.loads(token, salt=SALT, max_age=LIFETIME_S)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Image(user_pk, UUID(mailbox), UUID(message), part)


def remote_url(*, user_pk: int, url: str) -> str:
    """Return the address by which our proxy brings a remote image."""
    token = signing.dumps([user_pk, url], salt=REMOTE_SALT, compress=True)
    return reverse("mail:remote", args=[token])


def read_remote(token: str) -> tuple[int, str] | None:
    """Return the user and the address that `token` names, or None as `read_image` does."""
    try:
        user_pk, url = signing.loads(token, salt=REMOTE_SALT, max_age=LIFETIME_S)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return user_pk, url
