"""Making and renaming folders (RFC 9051, 6.3.4 and 6.3.6; RFC 6154 roles).

A name is one leaf: no separator, no control characters, NFC. INBOX in any letter case is the
inbox. A uidvalidity is never given twice. Moving and deleting folders is in `folder_tree`.
"""

from __future__ import annotations

import unicodedata
from uuid import UUID

from django.db.models import F, Max

from mailcore.errors import MailError
from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder, Role
from mailcore.store import sequence
from mailcore.store.changes import FolderGone

NAME_MAX = 255
DEPTH_MAX = 10
ROLE_NAMES = {
    Role.INBOX: "INBOX",
    Role.DRAFTS: "Drafts",
    Role.SENT: "Sent",
    Role.ARCHIVE: "Archive",
    Role.JUNK: "Junk",
    Role.TRASH: "Trash",
}


class FolderRefused(MailError):  # noqa: N818 - like Refused
    """The folder cannot be made, renamed, moved or deleted.

    `reason` is name, taken, depth, cycle or role; for people the caller words it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def clean_name(name: str) -> str:
    """Return the name as it is stored. Raises FolderRefused("name")."""
    cleaned = unicodedata.normalize("NFC", name).strip()
    unfit = any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in cleaned)
    if not 0 < len(cleaned) <= NAME_MAX or unfit or "/" in cleaned:
        raise FolderRefused("name")
    return cleaned


def exists(*, mailbox: Mailbox, folder_id: int) -> bool:
    """Return whether this mailbox has the folder."""
    return Folder.objects.filter(pk=folder_id, mailbox_id=mailbox.pk).exists()


def create(*, mailbox: Mailbox, name: str, parent_id: UUID | None = None) -> UUID:
    """Make an ordinary folder, below `parent_id` (a public id) if given; return its public id.

    Raises FolderRefused, and FolderGone when the mailbox has no such parent.
    """
    cleaned = clean_name(name)
    with sequence.locked(mailbox_id=mailbox.pk) as lock:
        parent = get(lock.mailbox, parent_id) if parent_id else None
        if parent is not None and depth(parent) + 1 >= DEPTH_MAX:
            raise FolderRefused("depth")
        refuse_taken(lock.mailbox, parent, cleaned)
        return _insert(lock, parent=parent, name=cleaned, role=Role.NONE).public_id


def ensure_role(*, mailbox: Mailbox, role: str) -> int:
    """Return the id of the folder with this special use, which is made if missing."""
    found = _with_role(mailbox, role)
    if found is not None:
        return found
    with sequence.locked(mailbox_id=mailbox.pk) as lock:
        found = _with_role(mailbox, role)
        return found or _insert_role(lock, Role(role)).pk


def ensure_roles(*, mailbox: Mailbox) -> None:
    """Make the folders with a role that a mailbox lacks: all of them for a new one."""
    for role in ROLE_NAMES:
        ensure_role(mailbox=mailbox, role=role)


def rename(*, mailbox: Mailbox, folder_id: UUID, name: str) -> None:
    """Give an ordinary folder another name; it keeps its place, uidvalidity and messages.

    Raises FolderRefused, FolderGone.
    """
    cleaned = clean_name(name)
    with sequence.locked(mailbox_id=mailbox.pk) as lock:
        folder = get(lock.mailbox, folder_id)
        if folder.role:
            raise FolderRefused("role")
        refuse_taken(lock.mailbox, folder.parent, cleaned, but=folder.pk)
        Folder.objects.filter(pk=folder.pk).update(
            name=cleaned, modseq=lock.modseq, highest_modseq=lock.modseq
        )


def get(mailbox: Mailbox, public_id: UUID) -> Folder:
    """Return the folder of this mailbox with this public id. Raises FolderGone."""
    folder = Folder.objects.filter(mailbox_id=mailbox.pk, public_id=public_id).first()
    if folder is None:
        raise FolderGone(str(public_id))
    return folder


def last_position(mailbox: Mailbox, parent: Folder | None) -> int:
    """Return the position of a folder that comes last; 0 while all stand by name."""
    siblings = Folder.objects.filter(mailbox_id=mailbox.pk, parent=parent, role=Role.NONE)
    last: int = siblings.aggregate(Max("position"))["position__max"] or 0
    return last + 1 if last else 0


def _with_role(mailbox: Mailbox, role: str) -> int | None:
    found = Folder.objects.filter(mailbox_id=mailbox.pk, role=Role(role))
    return found.values_list("pk", flat=True).first()


def depth(folder: Folder) -> int:
    """Return how many folders a folder lies in, at most DEPTH_MAX."""
    count, parent = 0, folder.parent
    while parent is not None and count < DEPTH_MAX:
        count, parent = count + 1, parent.parent
    return count


def refuse_taken(
    mailbox: Mailbox, parent: Folder | None, name: str, *, but: int | None = None
) -> None:
    """Raise FolderRefused("taken") when another folder in `parent` is called so."""
    siblings = Folder.objects.filter(mailbox_id=mailbox.pk, parent=parent).exclude(pk=but or 0)
    is_inbox = parent is None and name.casefold() == "inbox"
    if is_inbox or siblings.filter(name=name).exists():
        raise FolderRefused("taken")


def _insert_role(lock: sequence.Lock, role: Role) -> Folder:
    """Make a folder with a role; a name that an ordinary folder has taken gets a number."""
    taken = set(
        Folder.objects.filter(mailbox_id=lock.mailbox.pk, parent=None).values_list(
            "name", flat=True
        )
    )
    base = ROLE_NAMES[role]
    names = (base, *(f"{base} {number}" for number in range(2, len(taken) + 3)))
    name = next(name for name in names if name not in taken)
    return _insert(lock, parent=None, name=name, role=role)


def _insert(lock: sequence.Lock, *, parent: Folder | None, name: str, role: Role) -> Folder:
    folder = Folder.objects.create(
        mailbox=lock.mailbox,
        parent=parent,
        name=name,
        role=role,
        position=0 if role else last_position(lock.mailbox, parent),
        modseq=lock.modseq,
        created_modseq=lock.modseq,
        highest_modseq=lock.modseq,
        uidvalidity=lock.mailbox.uidvalidity_next,
    )
    Mailbox.objects.filter(pk=lock.mailbox.pk).update(uidvalidity_next=F("uidvalidity_next") + 1)
    return folder
