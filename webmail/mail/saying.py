"""What a toast says was done to how many messages, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailcore.store.jobs import JobRow
from mailcore.store.rows import Done
from webmail.numbers import grouped

if TYPE_CHECKING:
    from mailcore.models.directory import Mailbox


def said(verb: str, count: int) -> str:
    """Say what was done to how many messages, in the reader's language."""
    texts = {
        "read": ngettext("%(n)s message marked as read", "%(n)s messages marked as read", count),
        "unread": ngettext(
            "%(n)s message marked as unread", "%(n)s messages marked as unread", count
        ),
        "star": ngettext("%(n)s message starred", "%(n)s messages starred", count),
        "unstar": ngettext(
            "Star removed from %(n)s message", "Star removed from %(n)s messages", count
        ),
        "archive": ngettext("%(n)s message archived", "%(n)s messages archived", count),
        "trash": ngettext("%(n)s message moved to Trash", "%(n)s messages moved to Trash", count),
        "spam": ngettext("%(n)s message marked as spam", "%(n)s messages marked as spam", count),
        "inbox": ngettext("%(n)s message moved to Inbox", "%(n)s messages moved to Inbox", count),
        "move": ngettext("%(n)s message moved", "%(n)s messages moved", count),
        "label": ngettext("%(n)s message labelled", "%(n)s messages labelled", count),
        "unlabel": ngettext(
            "Label taken off %(n)s message", "Label taken off %(n)s messages", count
        ),
        "mute": ngettext("%(n)s conversation muted", "%(n)s conversations muted", count),
        "unmute": ngettext(
            "%(n)s conversation no longer muted", "%(n)s conversations no longer muted", count
        ),
        "destroy": ngettext(
            "%(n)s message deleted for good", "%(n)s messages deleted for good", count
        ),
    }
    return texts[verb] % {"n": grouped(count)}


def undo_tag(done: Done, mailbox: Mailbox) -> str:
    """Return the tag of a toast that offers to undo, `operation@mailbox`; '' where it cannot."""
    return f"{done.operation_id}@{mailbox.public_id}" if done.operation_id else ""


def working(job: JobRow) -> str:
    """Say that a job is under way, or is being undone."""
    if job.state == "undoing":
        return _("Undoing…")
    text = ngettext("Working on %(n)s message…", "Working on %(n)s messages…", job.total_count)
    return text % {"n": grouped(job.total_count)}


def outcome(job: JobRow) -> str:
    """Say how far a job is, or how it ended."""
    if job.is_open:
        return working(job)
    if job.state == "undone":
        return _("Undone.")
    if job.state == "failed" and job.fault == "search too slow":
        return _("That did not work: the search takes too long. Narrow it and try again.")
    if job.state == "failed":
        return _("That did not work: the folder is gone.")
    return said(job.verb, job.done_count)
