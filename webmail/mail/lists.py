"""Which list a page shows: of a folder, or a view over the mailbox, its filter, order and page.

Reads query strings and forms into one value; what cannot be read counts as absent. The same value
says what "select all" means (`mailcore.store.matching.View`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast
from uuid import UUID

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import pgettext

from mailcore.store import read
from mailcore.store.labels import LabelRow
from mailcore.store.matching import Only, View
from webmail.mail.scope import Scope, folder_or_404

FILTERS: tuple[Only, ...] = ("", "unread", "starred", "attached")
CURSOR_MAX = 40
Name = Literal["folder", "starred", "all", "label", "inboxes"]
VIEWS: tuple[Name, ...] = ("starred", "all", "inboxes")


@dataclass(frozen=True, slots=True)
class ListState:
    """Which page of which list. `folder` is None in a view over the mailbox.

    In the list over all inboxes it is that of this mailbox, where this mailbox's rows are.
    """

    mailbox_id: UUID
    folder: read.FolderRow | None
    name: Name = "folder"
    label: LabelRow | None = None
    after: str = ""
    only: Only = ""
    is_oldest_first: bool = False
    is_threaded: bool = True

    @property
    def view(self) -> View:
        """The list as the store knows it."""
        folder_id = self.folder.id if self.folder else None
        return View(
            folder_id=folder_id,
            only=self.only,
            is_starred=self.name == "starred",
            label_bit=self.label.bit if self.label else None,
        )

    @property
    def path(self) -> str:
        """Where the list is, without filter and page."""
        if self.folder and self.name == "folder":
            return reverse("mail:folder", args=[self.mailbox_id, self.folder.public_id])
        if self.label:
            return reverse("mail:label", args=[self.mailbox_id, self.label.public_id])
        return reverse(f"mail:{self.name}", args=[self.mailbox_id])

    @property
    def query(self) -> str:
        """The query string of this state, '' for a plain first page."""
        return self._query(self.only, self.is_oldest_first, self.after)

    @property
    def url(self) -> str:
        """Where this page is."""
        return self.path + self.query

    @property
    def turned_url(self) -> str:
        """The first page in the other order."""
        return self.path + self._query(self.only, not self.is_oldest_first, "")

    @property
    def filters(self) -> list[tuple[str, str]]:
        """Names of filters and where each is."""
        order = self.is_oldest_first
        return [(only, self.path + self._query(only, order, "")) for only in FILTERS]

    def page_url(self, cursor: str) -> str:
        """Where the page after `cursor` is."""
        return self.path + self._query(self.only, self.is_oldest_first, cursor)

    @property
    def origin(self) -> str:
        """The pair by which other pages name this list: `in=<folder>` or `view=<name>`."""
        if self.label:
            return f"label={self.label.public_id}"
        if self.folder and self.name == "folder":
            return f"in={self.folder.public_id}"
        return f"view={self.name}"

    @property
    def more(self) -> str:
        """What follows `origin` in a link, with its `&`."""
        return self.query.replace("?", "&", 1)

    @property
    def role(self) -> str:
        """The role of the folder, else ''."""
        return self.folder.role if self.folder else ""

    @property
    def title(self) -> str:
        """The name in the reader's language."""
        here = self.folder if self.name == "folder" else None
        return self.label.name if self.label else title(self.name, here)

    @property
    def is_mixed(self) -> bool:
        """Whether the rows are of more mailboxes than one."""
        return self.name == "inboxes"

    @property
    def counted(self) -> int | None:
        """How many messages "select all" means, where a stored counter tells."""
        if self.folder is None or self.is_mixed or self.only not in ("", "unread"):
            return None
        return self.folder.unseen_count if self.only else self.folder.total_count

    @staticmethod
    def _query(only: str, is_oldest_first: bool, after: str) -> str:
        pairs = [("only", only), ("order", "old" if is_oldest_first else ""), ("after", after)]
        joined = "&".join(f"{name}={value}" for name, value in pairs if value)
        return f"?{joined}" if joined else ""


