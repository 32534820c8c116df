"""Files that come onto a draft: parts of the message that it forwards, and what is uploaded.

What would make the message larger than we take is refused before anything is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from mailcore.errors import MailError
from mailcore.mime import sniff
from mailcore.store import drafts, read
from mailcore.store.drafts import DraftRow
from webmail.mail.composing import Asked, files_max_bytes
from webmail.mail.scope import Scope

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


class UploadLimit(FileUploadHandler):
    """Refuses a request so large that reading it all to say so kindly would be no kindness."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - Django's name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        """Raise RequestDataTooBig (400) above twice the largest message; else read on."""
        if content_length > 2 * settings.MESSAGE_SIZE_LIMIT:
            raise RequestDataTooBig

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass octets on to the next handler."""
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the next handler."""
        return


class TooLarge(MailError):  # noqa: N818 - named by what happened
    """The files do not fit into a message. `name` is the first one that does not."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def add_uploads(
    *, draft: DraftRow, files: Sequence[UploadedFile[Any]], pictures: bool = False, now: datetime
) -> None:
    """Put uploaded files on a draft, all or none. Raises TooLarge, NotOpen, OSError.

    With `pictures`, those that are raster images by their octets get a Content-ID for the text.
    """
    room = files_max_bytes() - draft.size_bytes
    for file in files:
        room -= file.size or 0
        if room < 0:
            raise TooLarge(file.name or "")
    for file in files:
        content = file.read()
        kind = sniff.sniff(content) if pictures else ""
        is_picture = kind in PICTURES
        drafts.add_file(
            draft=draft,
            name=file.name or "",
            content_type=kind if is_picture else file.content_type or "",
            content=content,
            content_id=f"{uuid4().hex}@casilla" if is_picture else "",
            now=now,
        )


def copy_parts(*, scope: Scope, draft: DraftRow, asked: Asked, now: datetime) -> None:
    """Put the chosen parts of a forwarded message on its draft.

    Parts that the message does not have are passed over. Raises NotOpen, OSError.
    """
    if asked.kind != "forward" or asked.source is None:
        return
    message = read.message(mailbox=scope.mailbox, message_id=asked.source)
    if message is None:
        return
    room = files_max_bytes() - draft.size_bytes
    for part in message.parts:
        if part.part not in asked.parts or part.size > room:
            continue
        octets = read.part_bytes(
            message=message, part=part.part, max_bytes=settings.MESSAGE_SIZE_LIMIT
        )
        room -= len(octets)
        drafts.add_file(
            draft=draft,
            name=part.name,
            content_type=part.content_type,
            content=octets,
            now=now,
        )
