"""Parcel tracking in words: what each state, try and report means to the person who wrote.

Turns values of the queue into lines for templates, in the reader's language. What hosts said stays
a quotation and is escaped by the template. Decides nothing and reads no tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from mailcore.delivery.explanations import explain
from mailcore.queue.sent import Attempt, Parcel, Sent
from mailcore.store.tracking import Place
from webmail.mail.templatetags.show import when_exactly

SHOWN_ATTEMPTS = 3  # of a recipient in a conversation; its own page has all
SHOWN_LINES = 50
Text = str | Promise


@dataclass(frozen=True, slots=True)
class Notice:
    """A delivery report in the mailbox: what it says and where it is."""

    label: str
    place: Place


@dataclass(frozen=True, slots=True)
class Line:
    """One recipient in words. `tone` is ok, wait, bad or off; `quoted` are a host's own words."""

    id: UUID
    address: str
    via: str
    tone: str
    icon: str
    headline: str
    details: tuple[Text, ...]
    advice: Text
    quoted: str
    attempts: tuple[Attempt, ...]
    attempt_count: int
    may_retry: bool
    may_cancel: bool
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Track:
    """A message in words: one sentence for all, then a line for each recipient."""

    id: UUID
    tone: str
    icon: str
    summary: str
    lines: tuple[Line, ...]
    more: int
    may_cancel: bool
    may_edit: bool
    may_dismiss: bool
    is_put_off: bool
    sent: Sent

    @property
    def is_open(self) -> bool:
        """Whether the page shows the lines at once: when something is wrong."""
        return self.tone in {"bad", "late"}

    @property
    def is_news(self) -> bool:
        """Whether it failed and its sender has not put that aside: the message is shown open."""
        return self.may_dismiss


def track(sent: Sent, *, now: datetime, notices: dict[str, list[Notice]] | None = None) -> Track:
    """Return the tracking of a message; `notices` are its reports by forward-path."""
    told = notices or {}
    lines = [
        line(sent, parcel, now=now, notices=told.get(parcel.forward_path, ()))
        for parcel in sent.parcels[:SHOWN_LINES]
    ]
    is_put_off = _is_put_off(sent, now)
    tone, icon, summary = _summary(sent, now)
    return Track(
        id=sent.id,
        tone=tone,
        icon=icon,
        summary=summary,
        lines=tuple(lines),
        more=sent.total - len(lines),
        may_cancel=is_put_off or sum(each.may_cancel for each in lines) > 1,
        may_edit=_may_edit(sent, now),
        may_dismiss=any(parcel.may_dismiss for parcel in sent.parcels),
        is_put_off=is_put_off,
        sent=sent,
    )


def _may_edit(sent: Sent, now: datetime) -> bool:
    """Say whether the whole message can be taken back: nothing of it was begun."""
    untouched = all(
        one.is_open and not one.attempt_count and not one.is_busy(now) for one in sent.parcels
    )
    return untouched and sent.draft_id is not None and len(sent.parcels) == sent.total


def line(
    sent: Sent,
    parcel: Parcel,
    *,
    now: datetime,
    notices: Sequence[Notice] = (),
    attempts: int = SHOWN_ATTEMPTS,
) -> Line:
    """Return one recipient in words, with at most `attempts` of its tries."""
    tone, icon, headline, details = _told(sent, parcel, now)
    is_free = parcel.state in {"queued", "held"} and not parcel.is_busy(now)
    is_late = parcel.next_attempt_at is not None and parcel.next_attempt_at > now
    is_refused = parcel.is_lost or tone == "late"
    is_unseen = bool(parcel.reported) or not parcel.attempts
    # What was put into a mailbox here has no host and no dialogue to tell of.
    is_here = parcel.route == "local" and parcel.state == "delivered"
    meaning = explain(parcel.reply) if is_refused and parcel.last_reply else None
    return Line(
        id=parcel.id,
        address=parcel.forward_path,
        via=parcel.original_forward_path
        if parcel.original_forward_path not in {"", parcel.forward_path}
        else "",
        tone=tone,
        icon=icon,
        headline=headline,
        details=(*((meaning.happened,) if meaning else ()), *details),
        advice=meaning.advice if meaning and parcel.is_lost else "",
        quoted=parcel.last_reply if is_refused and is_unseen else "",
        attempts=() if is_here else parcel.attempts[:attempts],
        attempt_count=0 if is_here else max(parcel.attempt_count, len(parcel.attempts)),
        may_retry=is_free and is_late and not _is_put_off(sent, now) and parcel.state == "queued",
        may_cancel=is_free and not _is_put_off(sent, now),
        notices=tuple(notices),
    )


def notice_label(action: str) -> str:
    """Return what a report is called in a list of links."""
    labels = {
        "failed": _("Report: not delivered"),
        "delayed": _("Report: delayed"),
        "delivered": _("Report: delivered"),
        "relayed": _("Report: passed on"),
        "expanded": _("Report: passed on to a list"),
    }
    return labels.get(action) or _("Report")


