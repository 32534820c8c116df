"""How values look on a page: icons, dates, initials, colours of people, kinds of file.

Everything returned is escaped; only the icon, whose name is checked, is markup.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from mailcore.store.rows import ConversationRow
from webmail import importmap
from webmail.assets.sprite import ICONS
from webmail.mail import rowcache

register = template.Library()

HUES = 12
WEEK_DAYS = 6
FOLDER_ICONS = {
    "inbox": "inbox",
    "drafts": "file-pen",
    "sent": "send",
    "archive": "archive",
    "junk": "octagon-alert",
    "trash": "trash-2",
}
KINDS = {
    "application/pdf": "file-text",
    "application/zip": "file-archive",
    "application/gzip": "file-archive",
    "text/csv": "file-spreadsheet",
    "message/rfc822": "mail",
}
MAJOR_KINDS = {
    "image": "file-image",
    "audio": "file-music",
    "video": "file-play",
    "text": "file-text",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return the icon `name` of the sprite, hidden from screen readers."""
    if name not in ICONS:
        raise template.TemplateSyntaxError(f"no icon {name!r} in the sprite")
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>',
        static("img/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def conversation_row(context: template.Context, row: ConversationRow) -> SafeString:
    """Return a line of the conversation list, from the cache when it is the same as before."""
    opened = context.get("thread")
    is_current = opened is not None and opened.thread_id == row.thread_id
    return rowcache.line(row, context["place"], is_current=is_current)


@register.simple_tag
def import_map() -> str:
    """Return the import map element, whose hash is in the policy."""
    return importmap.element()


@register.filter
def folder_icon(role: str) -> str:
    """Return the icon of a folder's role."""
    return FOLDER_ICONS.get(role, "folder")


@register.filter
def folder_name(folder: object) -> str:
    """Return a folder's name, those with a role in the reader's language."""
    names = {
        "inbox": pgettext("folder", "Inbox"),
        "drafts": pgettext("folder", "Drafts"),
        "sent": pgettext("folder", "Sent"),
        "archive": pgettext("folder", "Archive"),
        "junk": pgettext("folder", "Junk"),
        "trash": pgettext("folder", "Trash"),
    }
    return names.get(getattr(folder, "role", ""), str(getattr(folder, "name", "")))


@register.filter
def kind_icon(content_type: str) -> str:
    """Return the icon of a media type."""
    major = content_type.partition("/")[0]
    return KINDS.get(content_type) or MAJOR_KINDS.get(major) or "file"


@register.filter
def initials(name: str) -> str:
    """Return one or two letters that stand for a person."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] + (words[1][0] if len(words) > 1 and "@" not in name else "")
    return letters.upper()


@register.filter
def hue(address: str) -> int:
    """Return one of 12 hues, always the same for an address."""
    return hashlib.sha256(address.casefold().encode()).digest()[0] % HUES


@register.filter
def when(at: datetime) -> str:
    """Return a short date: 14:05, Tue, 3 Nov, 3 Nov 2024."""
    local, now = timezone.localtime(at), timezone.localtime()
    days = (now.date() - local.date()).days
    if days == 0:
        return date_format(local, "H:i")
    if 0 < days <= WEEK_DAYS:
        return date_format(local, "D")
    return date_format(local, _("j M") if local.year == now.year else _("j M Y"))


@register.filter
def when_exactly(at: datetime) -> str:
    """Return the full date and time, for titles and the opened message."""
    return date_format(timezone.localtime(at), _("D j M Y, H:i"))


@register.filter
def senders(names: Iterable[str], amount: int) -> str:
    """Return who writes in a conversation: the one name, or the first names of the last few."""
    people = list(names)
    if len(people) <= 1 or amount <= 1:
        return people[0] if people else _("(no sender)")
    return ", ".join(person.partition("@")[0].split(" ")[0] for person in people[-3:])


@register.filter
def person(pair: tuple[str, str]) -> str:
    """Return the name of a (name, address) pair, or the address."""
    return pair[0] or pair[1]
