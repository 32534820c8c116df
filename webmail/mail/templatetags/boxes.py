"""The other mailboxes of a person in the rail, with their folders and what is unread there.

Which are unfolded is a cookie of the browser; without scripts each folds by itself. The folders
come with those of the mailbox that the page is about, in one query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django import template
from django.http import HttpRequest

from mailcore.directory.mailboxes import MailboxAccessRow
from mailcore.store.read import FolderRow
from webmail.mail.scope import Scope, may_change
from webmail.mail.shell import UNFOLDED

register = template.Library()

FOLDED_MAX = 20  # mailboxes with their folders; of more there are links only


@dataclass(frozen=True, slots=True)
class Box:
    """Another mailbox. `folders` is empty where the rail has a link only."""

    access: MailboxAccessRow
    folders: Sequence[FolderRow]
    unseen_count: int
    is_open: bool
    may_change: bool


@register.simple_tag(takes_context=True)
def other_boxes(context: template.Context) -> list[Box]:
    """Return the mailboxes of the person but that of the page, in their order."""
    scope: Scope = context["scope"]
    request: HttpRequest = context["request"]
    unfolded = request.COOKIES.get(UNFOLDED, "").split(".")
    others = [row for row in scope.all if row.mailbox.pk != scope.mailbox.pk]
    return [
        Box(
            access=row,
            folders=scope.trees[row.mailbox.pk] if place < FOLDED_MAX else (),
            unseen_count=_unseen(scope.trees[row.mailbox.pk]),
            is_open=str(row.mailbox.public_id) in unfolded,
            may_change=may_change(row),
        )
        for place, row in enumerate(others)
    ]


@register.filter
def unseen_everywhere(scope: Scope) -> int:
    """Return how much is unread in all inboxes together."""
    return sum(map(_unseen, scope.trees.values()))


def _unseen(folders: Sequence[FolderRow]) -> int:
    return sum(row.unseen_count for row in folders if row.role == "inbox")
