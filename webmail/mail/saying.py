"""What a toast says was done to how many messages, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailcore.store.jobs import JobRow
from mailcore.store.rows import Done

if TYPE_CHECKING:
    from mailcore.models.directory import Mailbox


def said(verb: str, count: int) -> str:
    """Say what was done to how many messages, in the reader's language."""
    texts = {
        "read": ngettext("%(n)d message marked as read", "%(n)d messages marked as read", count),
        "unread": ngettext(
            "%(n)d message marked as unread", "%(n)d messages marked as unread", count
        ),
        "star": ngettext("%(n)d message starred", "%(n)d messages starred", count),
        "unstar": ngettext(
            "Star removed from %(n)d message", "Star removed from %(n)d messages", count
        ),
        "archive": ngettext("%(n)d message archived", "%(n)d messages archived", count),
        "trash": ngettext("%(n)d message moved to Trash", "%(n)d messages moved to Trash", count),
        "spam": ngettext("%(n)d message marked as spam", "%(n)d messages marked as spam", count),
        "inbox": ngettext("%(n)d message moved to Inbox", "%(n)d messages moved to Inbox", count),
        "move": ngettext("%(n)d message moved", "%(n)d messages moved", count),
        "label": ngettext("%(n)d message labelled", "%(n)d messages labelled", count),
        "unlabel": ngettext(
            "Label taken off %(n)d message", "Label taken off %(n)d messages", count
        ),
        "mute": ngettext("%(n)d conversation muted", "%(n)d conversations muted", count),
        "unmute": ngettext(
            "%(n)d conversation no longer muted", "%(n)d conversations no longer muted", count
        ),
        "destroy": ngettext(
            "%(n)d message deleted for good", "%(n)d messages deleted for good", count
        ),
    }
    return texts[verb] % {"n": count}


def undo_tag(done: Done, mailbox: Mailbox) -> str:
    """Return the tag of a toast that offers to undo, `operation@mailbox`; '' where it cannot."""
    return f"{done.operation_id}@{mailbox.public_id}" if done.operation_id else ""


def working(job: JobRow) -> str:
    """Say that a job is under way, or is being undone."""
    if job.state == "undoing":
        return _("Undoing…")
    text = ngettext("Working on %(n)d message…", "Working on %(n)d messages…", job.total_count)
    return text % {"n": job.total_count}


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
