"""The BlobStore protocol: what every place for octets promises.

tests/conformance/test_blob_store.py holds each implementation to it. No implementation compresses
or encrypts: ranges must stay cheap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, Protocol

from mailcore.errors import MailError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_KEY = re.compile(r"[0-9a-f]{16,128}")


class BlobMissing(MailError):  # noqa: N818 - a missing blob is a fact about data, not a fault here
    """Nothing is stored under `key`."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class Kept(MailError):  # noqa: N818 - as BlobMissing
    """Somebody else keeps all blobs at the moment."""


class InvalidKey(MailError, ValueError):  # noqa: N818 - as BlobMissing
    """A key is not 16 to 128 lower-case hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key and when it was last put (aware UTC)."""

    key: str
    stored_at: datetime


class BlobStore(Protocol):
    """Immutable octets by key. All methods may be called from any thread or process at once."""

    def put(self, key: str, data: Buffer) -> None:
        """Store `data`; on return it survives a power failure. A repeat renews `stored_at`.

        A reader sees nothing or everything. Raises InvalidKey, and OSError when it cannot be
        stored (disk full); then nothing is.
        """

    def get(self, key: str) -> bytes:
        """Return all octets. Raises BlobMissing, InvalidKey, OSError."""

    def open_range(self, key: str, *, start: int, length: int) -> BinaryIO:
        """Return a reader of at most `length` octets from offset `start`; the caller closes it.

        Past the end it reads as empty. Raises BlobMissing, InvalidKey, ValueError, OSError.
        """

    def delete(self, key: str, *, unless_since: datetime | None = None) -> bool:
        """Forget `key`; return whether it was there and is gone now.

        With `unless_since`, a blob put at that time or later stays: no put can come between the
        look and the deletion. While somebody keeps (see `keep`) everything stays.
        Raises InvalidKey, OSError.
        """

    def keep(self) -> AbstractContextManager[None]:
        """While it is entered, nothing is deleted by anybody: for copies of the whole.

        Ends with the process that entered it. Raises Kept when another one has, OSError.
        """

    def stored_keys(self) -> Iterator[StoredKey]:
        """Yield what is stored, in any order; what comes or goes meanwhile may be left out."""

    def forget_unfinished(self, *, before: datetime) -> int:
        """Remove what puts that never finished have left since before `before`; return how many."""


def checked_key(key: str) -> str:
    """Return `key` if it is safe in a path and a URL. Raises InvalidKey."""
    if not _KEY.fullmatch(key):
        raise InvalidKey(key)
    return key
