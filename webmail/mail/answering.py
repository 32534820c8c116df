"""What a new message begins with: empty, an answer, or a forward (RFC 5322, 3.6.4 and 3.6.5).

Chooses recipients, subject and quote in the reader's language; reads only. Nothing is stored
before the person saves or sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from mailcore.directory.own import Own
from mailcore.store import quoting, read
from mailcore.store.drafts import Written

Kind = Literal["", "reply", "forward"]
How = Literal["reply", "reply_all", "forward"]
QUOTED_HTML_MAX = 64 * 1024
_REPLY = re.compile(r"\s*(?:re|rv|sv|aw)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
_FORWARD = re.compile(r"\s*(?:fwd?|rv|wg|enc)\s*:", re.IGNORECASE)
_PHRASE = re.compile(r"[\w !#$%&'*+/=?^`{|}~-]+")
_TAGS = re.compile(r"[\r\n\t]+")


@dataclass(frozen=True, slots=True)
class Beginning:
    """A message before its first save. `parts` are those of `source` that a forward carries."""

    written: Written
    kind: Kind = ""
    source: UUID | None = None
    parts: Sequence[read.PartView] = ()
    rich: str = ""


def answer(message: read.MessageView, how: How, own: Sequence[Own]) -> Beginning:
    """Return a reply, a reply to all, or a forward of a message."""
    sender = _sender_for(message, own)
    if how == "forward":
        return _forward(message, sender, signature(own, sender))
    mine = {one.address.casefold() for one in own}
    # Answering oneself goes on with the same people (a message in Sent).
    is_mine = message.from_address.casefold() in mine
    author = [(message.from_name, message.from_address)]
    to = list(message.to) if is_mine else list(message.reply_to or author)
    cc: list[tuple[str, str]] = []
    if how == "reply_all":
        others = () if is_mine else message.to
        cc = _without([*others, *message.cc], mine | {address.casefold() for _name, address in to})
    text = quoting.text_of(message=message)
    signed = signature(own, sender)
    attribution = _attribution(message)
    written = Written(
        sender=sender,
        to=addresses(to),
        cc=addresses(cc),
        subject=_subject(_("Re: %(subject)s"), _REPLY, message.subject),
        text=f"{signed}\n\n{attribution}\n{_quoted(text)}\n",
    )
    html = quoting.html_of(message=message, images={}) if message.html_part else ""
    head = f"<p></p>{_rich(signed)}<p>{escape(attribution)}</p>"
    rich = f"{head}<blockquote>{html}</blockquote>" if html else ""
    return Beginning(written, "reply", message.public_id, rich=_bounded(rich))


def signature(own: Sequence[Own], sender: str) -> str:
    """Return what closes a message of this sender's (RFC 3676, 4.3), '' without a signature."""
    text = next((one.signature for one in own if one.address == sender), "")
    return f"\n\n-- \n{text}" if text else ""


def mailto(url: str, own: Sequence[Own]) -> Beginning:
    """Return what a `mailto:` link asks for (RFC 6068): to, cc, bcc, subject and body, no more."""
    sender = own[0].address if own else ""
    split = urlsplit(url)
    fields = {name.lower(): values for name, values in parse_qs(split.query).items()}
    to = [unquote(split.path), *fields.get("to", ())] if split.scheme == "mailto" else []
    return Beginning(
        Written(
            sender=sender,
            to=_line(", ".join(filter(None, to))),
            cc=_line(", ".join(fields.get("cc", ()))),
            bcc=_line(", ".join(fields.get("bcc", ()))),
            subject=_line("".join(fields.get("subject", ())[:1])),
            text="\n".join(fields.get("body", ())[:1]).replace("\r\n", "\n")
            + signature(own, sender),
        )
    )


def addresses(people: Iterable[tuple[str, str]]) -> str:
    """Return people as the address field of a form has them; those without address are left out."""
    return ", ".join(_person(name, address) for name, address in people if address)


def _forward(message: read.MessageView, sender: str, signed: str) -> Beginning:
    lines = [
        _("---------- Forwarded message ----------"),
        _("From: %(value)s") % {"value": _person(message.from_name, message.from_address)},
        _("Date: %(value)s") % {"value": _when(message)},
        _("Subject: %(value)s") % {"value": message.subject},
        _("To: %(value)s") % {"value": addresses(message.to)},
    ]
    written = Written(
        sender=sender,
        subject=_subject(_("Fwd: %(subject)s"), _FORWARD, message.subject),
        text="{}\n\n{}\n\n{}\n".format(signed, "\n".join(lines), quoting.text_of(message=message)),
    )
    rich, files = "", list(message.attachments)
    if message.html_part:
        # What the HTML shows goes along as files: the text that one sees has no place for it.
        shown = quoting.shown_images(message=message)
        files += [part for part in shown if part not in files]
        head = "<br>".join(escape(line) for line in lines)
        html = quoting.html_of(message=message, images={})
        rich = _bounded(f"<p></p>{_rich(signed)}<p>{head}</p>{html}")
    return Beginning(written, "forward", message.public_id, files, rich)


def _sender_for(message: read.MessageView, own: Sequence[Own]) -> str:
    """Answer from the address that was written to, if it is one's own."""
    reached = {address.casefold() for _name, address in (*message.to, *message.cc)}
    reached.add(message.from_address.casefold())
    mine = [one.address for one in own if one.address.casefold() in reached]
    return (mine or [one.address for one in own] or [""])[0]


def _without(people: Iterable[tuple[str, str]], known: set[str]) -> list[tuple[str, str]]:
    found = {address.casefold(): (name, address) for name, address in people}
    return [person for address, person in found.items() if address not in known]


def _person(name: str, address: str) -> str:
    name = _line(name).strip()
    if not name or name == address:
        return address
    if not _PHRASE.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>"


def _subject(pattern: str, known: re.Pattern[str], subject: str) -> str:
    return subject if known.match(subject) else pattern % {"subject": subject}


def _attribution(message: read.MessageView) -> str:
    name = message.from_name or message.from_address
    return _("On %(date)s, %(name)s wrote:") % {"date": _when(message), "name": name}


def _when(message: read.MessageView) -> str:
    at = timezone.localtime(message.sent_at or message.received_at)
    return date_format(at, _("j M Y, H:i"))


def _quoted(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in lines)


def _rich(signed: str) -> str:
    return f"<p>{'<br>'.join(escape(signed.strip()).splitlines())}</p>" if signed else ""


def _bounded(html: str) -> str:
    return html if len(html) <= QUOTED_HTML_MAX else ""


def _line(text: str) -> str:
    return _TAGS.sub(" ", text)