def title(name: str, folder: read.FolderRow | None) -> str:
    """Return the name of a list in the reader's language."""
    names = {
        "inbox": pgettext("folder", "Inbox"),
        "drafts": pgettext("folder", "Drafts"),
        "sent": pgettext("folder", "Sent"),
        "archive": pgettext("folder", "Archive"),
        "junk": pgettext("folder", "Junk"),
        "trash": pgettext("folder", "Trash"),
        "starred": pgettext("folder", "Starred"),
        "all": pgettext("folder", "All mail"),
        "inboxes": pgettext("folder", "All inboxes"),
    }
    if folder is not None:
        return names.get(folder.role, folder.name)
    return names[name]


def of_folder(request: HttpRequest, scope: Scope, folder: read.FolderRow) -> ListState:
    """Return the page of a folder that the query string names."""
    return _narrowed(request, scope, ListState(scope.mailbox.public_id, folder))


def of_view(request: HttpRequest, scope: Scope, name: Name) -> ListState:
    """Return the page of a view over the mailbox that the query string names."""
    return _narrowed(request, scope, _view(scope, scope.folders, name))


def of_label(request: HttpRequest, scope: Scope, label_id: UUID) -> ListState:
    """Return the page of a label that the query string names. Raises Http404."""
    label = label_or_404(scope, label_id)
    state = ListState(scope.mailbox.public_id, None, name="label", label=label)
    return _narrowed(request, scope, state)


def label_or_404(scope: Scope, label_id: UUID) -> LabelRow:
    """Return the label with this id out of the mailbox's own. Raises Http404."""
    for row in scope.labels:
        if row.public_id == label_id:
            return row
    raise Http404


def of_origin(
    request: HttpRequest, scope: Scope, folders: Sequence[read.FolderRow]
) -> ListState | None:
    """Return the list that a page was opened from, None when it does not say.

    Raises Http404 for a folder that the mailbox does not have.
    """
    found = asked(request.GET, scope, folders)
    return _narrowed(request, scope, found) if found else None


def asked(
    data: Mapping[str, str], scope: Scope, folders: Sequence[read.FolderRow]
) -> ListState | None:
    """Return the list that `in`, `view` or `label` names, with its filter. Raises Http404."""
    only = data.get("only", "")
    state = ListState(scope.mailbox.public_id, None, only=only if only in FILTERS else "")
    if data.get("view") in VIEWS:
        view = _view(scope, folders, cast("Name", data["view"]))
        return replace(view, only=state.only)
    if label_id := _uuid(data.get("label", "")):
        return replace(state, name="label", label=label_or_404(scope, label_id))
    folder_id = _uuid(data.get("in", ""))
    return replace(state, folder=folder_or_404(folders, folder_id)) if folder_id else None


def _view(scope: Scope, folders: Sequence[read.FolderRow], name: Name) -> ListState:
    inbox = next((row for row in folders if row.role == "inbox"), None)
    folder = inbox if name == "inboxes" else None
    return ListState(scope.mailbox.public_id, folder, name=name)


def narrowed_to_message(
    request: HttpRequest, view: read.ThreadView
) -> tuple[read.ThreadView, bool]:
    """Return the one message that `only_message` names, as a conversation, and whether it is so.

    Links of a list without conversations have it.
    """
    wanted = _uuid(request.GET.get("only_message", ""))
    found = [message for message in view.messages if message.public_id == wanted]
    if not found:
        return view, False
    return replace(view, messages=found, message_count=1, subject=found[0].subject), True


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _narrowed(request: HttpRequest, scope: Scope, state: ListState) -> ListState:
    only = request.GET.get("only", "")
    after = request.GET.get("after", "")[:CURSOR_MAX]
    return replace(
        state,
        only=only if only in FILTERS else "",
        is_oldest_first=request.GET.get("order") == "old",
        after="".join(char for char in after if char in "0123456789abcdef."),
        is_threaded=scope.choices.conversations,
    )
