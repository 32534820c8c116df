"""The files of a copy with their SHA-256, in the form that `sha256sum --check` reads.

The list is sorted by nothing: it is written and read line by line, whatever its length.
`backup.json` says how many lines there are, so that a list cut short is noticed. Pure.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mailcore.backup.errors import BackupError, Damage, Damaged

LIST = "SHA256SUMS"
INFO = "backup.json"
FORMAT = 1
_LINE = re.compile(r"([0-9a-f]{64})  ((?:[\w-][\w.-]*/)*[\w-][\w.-]*)\n", re.ASCII)
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Info:
    """What a copy says of itself. `file_count` are the lines of the list, this file's too.

    `migrations` are those of the database at that moment, `fingerprints` those of the keys.
    """

    made_at: str
    hostname: str
    vendor: str
    server: str
    migrations: tuple[str, ...]
    file_count: int
    blob_count: int
    blob_bytes: int
    fingerprints: Mapping[str, str]
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the copy, its path with "/" from the copy's own directory."""

    path: str
    sha256: str


def line(path: str, sha256: str) -> str:
    """Return the line of one file."""
    return f"{sha256}  {path}\n"


def write_info(directory: Path, info: Info) -> None:
    """Write what a copy says of itself. Raises OSError."""
    (directory / INFO).write_text(json.dumps(asdict(info), indent=1) + "\n")


def read_info(directory: Path) -> Info:
    """Return what a copy says of itself. Raises Damaged, BackupError when it is none."""
    try:
        values: dict[str, Any] = json.loads((directory / INFO).read_bytes())
        if values["format"] != FORMAT:
            raise BackupError(f"{directory} has another format: a newer version made it")
        return Info(**{**values, "migrations": tuple(values["migrations"])})
    except FileNotFoundError as error:
        raise BackupError(f"{directory} is no backup: it has no {INFO}") from error
    except OSError as error:
        raise BackupError(f"{directory / INFO} cannot be read: {error!r}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise Damaged([Damage(INFO, f"is not what was written: {error!r}")]) from error


def listed(directory: Path) -> Iterator[Listed]:
    """Yield the files of the list. Raises BackupError for a line that is none, OSError."""
    with (directory / LIST).open(errors="backslashreplace", newline="\n") as lines:
        for number, text in enumerate(lines, 1):
            match = _LINE.fullmatch(text)
            if match is None:
                raise BackupError(f"damaged: {LIST}: line {number} is not a digest and a path")
            yield Listed(path=match[2], sha256=match[1])


def damages(directory: Path, *, needed: tuple[str, ...] = ()) -> list[Damage]:
    """Read every file back and return what is wrong; empty when all is as it was written.

    `needed` must be in the list. Raises BackupError when list or information are unreadable.
    """
    info = read_info(directory)
    missing = {INFO, *needed}
    found: list[Damage] = []
    count = 0
    for one in listed(directory):
        count += 1
        missing.discard(one.path)
        found += _damage(directory, one)
    if count != info.file_count:
        found.append(Damage(LIST, f"{count} lines, {info.file_count} were written"))
    return found + [Damage(LIST, f"does not list {path}") for path in sorted(missing)]


def _damage(directory: Path, one: Listed) -> Iterator[Damage]:
    try:
        digest = digest_of(directory / one.path)
    except FileNotFoundError:
        yield Damage(one.path, "is missing")
    except OSError as error:
        yield Damage(one.path, f"cannot be read: {error.strerror}")
    else:
        if digest != one.sha256:
            yield Damage(one.path, "has another SHA-256")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file as it is on the disk, not as memory has it. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        # What was written a moment ago would come from memory and prove nothing.
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def sync(path: Path) -> None:
    """Return when a file or a directory is on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
