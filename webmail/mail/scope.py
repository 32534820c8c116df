"""Who may see which mailbox: every view of the mail starts here (guarantees, IDOR).

A mailbox of somebody else and one that does not exist are the same 404. A delegate with role
`read` sees and downloads and changes nothing, not even what is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from mailcore.directory import mailboxes
from mailcore.personal.preferences import Preferences
from mailcore.queue import sent
from mailcore.store import read
from mailcore.store.labels import LabelRow, labels_of
from webmail import clock
from webmail.middleware import unauthorised

if TYPE_CHECKING:
    from mailcore.models.directory import Mailbox
    from mailcore.models.identity import User

View = Callable[..., HttpResponse]


@dataclass(frozen=True)  # without slots, for the count
class Scope:
    """A mailbox that the signed-in user may use, and all others of that user for the rail."""

    current: mailboxes.MailboxAccessRow
    all: Sequence[mailboxes.MailboxAccessRow]
    user: User | None = None

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox, as services take it."""
        return self.current.mailbox

    @property
    def may_change(self) -> bool:
        """Whether the user may change anything here."""
        return may_change(self.current)

    @cached_property
    def trees(self) -> dict[int, list[read.FolderRow]]:
        """The folders of each mailbox of the person by its key; one query, once."""
        return read.folders_of(mailbox_ids=[row.mailbox.pk for row in self.all])

    @property
    def folders(self) -> list[read.FolderRow]:
        """The folders of the mailbox, as they were when `trees` was read."""
        return self.trees[self.mailbox.pk]

    def forget_folders(self) -> None:
        """Let `trees` be read again: their counters changed."""
        self.__dict__.pop("trees", None)

    @cached_property
    def all_labels(self) -> dict[int, list[LabelRow]]:
        """The labels of each mailbox of the person by its key; one query, once."""
        return labels_of(mailbox_ids=[row.mailbox.pk for row in self.all])

    @cached_property
    def choices(self) -> Preferences:
        """What the person has chosen; without a query for whoever asks."""
        return clock.choices_of(self.user) if self.user else Preferences()

    @property
    def labels(self) -> list[LabelRow]:
        """The labels of the mailbox by name."""
        return self.all_labels[self.mailbox.pk]

    @cached_property
    def outbox_count(self) -> int:
        """How many messages of the mailbox wait or were not delivered; one query, once."""
        return sent.count(mailbox_id=self.mailbox.pk)


def may_change(row: mailboxes.MailboxAccessRow) -> bool:
    """Whether whoever has this access may change anything in the mailbox."""
    return row.role in {"owner", "send"}


def signed_in(view: View) -> View:
    """Let only signed-in users through: 401 for scripts, the sign-in page for people."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.headers.get("HX-Request") == "true":
            return unauthorised()
        return redirect_to_login(request.get_full_path())

    return guarded


def person(request: HttpRequest) -> User:
    """Return the signed-in user. Raises PermissionDenied for a stranger."""
    if isinstance(request.user, AnonymousUser):
        raise PermissionDenied
    return request.user


def own_mailboxes(request: HttpRequest) -> Sequence[mailboxes.MailboxAccessRow]:
    """Return the mailboxes of the signed-in user; none for a stranger."""
    user = request.user
    return () if isinstance(user, AnonymousUser) else mailboxes.for_user(user)


def scope_or_404(request: HttpRequest, mailbox_id: UUID) -> Scope:
    """Return the mailbox for this user. Raises Http404 when it is not one of theirs."""
    rows = own_mailboxes(request)
    for row in rows:
        if row.mailbox.public_id == mailbox_id:
            return Scope(current=row, all=rows, user=person(request))
    raise Http404


def change_scope(request: HttpRequest, mailbox_id: UUID) -> Scope:
    """Return the mailbox if the user may change it. Raises Http404 or PermissionDenied."""
    scope = scope_or_404(request, mailbox_id)
    if not scope.may_change:
        raise PermissionDenied
    return scope


def folder_or_404(folders: Sequence[read.FolderRow], folder_id: UUID) -> read.FolderRow:
    """Return the folder with this id out of the mailbox's own. Raises Http404."""
    for row in folders:
        if row.public_id == folder_id:
            return row
    raise Http404


def message_or_404(scope: Scope, message_id: UUID) -> read.MessageView:
    """Return the message if it is in this mailbox. Raises Http404."""
    message = read.message(mailbox=scope.mailbox, message_id=message_id)
    if message is None:
        raise Http404
    return message
