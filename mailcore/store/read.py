"""Reading a mailbox: folders, conversations, messages and their octets (RFC 9051, RFC 8621).

Everything starts from a Mailbox that the caller may use, and is looked up with it in one query.
The list is in `conversations`, the octets of a message and its rendered body in `rendering`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast
from uuid import UUID

from django.db.models import Count, Q

from mailcore.mime.structure import Part, Structure
from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder, Role
from mailcore.models.message import Message, Thread
from mailcore.store import derive
from mailcore.store.conversations import list_conversations, shown_folders
from mailcore.store.matching import of_mailbox
from mailcore.store.rendering import part_bytes, raw, rendered_body
from mailcore.store.rows import (
    ConversationRow,
    FolderRow,
    MessageView,
    Page,
    PartView,
    RenderedView,
    ThreadView,
)

__all__ = [
    "ConversationRow",
    "FolderRow",
    "MessageView",
    "Page",
    "PartView",
    "RenderedView",
    "ThreadView",
    "folder",
    "folder_by_role",
    "list_conversations",
    "list_folders",
    "message",
    "part_bytes",
    "raw",
    "rendered_body",
    "thread",
]

THREAD_MAX = 200  # messages of a conversation that are shown: the newest
ON_DEMAND_MAX = 3  # messages that a reader waits for when derivation is behind
_ORDER = {
    role: place
    for place, role in enumerate(
        (Role.INBOX, Role.DRAFTS, Role.SENT, Role.ARCHIVE, Role.JUNK, Role.TRASH, Role.NONE)
    )
}
_FOLDER_COLUMNS = (
    "id",
    "public_id",
    "name",
    "role",
    "parent_id",
    "total_count",
    "unseen_count",
    "highest_modseq",
    "position",
)
_MESSAGE_COLUMNS = (
    "id",
    "public_id",
    "folder_id",
    "sent_at",
    "received_at",
    "size",
    "is_seen",
    "is_flagged",
    "is_answered",
    "is_draft",
    "keywords",
    "has_attachment",
    "content_id",
    "trace_id",
    "thread__public_id",
    "content__subject",
    "content__from_name",
    "content__from_address",
    "content__preview",
    "content__envelope",
    "content__structure",
    "content__parse_state",
    "content__blob__sha256",
)


def list_folders(*, mailbox: Mailbox) -> list[FolderRow]:
    """Return all folders: those with a role in fixed order, then by name, children below theirs."""
    return folders_of(mailbox_ids=[mailbox.pk])[mailbox.pk]


def folders_of(*, mailbox_ids: Sequence[int]) -> dict[int, list[FolderRow]]:
    """Return the folders of each of these mailboxes, in the order of `list_folders`; one query."""
    rows = Folder.objects.filter(mailbox_id__in=mailbox_ids).values("mailbox_id", *_FOLDER_COLUMNS)
    children: dict[int, dict[int | None, list[dict[str, Any]]]] = {pk: {} for pk in mailbox_ids}
    for row in rows:
        siblings = children[row["mailbox_id"]].setdefault(row["parent_id"], [])
        siblings.append(cast("dict[str, Any]", row))
    for tree in children.values():
        for siblings in tree.values():
            siblings.sort(key=_folder_order)
    return {pk: list(_walk(tree, parent_id=None, depth=0)) for pk, tree in children.items()}


def _folder_order(row: Mapping[str, Any]) -> tuple[int, int, str]:
    return _ORDER.get(row["role"], len(_ORDER)), row["position"], row["name"].casefold()


def _walk(
    children: Mapping[int | None, list[dict[str, Any]]], *, parent_id: int | None, depth: int
) -> Iterator[FolderRow]:
    for row in children.get(parent_id, ()):
        values = {name: row[name] for name in _FOLDER_COLUMNS if name != "position"}
        yield FolderRow(**values, depth=depth)
        yield from _walk(children, parent_id=row["id"], depth=depth + 1)


def folder(*, mailbox: Mailbox, public_id: UUID) -> FolderRow | None:
    """Return the folder of this mailbox with this id, or None."""
    return next((row for row in list_folders(mailbox=mailbox) if row.public_id == public_id), None)


def folder_by_role(*, mailbox: Mailbox, role: str) -> FolderRow | None:
    """Return the folder with this special use (RFC 6154), or None."""
    return next((row for row in list_folders(mailbox=mailbox) if role and row.role == role), None)


def thread(
    *,
    mailbox: Mailbox,
    thread_id: UUID,
    folder_id: int | None = None,
    folders: Sequence[FolderRow] | None = None,
) -> ThreadView | None:
    """Return a conversation across folders, oldest message first, or None.

    Messages in Trash and Junk are part of it only when `folder_id`, the folder that it is opened
    from, is the one they are in, or when there are no others. `folders` are those of the mailbox
    for who has them already.
    """
    found = Thread.objects.filter(mailbox_id=mailbox.pk, public_id=thread_id)
    row = found.values_list("pk", "is_muted").first()
    if row is None:
        return None
    pk, is_muted = row
    shown = shown_folders(mailbox=mailbox, folder_id=folder_id)
    counts = Message.objects.filter(thread_id=pk).aggregate(
        shown=Count("id", filter=Q(folder__in=shown)), all=Count("id")
    )
    within = Q(thread_id=pk)
    if counts["shown"]:
        within &= Q(folder__in=shown)
    views = _views(mailbox, within, limit=THREAD_MAX, folders=folders)
    if not views:
        return None
    views.reverse()
    return ThreadView(
        thread_id=thread_id,
        subject=views[0].subject,
        messages=views,
        message_count=counts["shown"] or counts["all"],
        is_muted=is_muted,
    )


def message(*, mailbox: Mailbox, message_id: UUID) -> MessageView | None:
    """Return one message of this mailbox, or None."""
    return next(iter(_views(mailbox, Q(public_id=message_id), limit=1)), None)


def _views(
    mailbox: Mailbox, within: Q, *, limit: int, folders: Sequence[FolderRow] | None = None
) -> list[MessageView]:
    """Return messages newest first; what is not derived yet is derived while the reader waits."""
    rows = _message_rows(mailbox, within, limit=limit)
    pending = [row["content_id"] for row in rows if row["content__parse_state"] == "pending"]
    if derive.on_demand(content_ids=pending[:ON_DEMAND_MAX]):
        rows = _message_rows(mailbox, within, limit=limit)
    known = {row.id: row for row in folders or list_folders(mailbox=mailbox)}
    return [_view(row, known[row["folder_id"]]) for row in rows if row["folder_id"] in known]


def _message_rows(mailbox: Mailbox, within: Q, *, limit: int) -> list[dict[str, Any]]:
    found = Message.objects.filter(within, of_mailbox(mailbox.pk)).order_by("-received_at", "-id")
    return cast("list[dict[str, Any]]", list(found.values(*_MESSAGE_COLUMNS)[:limit]))


def _view(row: Mapping[str, Any], in_folder: FolderRow) -> MessageView:
    envelope: Mapping[str, Any] = row["content__envelope"] or {}
    structure: Mapping[str, Any] = row["content__structure"] or {}
    parts = tuple(map(_part, _leaf_parts(structure)))
    attached = set(structure.get("attachments", ()))
    return MessageView(
        id=row["id"],
        public_id=row["public_id"],
        thread_id=row["thread__public_id"],
        folder=in_folder,
        subject=row["content__subject"],
        from_name=row["content__from_name"],
        from_address=row["content__from_address"],
        to=_people(envelope.get("to", ())),
        cc=_people(envelope.get("cc", ())),
        reply_to=_people(envelope.get("reply_to", ())),
        list_id=envelope.get("list_id", ""),
        sent_at=row["sent_at"],
        received_at=row["received_at"],
        size=row["size"],
        is_seen=row["is_seen"],
        is_flagged=row["is_flagged"],
        is_answered=row["is_answered"],
        is_draft=row["is_draft"],
        keywords=row["keywords"],
        has_attachment=row["has_attachment"],
        preview=row["content__preview"],
        content_id=row["content_id"],
        trace_id=row["trace_id"],
        blob_sha256=bytes(row["content__blob__sha256"]),
        parts=parts,
        body_part=structure.get("body", ""),
        html_part=structure.get("html", ""),
        attachments=tuple(part for part in parts if part.part in attached),
        state=cast("Literal['ready', 'pending', 'unreadable']", row["content__parse_state"]),
    )


def _leaf_parts(structure: Mapping[str, Any]) -> list[Part]:
    """Return the parts of a stored structure that hold content of their own."""
    if not structure:
        return []
    return [part for part in Structure.from_json(dict(structure)).parts if not part.is_multipart]


def _part(part: Part) -> PartView:
    lines = part.size // 78 * 2  # line ends of base64 (RFC 2045, 6.8)
    decoded = (part.size - lines) * 3 // 4 if part.encoding == "base64" else part.size
    return PartView(
        part=part.number,
        content_type=part.content_type,
        name=part.filename,
        size=decoded,
        charset=part.charset,
        disposition=part.disposition,
        content_id=part.content_id,
        offset=part.body_offset,
        length=part.size,
        encoding=part.encoding,
    )


def _people(boxes: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((box[0], box[1]) for box in boxes)
