"""How values look on a page: icons, dates, initials, colours of people, kinds of file.

Everything returned is escaped; only the icon, whose name is checked, is markup.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache

from django import template
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from mailcore.mime.invitation import Invitation
from mailcore.store.rows import ConversationRow
from webmail import clock, importmap, numbers
from webmail.assets.sprite import ICONS
from webmail.mail import keymap, rowcache

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


register.filter("grouped", numbers.grouped)


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
    return rowcache.line(row, context["places"][row.mailbox_id], is_current=is_current)


@register.simple_tag
def import_map() -> str:
    """Return the import map element, whose hash is in the policy."""
    return importmap.element()


@register.simple_tag
def keys_sheet() -> SafeString:
    """Return the table of keys as every page has it, in the active language."""
    return _keys_sheet(get_language() or "")


@lru_cache(maxsize=8)
def _keys_sheet(_language: str) -> SafeString:
    return SafeString(get_template("mail/keys.html").render({"groups": keymap.GROUPS}))


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
        return clock.shown(local)
    if 0 < days <= WEEK_DAYS:
        return date_format(local, "D")
    return date_format(local, _("j M") if local.year == now.year else _("j M Y"))


@register.filter
def when_exactly(at: datetime) -> str:
    """Return the full date and time, for titles and the opened message."""
    return clock.shown(timezone.localtime(at), _("D j M Y, H:i"))


@register.filter(name="clock")
def clock_time(at: datetime) -> str:
    """Return the time of a local day: 14:05, or 2:05 PM for who wants that."""
    return clock.shown(at)


@register.filter
def senders(names: Iterable[str], amount: int) -> str:
    """Return who writes in a conversation: the one name, or the first names of the last few.

    Two of one first name get their initial: Ana M., Ana L.
    """
    people = list(names)
    if len(people) <= 1 or amount <= 1:
        return people[0] if people else _("(no sender)")
    words = [person.partition("@")[0].split() or [person] for person in people[-3:]]
    firsts = [first for first, *_ in words]
    return ", ".join(
        f"{first} {more[-1][0]}." if more and firsts.count(first) > 1 else first
        for first, *more in words
    )


@register.filter
def person(pair: tuple[str, str]) -> str:
    """Return the name of a (name, address) pair, or the address."""
    return pair[0] or pair[1]


@register.filter
def people(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return the name of each (name, address) pair, or its address."""
    return [person(pair) for pair in pairs]


@register.filter
def event_time(event: Invitation) -> str:
    """Return from when to when an event is, in the reader's zone when its own is known."""
    starts, ends = event.starts, event.ends
    if not isinstance(starts, datetime):
        last = ends - timedelta(days=1) if ends and not isinstance(ends, datetime) else starts
        days = [_day(starts), _day(last)] if last and starts and last > starts else [_day(starts)]
        return " – ".join(days)
    first = _local(starts)
    text = f"{_day(first)}, {clock.shown(first)}"
    if isinstance(ends, datetime) and (ends.tzinfo is None) == (starts.tzinfo is None):
        last_moment = _local(ends)
        same = last_moment.date() == first.date()
        text += " – " + ("" if same else f"{_day(last_moment)}, ") + clock.shown(last_moment)
    return text


def _local(at: datetime) -> datetime:
    return timezone.localtime(at) if at.tzinfo else at


def _day(day: date | None) -> str:
    return date_format(day, _("D j M Y")) if day else ""


@register.filter
def lasting(delay: timedelta) -> str:
    """Return how long a step took: 3 s, 2 min 5 s, 1 h 20 min; below zero with its sign."""
    seconds = int(delay.total_seconds())
    sign, seconds = ("−" if seconds < 0 else ""), abs(seconds)
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return f"{sign}{hours} h {minutes} min"
    return f"{sign}{minutes} min {seconds % 60} s" if minutes else f"{sign}{seconds} s"
