"""The life of a message in words: one sentence for each trace event, in the reader's language.

What strangers said (addresses, replies) stands between isolates, so that right-to-left text cannot
turn the sentence around; the template escapes it. Reads nothing: events come in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from mailcore.delivery.explanations import Explanation, explain
from mailcore.smtp.reply import Reply
from mailcore.trace import Entry

Mood = Literal["", "ok", "warn", "bad"]
_REPLY = re.compile(r"([2-5]\d\d)(?: ([245]\.\d{1,3}\.\d{1,3}))?(?: (.*))?", re.DOTALL)
_MOODS: dict[str, Mood] = {
    "stored": "ok",
    "delivered": "ok",
    "refused": "bad",
    "failed": "bad",
    "expired": "bad",
    "deferred": "warn",
    "attempted": "warn",
    "held": "warn",
    "cancelled": "warn",
}
_FINE = 300


@dataclass(frozen=True, slots=True)
class Told:
    """An event, its sentence, how it went, and what it means when it went badly."""

    entry: Entry
    sentence: str
    mood: Mood
    explanation: Explanation | None


def tell(entries: Iterable[Entry]) -> list[Told]:
    """Return the events with their sentences, in the order in which they come."""
    return [_told(entry) for entry in entries]


def explained(text: str) -> Explanation | None:
    """Return what a reply means that is written as `550 5.1.1 text`; None if it is no refusal."""
    match = _REPLY.fullmatch(text)
    if match is None or match[1][0] not in "45":
        return None
    return explain(Reply(int(match[1]), match[2] or "", match[3] or ""))


def _told(entry: Entry) -> Told:
    mood = _MOODS.get(entry.kind, "")
    sentence = _SENTENCES.get(entry.kind, _other)(entry)
    return Told(entry, sentence, mood, explained(entry.reply) if mood in {"bad", "warn"} else None)


def _values(entry: Entry) -> dict[str, str]:
    detail = entry.detail or {}
    into = detail.get("into")
    targets = ", ".join(map(str, into[:10])) if isinstance(into, list) else ""
    by = str(detail.get("by") or "")
    return {
        "from": _isolated(entry.reverse_path or "<>"),
        "to": _isolated(entry.forward_path or "?"),
        "peer": _isolated(str(detail.get("host") or entry.peer or _("an unknown host"))),
        "into": _isolated(targets),
        "by": _isolated(by) if not by.isdigit() else "",
        "blocked": _isolated(str(detail.get("blocked") or "")),
        "kind": entry.kind,
    }


def _has_peer(entry: Entry) -> bool:
    """Whether another host took part: local mail and names that do not exist have none."""
    return bool((entry.detail or {}).get("host") or entry.peer)


def _isolated(text: str) -> str:
    return f"\u2068{text[:_FINE]}\u2069"


def _connected(entry: Entry) -> str:
    return _("%(peer)s connected.") % _values(entry)


def _refused(entry: Entry) -> str:
    values = _values(entry)
    if entry.forward_path:
        return _("We refused mail from %(from)s to %(to)s, offered by %(peer)s.") % values
    if entry.reverse_path:
        return _("We refused mail from %(from)s, offered by %(peer)s.") % values
    return _("We refused what %(peer)s wanted.") % values


def _accepted(entry: Entry) -> str:
    values, detail = _values(entry), entry.detail or {}
    if detail.get("about"):
        return _("We wrote a notice to %(to)s about another message.") % values
    if detail.get("origin") == "webmail":
        return _("%(from)s sent it to %(to)s from the browser.") % values
    if detail.get("origin"):
        return _("%(from)s handed it in for %(to)s with a mail program.") % values
    return _("We took it from %(peer)s: written by %(from)s, for %(to)s.") % values


def _expanded(entry: Entry) -> str:
    return _("%(to)s is an alias and leads to %(into)s.") % _values(entry)


def _stored(entry: Entry) -> str:
    if (entry.detail or {}).get("folder") == "sent":
        owner = _isolated(entry.forward_path or entry.reverse_path)
        return _("A copy was kept in the Sent folder of %(to)s.") % {"to": owner}
    if "blocked" in (entry.detail or {}):
        return _("It is in the Junk folder of %(to)s, who blocks %(blocked)s.") % _values(entry)
    if (entry.detail or {}).get("folder") == "archive" and "muted" in (entry.detail or {}):
        text = _("It is in the archive of %(to)s, where the conversation is muted.")
        return text % _values(entry)
    return _("It is in the mailbox of %(to)s.") % _values(entry)


def _duplicate(entry: Entry) -> str:
    return _("%(to)s had it already, so it was not stored twice.") % _values(entry)


def _forwarded(entry: Entry) -> str:
    return _("It is sent on to %(to)s.") % _values(entry)


def _queued(entry: Entry) -> str:
    values = _values(entry)
    if (entry.detail or {}).get("by"):
        return _("%(by)s asked to try %(to)s again at once.") % values
    return _("It waits to be sent to %(to)s.") % values


def _captured(entry: Entry) -> str:
    return _("It was captured instead of being sent to %(to)s.") % _values(entry)


def _held(entry: Entry) -> str:
    return _("%(by)s held it back from %(to)s.") % _values(entry)


def _released(entry: Entry) -> str:
    return _("%(by)s let it go to %(to)s.") % _values(entry)


def _cancelled(entry: Entry) -> str:
    values = _values(entry)
    if values["by"]:
        return _("%(by)s cancelled sending it to %(to)s.") % values
    return _("Sending it to %(to)s was cancelled.") % values


def _attempted(entry: Entry) -> str:
    values = _values(entry)
    if not _has_peer(entry):
        return _("No host took it for %(to)s; the next one is tried.") % values
    return _("%(peer)s could not take it for %(to)s; the next host is tried.") % values


def _deferred(entry: Entry) -> str:
    values = _values(entry)
    if not _has_peer(entry):
        return _("It could not be delivered to %(to)s yet; we try again later.") % values
    return _("%(peer)s did not take it for %(to)s yet; we try again later.") % values


def _delivered(entry: Entry) -> str:
    values = _values(entry)
    if not _has_peer(entry):
        return _("It has arrived at %(to)s.") % values
    return _("%(peer)s took it for %(to)s.") % values


def _failed(entry: Entry) -> str:
    values = _values(entry)
    if not _has_peer(entry):
        return _("It cannot be delivered to %(to)s.") % values
    return _("%(peer)s refused it for %(to)s for good.") % values


def _expired(entry: Entry) -> str:
    return _("It could not be delivered to %(to)s in time and was given up.") % _values(entry)


def _notified(entry: Entry) -> str:
    return _("The sender was told what became of %(to)s.") % _values(entry)


def _reported(entry: Entry) -> str:
    return _("%(peer)s reported what became of it for %(to)s.") % _values(entry)


def _other(entry: Entry) -> str:
    return _("%(kind)s: from %(from)s to %(to)s.") % _values(entry)


_SENTENCES: dict[str, Callable[[Entry], str]] = {
    "connected": _connected,
    "refused": _refused,
    "accepted": _accepted,
    "expanded": _expanded,
    "stored": _stored,
    "duplicate": _duplicate,
    "forwarded": _forwarded,
    "queued": _queued,
    "captured": _captured,
    "held": _held,
    "released": _released,
    "cancelled": _cancelled,
    "attempted": _attempted,
    "deferred": _deferred,
    "delivered": _delivered,
    "failed": _failed,
    "expired": _expired,
    "notified": _notified,
    "reported": _reported,
}
