"""A mailbox as files: JSON lines, mbox (the mboxrd variant, RFC 4155 and Rahul Dhesi) or Maildir.

Streams message by message and checks each digest on the way (G13). Reads only; messages that come
while it runs may be left out. Importing is not done here.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from mailcore import rawmail
from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.models.message import Message

_FROM = re.compile(rb"^(>*From )", re.MULTILINE)
_RETURN_PATH = re.compile(rb"^Return-Path: <([^>\r\n ]*)>", re.IGNORECASE | re.MULTILINE)
_FLAGS = {
    "is_answered": ("\\Answered", "R"),
    "is_deleted": ("\\Deleted", "T"),
    "is_draft": ("\\Draft", "D"),
    "is_flagged": ("\\Flagged", "F"),
    "is_seen": ("\\Seen", "S"),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """One message. `folder` is the path with "/" between names; `raw` is prefix and blob."""

    id: int
    folder: str
    uid: int
    flags: tuple[str, ...]
    letters: str
    received_at: datetime
    sha256: str
    prefix: bytes
    raw: bytes


def export_mailbox(*, mailbox: Mailbox, form: str, path: Path) -> int:
    """Write all messages of a mailbox and return how many; `form` is jsonl, mbox or maildir.

    Raises FileExistsError when `path` is there already, BlobMissing, BlobDamaged, OSError.
    """
    if form == "maildir":
        return _to_maildir(mailbox, path)
    write = {"jsonl": _write_json, "mbox": _write_mbox}[form]
    with path.open("xb") as file:
        return _to_file(mailbox, file, write)


def messages(*, mailbox: Mailbox) -> Iterator[Exported]:
    """Yield the messages of a mailbox by folder and UID. Raises BlobMissing, BlobDamaged."""
    paths = _folder_paths(mailbox)
    found = Message.objects.filter(mailbox_id=mailbox.pk).select_related("content__blob")
    for folder_id, folder in sorted(paths.items(), key=lambda item: item[1]):
        rows = found.filter(folder_id=folder_id).order_by("uid")
        for row in rows.iterator(chunk_size=100):
            prefix = bytes(row.prefix)
            set_flags = [names for flag, names in _FLAGS.items() if getattr(row, flag)]
            yield Exported(
                id=row.pk,
                folder=folder,
                uid=row.uid,
                flags=tuple(name for name, _ in set_flags),
                letters="".join(sorted(letter for _, letter in set_flags)),
                received_at=row.received_at,
                sha256=bytes(row.content.blob.sha256).hex(),
                prefix=prefix,
                raw=prefix + rawmail.read_checked(row.content.blob),
            )


def _folder_paths(mailbox: Mailbox) -> dict[int, str]:
    folders = {folder.pk: folder for folder in Folder.objects.filter(mailbox_id=mailbox.pk)}

    def path(folder: Folder) -> str:
        parent = folders.get(folder.parent_id or 0)
        return f"{path(parent)}/{folder.name}" if parent else folder.name

    return {pk: path(folder) for pk, folder in folders.items()}


def _to_file(
    mailbox: Mailbox, file: IO[bytes], write: Callable[[IO[bytes], Exported], None]
) -> int:
    count = 0
    for message in messages(mailbox=mailbox):
        write(file, message)
        count += 1
    return count


def _write_json(file: IO[bytes], message: Exported) -> None:
    line = {
        "folder": message.folder,
        "uid": message.uid,
        "flags": message.flags,
        "received_at": message.received_at.isoformat(),
        "size": len(message.raw),
        "sha256": message.sha256,
        "raw": base64.b64encode(message.raw).decode("ascii"),
    }
    file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def _write_mbox(file: IO[bytes], message: Exported) -> None:
    """Write one entry: LF line ends, ">" before every From line, an empty line at the end."""
    sender = _RETURN_PATH.search(message.prefix)
    name = (sender and sender[1]) or b"MAILER-DAEMON"
    date = message.received_at.strftime("%a %b %e %H:%M:%S %Y").encode("ascii")
    body = _FROM.sub(rb">\1", message.raw.replace(b"\r\n", b"\n"))
    status = b"X-Folder: " + json.dumps(message.folder).encode() + b"\n"
    end = b"\n" if body.endswith(b"\n") else b"\n\n"
    file.write(b"From " + name + b" " + date + b"\n" + status + _status(message) + body + end)


def _status(message: Exported) -> bytes:
    """Return the fields by which mail programs keep flags in an mbox."""
    status = "RO" if "S" in message.letters else "O"
    more = "".join(
        mark for letter, mark in zip("RFDT", "AFTD", strict=True) if letter in message.letters
    )
    return f"Status: {status}\nX-Status: {more}\n".encode("ascii")


def _to_maildir(mailbox: Mailbox, path: Path) -> int:
    """Write a Maildir++: INBOX at the top, other folders as `.Name.Child` in it."""
    path.mkdir(parents=True)
    _make_maildir(path)
    for folder in _folder_paths(mailbox).values():
        _make_maildir(_maildir_of(path, folder))
    count = 0
    for message in messages(mailbox=mailbox):
        seconds = int(message.received_at.timestamp())
        name = f"{seconds}.M{message.id}P0.casilla,S={len(message.raw)}:2,{message.letters}"
        target = _maildir_of(path, message.folder) / "cur" / name
        target.write_bytes(message.raw)
        os.utime(target, (seconds, seconds))
        count += 1
    return count


def _maildir_of(path: Path, folder: str) -> Path:
    """Return the directory of a folder; a dot in a name would be a level and becomes "_"."""
    if folder.casefold() == "inbox":
        return path
    return path / ("." + folder.replace(".", "_").replace("/", "."))


def _make_maildir(path: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True, exist_ok=True)
