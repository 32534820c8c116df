"""The folders that a new mailbox starts with (RFC 6154).

Only for mailboxes nobody else can see yet: every later change goes through `store`.
"""

from __future__ import annotations

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder, Role

_STANDARD = (
    (Role.INBOX, "INBOX"),
    (Role.SENT, "Sent"),
    (Role.DRAFTS, "Drafts"),
    (Role.ARCHIVE, "Archive"),
    (Role.JUNK, "Junk"),
    (Role.TRASH, "Trash"),
)
COUNT = len(_STANDARD)


def create_standard(mailbox: Mailbox) -> None:
    """Make the folders; the mailbox row must be new, with uidvalidity_next past COUNT."""
    Folder.objects.bulk_create(
        Folder(
            mailbox=mailbox,
            name=name,
            role=role,
            position=number,
            modseq=mailbox.modseq,
            created_modseq=mailbox.modseq,
            highest_modseq=mailbox.modseq,
            uidvalidity=number,
        )
        for number, (role, name) in enumerate(_STANDARD, 1)
    )
