"""What a notification says to the person who wrote, in their language.

Sentences only, by gettext: the form is `dsn.compose`'s, and who gets one is decided in `bounce`.
What peers answered is quoted on one line and never interpreted beyond its code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from mailcore.delivery.explanations import explain
from mailcore.mime import words
from mailcore.queue.outcome import Ended

_INDENT = "    "
_SUBJECT_CHARS = 120


def sender_name() -> str:
    """Return the name that stands before our address."""
    return gettext("Mail delivery")


def subject(kind: str, original: str) -> str:
    """Return the subject; `kind` is failed, delayed, relayed or delivered."""
    about = {"subject": original[:_SUBJECT_CHARS] or gettext("(no subject)")}
    if kind == "failed":
        return gettext("Not delivered: %(subject)s") % about
    if kind == "delayed":
        return gettext("Not delivered yet: %(subject)s") % about
    return gettext("Delivered: %(subject)s") % about


def text(kind: str, ended: Sequence[Ended], *, original: str, host: str, timezone: str) -> str:
    """Return the whole text, lines ended by LF. `original` is the subject of the message."""
    zone = _zone(timezone)
    batch = ended[0].batch
    lines = [_opening(kind, ended, zone), ""]
    for each in ended:
        lines += [*_recipient(kind, each), ""]
    lines += [
        gettext("Your message: %(subject)s")
        % {"subject": original[:_SUBJECT_CHARS] or gettext("(no subject)")},
        gettext("Sent: %(date)s") % {"date": _date(batch.created_at, zone)},
        "",
        gettext("If you need help, reply to this message: it reaches the people who run %(host)s.")
        % {"host": host},
    ]
    return "\n".join(lines)


def _opening(kind: str, ended: Sequence[Ended], zone: tzinfo) -> str:
    count = len(ended)
    if kind == "failed":
        return ngettext(
            "Your message could not be delivered to the address below. We will not try again.",
            "Your message could not be delivered to the addresses below. We will not try again.",
            count,
        )
    if kind == "delayed":
        until = _date(ended[0].batch.expires_at, zone)
        first = gettext("Your message has not been delivered to the recipients below yet.")
        return f"{first}\n" + gettext(
            "You need not do anything: we keep trying until %(until)s and tell you if it fails."
        ) % {"until": until}
    if kind == "relayed":
        return gettext(
            "Your message was handed over to the mail servers of the recipients below."
            " They send no confirmation, so this is the last that we can tell you."
        )
    return gettext("Your message was delivered to the recipients below.")


def _recipient(kind: str, each: Ended) -> Iterator[str]:
    recipient = each.recipient
    yield f"<{recipient.forward_path}>"
    if recipient.original_forward_path not in ("", recipient.forward_path):
        yield _INDENT + gettext("You wrote to %(alias)s, which forwards there.") % {
            "alias": recipient.original_forward_path
        }
    if kind not in ("failed", "delayed"):
        return
    meaning = explain(each.reply)
    yield f"{_INDENT}{meaning.happened}"
    if each.state == "expired":
        yield _INDENT + gettext("We have tried until the time for it was over.")
    if kind == "failed":
        yield _INDENT + gettext("What you can do: %(advice)s") % {"advice": meaning.advice}
    quoted = {"host": words.clean(each.host), "reply": words.clean(str(each.reply))}
    if each.host:
        yield _INDENT + gettext("Details (%(host)s): %(reply)s") % quoted
    else:
        yield _INDENT + gettext("Details: %(reply)s") % quoted


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (LookupError, ValueError, OSError):  # no such zone, or no name for one
        return UTC


def _date(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{date_format(local, 'DATETIME_FORMAT')} {local:%Z}"
