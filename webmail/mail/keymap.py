"""The one table of keys: the sheet is made from it, and `keys.js` reads it from the sheet.

Keys are `event.key`, so that they are where a keyboard has them; two strokes stand with a space
between. What cannot be undone has no key that a mail frame may pass on.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Text = str | Promise
_NAMES = {"ArrowDown": "↓", "ArrowUp": "↑", "Escape": "Esc", "Delete": "Del"}


@dataclass(frozen=True, slots=True)
class Key:
    """An action of `keys.js` and the keys that do it; any of them."""

    action: str
    keys: tuple[str, ...]
    text: Text

    @property
    def joined(self) -> str:
        """The keys as the script reads them."""
        return "|".join(self.keys)

    @property
    def shown(self) -> list[list[str]]:
        """The strokes of each key, as they stand on keyboards."""
        return [
            [_NAMES.get(part, part) for stroke in key.split(" ") for part in _parts(stroke)]
            for key in self.keys
        ]


@dataclass(frozen=True, slots=True)
class Group:
    """Keys that work at the same place."""

    title: Text
    keys: tuple[Key, ...]


def _parts(stroke: str) -> list[str]:
    return stroke.split("+") if len(stroke) > 1 else [stroke]


def _key(action: str, keys: str, text: Text) -> Key:
    return Key(action, tuple(keys.split("|")), text)


GROUPS = (
    Group(
        _("Anywhere"),
        (
            _key("write", "c", _("New message")),
            _key("search", "/", _("Search")),
            _key("palette", "Ctrl+k", _("Go to or do anything")),
            _key("help", "?", _("Keyboard shortcuts")),
            _key("undo", "z|Ctrl+z", _("Undo")),
            _key("close", "Escape", _("Close, clear the selection, go back")),
            _key("inbox", "g i", _("Go to the inbox")),
            _key("starred", "g s", _("Go to what is starred")),
            _key("sent", "g t", _("Go to sent mail")),
            _key("drafts", "g d", _("Go to drafts")),
            _key("all_mail", "g a", _("Go to all mail")),
            _key("folder", "g l", _("Go to a folder or label")),
            _key("contacts", "g c", _("Go to contacts")),
            _key("settings", "g ,", _("Go to settings")),
        ),
    ),
    Group(
        _("In the list"),
        (
            _key("next", "j|ArrowDown", _("Next conversation")),
            _key("previous", "k|ArrowUp", _("Previous conversation")),
            _key("open", "o|Enter", _("Open")),
            _key("select", "x", _("Select")),
            _key("range", "X", _("Select from the last one to here")),
            _key("page", "* a", _("Select all on this page")),
            _key("none", "* n", _("Select none")),
            _key("chosen_read", "* r", _("Select what is read")),
            _key("chosen_unread", "* u", _("Select what is unread")),
            _key("chosen_starred", "* s", _("Select what is starred")),
            _key("everything", "* m", _("Select all messages of this list")),
            _key("newer", ",", _("Newer page")),
            _key("older", ".", _("Older page")),
            _key("back", "u", _("Look for new mail; back to the list")),
        ),
    ),
    Group(
        _("With the selection or a conversation"),
        (
            _key("archive", "e", _("Archive")),
            _key("archive_next", "]", _("Archive and go to the next")),
            _key("archive_previous", "[", _("Archive and go to the previous")),
            _key("trash", "#|Delete", _("Move to Trash")),
            _key("destroy", "Shift+Delete", _("Delete for good")),
            _key("spam", "!", _("Spam, not spam")),
            _key("star", "s", _("Star")),
            _key("read", "I", _("Mark as read")),
            _key("unread", "U", _("Mark as unread")),
            _key("move", "v", _("Move to a folder")),
            _key("label", "l|y", _("Put a label on or take it off")),
            _key("mute", "m", _("Mute the conversation, or hear of it again")),
        ),
    ),
    Group(
        _("In a conversation"),
        (
            _key("reply", "r", _("Reply")),
            _key("reply_all", "a", _("Reply to all")),
            _key("forward", "f", pgettext_lazy("verb", "Forward")),
            _key("message_next", "n", _("Next message")),
            _key("message_previous", "p", _("Previous message")),
            _key("unfold", ";", _("Expand all")),
            _key("fold", ":", _("Collapse all")),
            _key("details", "d", _("Details")),
            _key("images", "i", _("Show images once")),
            _key("original", "O", _("Show source")),
        ),
    ),
)
