"""Puts raw octets where they belong and reads them back.

Up to BLOB_INLINE_MAX they stay in the Blob row, zstd-compressed when that is smaller; above it they
are a file, never compressed, so that a part can be sliced out. `prepare` does no SQL: delivery
inserts many rows at once in its own transaction.
"""

from __future__ import annotations

import hashlib
import io
import logging
import threading
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import zstandard

from mailcore import conf
from mailcore.blobs import BlobMissing, BlobStore, FilesystemBlobStore
from mailcore.errors import MailError
from mailcore.models.blob import Blob

if TYPE_CHECKING:
    from typing_extensions import Buffer

log = logging.getLogger("mailcore.rawmail")

_LEVEL = 1
_per_thread = threading.local()


class BlobDamaged(MailError):  # noqa: N818 - named by what happened
    """The stored octets of a blob cannot be read or have another digest."""

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256)
        self.sha256 = sha256


class StoredBlob(Protocol):
    """The columns of a Blob row that reading needs; a row or `PreparedBlob` will do."""

    @property
    def sha256(self) -> bytes | memoryview: ...
    @property
    def size(self) -> int: ...
    @property
    def codec(self) -> str: ...
    @property
    def data(self) -> bytes | memoryview | None: ...
    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PreparedBlob:
    """The columns of a Blob row to be. Sizes in octets; `data` is None when `key` names a file."""

    sha256: bytes
    size: int
    codec: str
    stored_size: int
    data: bytes | None
    key: str


_COLUMNS = [entry.name for entry in fields(PreparedBlob)]


def blob_store() -> BlobStore:
    """Return the store of blobs that are too large for a row."""
    return _filesystem(conf.data_dir() / "blobs")


def prepare(content: Buffer) -> PreparedBlob:
    """Digest and place raw octets; a file is on disk when this returns.

    A prepared blob whose row is never committed is collected after 24 hours.
    Raises OSError when the file cannot be stored.
    """
    view = memoryview(content)
    digest = hashlib.sha256(view)
    size = view.nbytes
    if size > conf.blob_inline_max():
        key = digest.hexdigest()
        blob_store().put(key, view)
        return PreparedBlob(digest.digest(), size, "", size, None, key)
    packed = _compressor().compress(view)
    if len(packed) < size:
        return PreparedBlob(digest.digest(), size, "zstd", len(packed), packed, "")
    return PreparedBlob(digest.digest(), size, "", size, bytes(view), "")


def save(prepared: PreparedBlob, *, now: datetime) -> Blob:
    """Return the Blob row of prepared octets, new or marked as used now.

    Must share a transaction with the row that refers to it, or the collector may come between.
    """
    row = Blob(
        sha256=prepared.sha256,
        size=prepared.size,
        codec=prepared.codec,
        stored_size=prepared.stored_size,
        data=prepared.data,
        key=prepared.key,
        used_at=now,
    )
    Blob.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["sha256"], update_fields=["used_at"]
    )
    return Blob.objects.get(sha256=prepared.sha256)


def rows(blob_ids: Collection[int]) -> dict[int, Blob]:
    """Return the rows of blobs by id, to be read from; those that are gone are left out."""
    return Blob.objects.in_bulk(blob_ids)


def read(blob: StoredBlob) -> bytes:
    """Return the octets as they came. Raises BlobMissing, BlobDamaged, OSError."""
    if blob.data is None:
        return blob_store().get(blob.key)
    if not blob.codec:
        return bytes(blob.data)
    try:
        return _decompressor().decompress(blob.data, max_output_size=blob.size)
    except zstandard.ZstdError as error:
        raise BlobDamaged(bytes(blob.sha256).hex()) from error


def read_many(blob_ids: Collection[int]) -> dict[int, bytes]:
    """Return the octets of blobs by the id of their row, in one statement.

    One that is missing or damaged is left out and logged. Raises DatabaseError, OSError.
    """
    found: dict[int, bytes] = {}
    rows = Blob.objects.filter(pk__in=blob_ids).values_list("pk", *_COLUMNS)
    for pk, *columns in rows:
        stored = PreparedBlob(*columns)
        try:
            found[pk] = read(stored)
        except (BlobMissing, BlobDamaged):
            digest = bytes(stored.sha256).hex()
            log.exception("blob.unreadable", extra={"fields": {"sha256": digest}})
    return found


def read_checked(blob: StoredBlob) -> bytes:
    """As `read`, for exports and proofs: raises BlobDamaged when the digest is another (G13)."""
    octets = read(blob)
    if hashlib.sha256(octets).digest() != bytes(blob.sha256):
        raise BlobDamaged(bytes(blob.sha256).hex())
    return octets


def read_range(blob: StoredBlob, *, start: int, length: int) -> bytes:
    """Return at most `length` octets from offset `start`; errors as `open_range`."""
    with open_range(blob, start=start, length=length) as reader:
        return reader.read()


def open_range(blob: StoredBlob, *, start: int, length: int) -> BinaryIO:
    """Return a reader of at most `length` octets from offset `start`; the caller closes it.

    Raises BlobMissing, BlobDamaged, OSError, and ValueError when a number is negative.
    """
    if blob.data is None:
        return blob_store().open_range(blob.key, start=start, length=length)
    if start < 0 or length < 0:
        raise ValueError("start and length are not negative")
    return io.BytesIO(read(blob)[start : start + length])


@lru_cache(maxsize=8)
def _filesystem(root: Path) -> FilesystemBlobStore:
    return FilesystemBlobStore(root)


def _compressor() -> zstandard.ZstdCompressor:
    """Return this thread's compressor: making one costs more than using it."""
    try:
        return _per_thread.compressor  # type: ignore[no-any-return]
    except AttributeError:
        _per_thread.compressor = zstandard.ZstdCompressor(level=_LEVEL)
        return _per_thread.compressor  # type: ignore[no-any-return]


def _decompressor() -> zstandard.ZstdDecompressor:
    try:
        return _per_thread.decompressor  # type: ignore[no-any-return]
    except AttributeError:
        _per_thread.decompressor = zstandard.ZstdDecompressor()
        return _per_thread.decompressor  # type: ignore[no-any-return]