Told = tuple[str, str, str, tuple[str, ...]]


def _told(sent: Sent, parcel: Parcel, now: datetime) -> Told:
    """Return tone, icon, headline and sentences of a recipient."""
    if parcel.state == "delivered":
        return _delivered(parcel)
    if parcel.state == "queued":
        return _queued(sent, parcel, now)
    late = _("We tried until the time for it was over.")
    states: dict[str, Told] = {
        "held": (
            *("wait", "pause", _("Held back")),
            (_("The people who run this mail system keep it back."),),
        ),
        "captured": (
            *("off", "package", _("Kept on this system")),
            (_("This mail system is set up to send nothing outside."),),
        ),
        "failed": ("bad", "circle-x", _("Not delivered"), ()),
        "expired": ("bad", "circle-x", _("Not delivered"), (late,)),
        "cancelled": ("off", "ban", pgettext("recipient", "Cancelled"), ()),
    }
    return states[parcel.state]


def _delivered(parcel: Parcel) -> Told:
    at = when_exactly(parcel.finished_at) if parcel.finished_at else ""
    stored = _("In the mailbox since %(when)s.") % {"when": at}
    if parcel.route == "local":
        return "ok", "check-check", _("Delivered"), (stored,)
    host = {"host": parcel.remote_host, "when": at}
    if parcel.remote_host:
        taken = _("The server %(host)s took it on %(when)s.") % host
    else:
        taken = _("The other server took it on %(when)s.") % host
    if parcel.reported == "failed":
        back = _("A report says that it was not delivered after that.")
        return "bad", "circle-x", _("Came back"), (taken, back)
    headline, sentence = {
        "": (_("Handed over"), ""),
        "delayed": (_("Handed over"), _("A report says that it is delayed there.")),
        "relayed": (_("Passed on"), _("A report says that it was passed on from there.")),
        "expanded": (_("Passed on"), _("A report says that it was passed on to a list.")),
        "delivered": (_("Delivered"), _("A report confirms it.")),
    }.get(parcel.reported, (_("Handed over"), ""))
    icon = "check-check" if parcel.reported == "delivered" else "check"
    return "ok", icon, headline, (taken, sentence) if sentence else (taken,)


def _queued(sent: Sent, parcel: Parcel, now: datetime) -> Told:
    if parcel.is_busy(now):
        return "wait", "send", _("Being sent now"), ()
    if _is_put_off(sent, now) and sent.not_before:
        leaves = _("Leaves on %(when)s.") % {"when": when_exactly(sent.not_before)}
        return "wait", "calendar-clock", _("Scheduled"), (leaves,)
    if not parcel.attempt_count:
        return "wait", "clock", _("On its way"), ()
    sentences = []
    if parcel.next_attempt_at:
        when = {
            "next": when_exactly(parcel.next_attempt_at),
            "until": when_exactly(sent.expires_at),
        }
        sentences.append(_("The next try is on %(next)s; we give up on %(until)s.") % when)
    return "late", "clock", _("Not delivered yet"), tuple(sentences)


def _is_put_off(sent: Sent, now: datetime) -> bool:
    return sent.not_before is not None and sent.not_before > now


def _summary(sent: Sent, now: datetime) -> tuple[str, str, str]:
    """Return tone, icon and sentence for the whole message."""
    parcels = sent.parcels
    if len(parcels) == 1 and sent.total == 1:
        tone, icon, headline, _details = _told(sent, parcels[0], now)
        return tone, icon, headline
    lost = sum(parcel.is_lost for parcel in parcels)
    waiting = [parcel for parcel in parcels if parcel.is_open]
    numbers = {"n": lost or len(waiting), "all": sent.total}
    if lost:
        text = ngettext(
            "Not delivered to %(n)d of %(all)d", "Not delivered to %(n)d of %(all)d", lost
        )
        return "bad", "circle-x", text % numbers
    if _is_put_off(sent, now):
        return "wait", "calendar-clock", _("Scheduled")
    kept = sum(parcel.state == "captured" for parcel in waiting)
    if waiting and kept == len(waiting):
        text = ngettext(
            "%(n)d of %(all)d kept on this system", "%(n)d of %(all)d kept on this system", kept
        )
        return "off", "package", text % numbers
    if waiting:
        text = ngettext(
            "On its way to %(n)d of %(all)d", "On its way to %(n)d of %(all)d", len(waiting)
        )
        is_late = any(parcel.attempt_count for parcel in waiting)
        return "late" if is_late else "wait", "clock", text % numbers
    if all(parcel.state == "cancelled" for parcel in parcels):
        return "off", "ban", pgettext("recipient", "Cancelled")
    is_certain = all(parcel.route == "local" for parcel in parcels)
    return (
        ("ok", "check-check", _("Delivered to everybody"))
        if is_certain
        else ("ok", "check", _("Delivered or handed over to everybody"))
    )
