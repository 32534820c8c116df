"""Blobs as files in a directory, two levels deep: `ab/cd/abcd...`.

A put writes a temporary file, syncs it, renames it into place and syncs the directory (POSIX
rename is atomic, but only the synced directory survives a power failure). Puts share a lock on the
leaf directory, deletions hold it alone; who keeps everything holds the root alone, which deletions
share. The directory must be on one local file system.
"""

from __future__ import annotations

import fcntl
import io
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from mailcore.blobs.protocol import BlobMissing, Kept, StoredKey, checked_key

if TYPE_CHECKING:
    from typing_extensions import Buffer

_UNFINISHED = "unfinished"
_PATIENCE_S = 2.0


class FilesystemBlobStore:
    """A BlobStore under `root`, which is made when it is first needed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        # Directories whose own entry is known to be on disk; at most 65,792 names.
        self._synced: set[Path] = set()

    def put(self, key: str, data: Buffer) -> None:
        """See BlobStore.put."""
        path = self._path(key)
        try:
            self._put(path, data)
        except FileNotFoundError:
            # Somebody took directories away under us: each is made and synced anew.
            self._synced.clear()
            self._put(path, data)

    def _put(self, path: Path, data: Buffer) -> None:
        self._make_directory(path.parent)
        temporary = self._root / _UNFINISHED / uuid.uuid4().hex
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with _locked(path.parent, fcntl.LOCK_SH) as directory:
                temporary.rename(path)
                os.fsync(directory)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def get(self, key: str) -> bytes:
        """See BlobStore.get."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError as error:
            raise BlobMissing(key) from error

    def open_range(self, key: str, *, start: int, length: int) -> BinaryIO:
        """See BlobStore.open_range."""
        if start < 0 or length < 0:
            raise ValueError("start and length are not negative")
        try:
            file = self._path(key).open("rb", buffering=0)
        except FileNotFoundError as error:
            raise BlobMissing(key) from error
        file.seek(start)
        return cast(BinaryIO, io.BufferedReader(_Window(file, length)))

    def delete(self, key: str, *, unless_since: datetime | None = None) -> bool:
        """See BlobStore.delete."""
        path = self._path(key)
        try:
            with _locked(self._root, fcntl.LOCK_SH | fcntl.LOCK_NB), _locked(path.parent):
                if unless_since is not None and _stored_at(path) >= unless_since:
                    return False
                path.unlink()
        except (FileNotFoundError, BlockingIOError):
            return False
        return True

    @contextmanager
    def keep(self) -> Iterator[None]:
        """See BlobStore.keep."""
        self._root.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            patience_ends = time.monotonic() + _PATIENCE_S
            while not _tried(held, self._root):
                if time.monotonic() > patience_ends:
                    raise Kept
                time.sleep(0.01)  # deletions under way take a moment
            yield

    def stored_keys(self) -> Iterator[StoredKey]:
        """See BlobStore.stored_keys."""
        for path in self._root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            try:
                yield StoredKey(path.name, _stored_at(path))
            except FileNotFoundError:
                continue

    def forget_unfinished(self, *, before: datetime) -> int:
        """See BlobStore.forget_unfinished."""
        count = 0
        for path in (self._root / _UNFINISHED).glob("*"):
            try:
                if _stored_at(path) < before:
                    path.unlink()
                    count += 1
            except FileNotFoundError:
                continue
        return count

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)[:2] / key[2:4] / key

    def _make_directory(self, leaf: Path) -> None:
        if leaf in self._synced:
            return
        (self._root / _UNFINISHED).mkdir(parents=True, exist_ok=True)
        leaf.mkdir(parents=True, exist_ok=True)
        # Another process may have made them a moment ago and not synced them yet. An entry is on
        # disk when the directory that holds it was synced after we saw it.
        for directory in (self._root, leaf.parent, leaf):
            if directory not in self._synced:
                _sync(directory.parent)
                self._synced.add(directory)


class _Window(io.RawIOBase):
    """The next `length` octets of an open file."""

    def __init__(self, file: io.FileIO, length: int) -> None:
        self._file = file
        self._left = length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        count = self._file.readinto(memoryview(buffer)[: self._left]) or 0
        self._left -= count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _stored_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _tried(held: ExitStack, root: Path) -> bool:
    """Take the lock that deletions share, alone; tell whether nobody had it."""
    try:
        held.enter_context(_locked(root, fcntl.LOCK_EX | fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


@contextmanager
def _locked(directory: Path, mode: int = fcntl.LOCK_EX) -> Iterator[int]:
    """Hold a lock on a directory, shared or alone, and give its descriptor."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, mode)
        yield descriptor
    finally:
        os.close(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
