"""From a draft to a message on its way, and back: send, send later, undo.

One transaction takes the draft's token, submits and clears the twin in Drafts, so that a double
click sends once and a failure leaves everything as it was. The draft stays for a week after it
was sent, so that a late repeat finds that it was; sweeps forget it then.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from mailcore.address import AddressError, parse
from mailcore.delivery import submit
from mailcore.errors import MailError, Refused
from mailcore.html import outgoing
from mailcore.mime import compose
from mailcore.mime.addresslist import Mailbox as Box
from mailcore.mime.addresslist import parse_address_list
from mailcore.models.directory import Mailbox
from mailcore.models.identity import User
from mailcore.personal import contacts
from mailcore.queue import control, of_draft
from mailcore.smtp.envelope import Envelope, ForwardPath
from mailcore.smtp.reply import Reply
from mailcore.store import drafts, drafts_folder, flags, keywords, move, quoting, read
from mailcore.store.rows import Done

RECIPIENTS_MAX = 1000


class Unsendable(MailError):  # noqa: N818 - named by what happened
    """The draft cannot go like this.

    `problem`: nobody, address, many, from, field, refused or what a caller adds; `field` is where
    it stands, `text` what was typed, `reply` what our own rules say.
    """

    def __init__(
        self, problem: str, *, field: str = "", text: str = "", reply: Reply | None = None
    ) -> None:
        super().__init__(f"{problem} {field} {text}")
        self.problem, self.field, self.text, self.reply = problem, field, text, reply


@dataclass(frozen=True, slots=True)
class Sender:
    """From: an address of the person, and the name beside it."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Recipients:
    """The address fields of a draft, read and checked."""

    to: tuple[Box, ...]
    cc: tuple[Box, ...]
    bcc: tuple[Box, ...]

    def __iter__(self) -> Iterator[Box]:
        return iter((*self.to, *self.cc, *self.bcc))


def recipients(written: drafts.Written) -> Recipients:
    """Return whom the draft is for. Raises Unsendable when an entry is no address, or none is."""
    found = Recipients(
        *(_boxes(name, getattr(written, name), strict=True) for name in ("to", "cc", "bcc"))
    )
    count = len(list(found))
    if not count:
        raise Unsendable("nobody", field="to")
    if count > RECIPIENTS_MAX:
        raise Unsendable("many", field="to")
    return found


def keep_twin(*, mailbox: Mailbox, draft: drafts.DraftRow, sender: Sender, now: datetime) -> None:
    """Write the draft into Drafts as far as it can be a message already; not one that is blank."""
    if draft.is_blank:
        return
    written = draft.written
    people = Recipients(
        *(_boxes(name, getattr(written, name), strict=False) for name in ("to", "cc", "bcc"))
    )
    letter = _letter(mailbox, draft, sender, people, subject=_one_line(written.subject))
    drafts_folder.write(mailbox=mailbox, draft=draft, content=compose.build(letter), now=now)


def send(
    *,
    mailbox: Mailbox,
    user: User,
    draft: drafts.DraftRow,
    sender: Sender,
    token: uuid.UUID,
    not_before: datetime | None,
    now: datetime,
) -> bool:
    """Send a draft, at once or not before a time; False when this or another window did already.

    On disk for every recipient when this returns. Raises Unsendable, drafts.Changed when it was
    saved elsewhere meanwhile, and what store and database raise: nothing has changed then.
    """
    people = recipients(draft.written)
    try:
        letter = _letter(mailbox, draft, sender, people, subject=draft.written.subject)
        content = compose.build(letter)
        submission = _submission(letter, people, content, user, draft, not_before)
    except compose.UnfitField as error:
        raise Unsendable("field", field=error.field.lower()) from error
    except AddressError as error:
        raise Unsendable("from", field="sender", text=sender.address) from error
    try:
        with transaction.atomic():
            if not drafts.claim(draft=draft, token=token, not_before=not_before, now=now):
                return _was_sent(mailbox, draft)
            submit.submit(submission, now=now)
            _leave_traces(mailbox, user, draft, people, now=now)
    except Refused as error:
        raise _blamed(error, people, needs_utf8=submission.envelope.smtputf8) from error
    return True


def take_back(
    *, mailbox: Mailbox, draft: drafts.DraftRow, sender: Sender, now: datetime, by: str
) -> bool:
    """Undo sending while nothing has left: the draft is open again and back in Drafts.

    A Sent copy, which mail that waits for another host has, goes. False when it is too late, or
    nothing waits.
    """
    if draft.send_token is None:
        return False
    waiting = of_draft.message_id(draft_pk=draft.pk)
    with transaction.atomic():
        unsent = waiting and control.cancel_unsent(message=waiting, now=now, by=by)
        if not unsent:
            return False
        drafts.reopen(draft=draft, now=now)
        drafts_folder.remove_sent(mailbox=mailbox, message_id=unsent.sent_message_id, now=now)
    opened = drafts.find(mailbox=mailbox, draft_id=draft.id)
    if opened is not None:
        keep_twin(mailbox=mailbox, draft=opened, sender=sender, now=now)
    return True


def discard(*, mailbox: Mailbox, draft: drafts.DraftRow, sender: Sender, now: datetime) -> Done:
    """Throw a draft away: its twin goes to Trash, from where undo brings it back.

    An empty one just goes. One that was sent stays as it is. Returns what undoes it.
    """
    if draft.send_token is not None:
        return Done(None, 0)
    if draft.is_blank:
        with transaction.atomic():
            drafts_folder.remove(mailbox=mailbox, draft=draft, now=now)
            drafts.forget(pk=draft.pk)
        return Done(None, 1)
    keep_twin(mailbox=mailbox, draft=draft, sender=sender, now=now)
    twin = drafts_folder.twin(mailbox=mailbox, draft_id=draft.id)
    ids = [twin] if twin else []
    return move.to_role(mailbox=mailbox, message_ids=ids, role="trash", now=now)


def _was_sent(mailbox: Mailbox, draft: drafts.DraftRow) -> bool:
    """Tell a second click, which is False, from a draft that somebody changed."""
    current = drafts.find(mailbox=mailbox, draft_id=draft.id)
    if current is not None and current.send_token is None:
        raise drafts.Changed(current)
    return False


def _boxes(field: str, text: str, *, strict: bool) -> tuple[Box, ...]:
    found: dict[str, Box] = {}
    for box in parse_address_list(text.replace(";", ","), max_count=RECIPIENTS_MAX + 1):
        try:
            address = str(parse(box.address))
        except AddressError as error:
            if strict:
                raise Unsendable("address", field=field, text=box.address or box.name) from error
            continue
        found.setdefault(address, Box(box.name, address))
    return tuple(found.values())


def _letter(
    mailbox: Mailbox, draft: drafts.DraftRow, sender: Sender, people: Recipients, *, subject: str
) -> compose.Letter:
    written = draft.written
    parent = _parent(mailbox, draft)
    return compose.Letter(
        message_id=f"{draft.id.hex}@{parse(sender.address).domain}",
        sender=Box(_one_line(sender.name), sender.address),
        to=people.to,
        cc=people.cc,
        bcc=people.bcc,
        subject=subject,
        text=written.text or outgoing.to_plain(written.html),
        html=written.html,
        in_reply_to=parent.message_id if draft.kind == "reply" else "",
        references=_references(parent),
        files=tuple(_files(draft)),
    )


def _parent(mailbox: Mailbox, draft: drafts.DraftRow) -> quoting.Ancestry:
    found = draft.answers and read.message(mailbox=mailbox, message_id=draft.answers)
    ancestry = quoting.ancestry(message=found) if found else quoting.Ancestry("", ())
    ids = [one for one in (*ancestry.references, ancestry.message_id) if compose.is_id(one)]
    own = ancestry.message_id if ancestry.message_id in ids else ""
    return quoting.Ancestry(own, tuple(one for one in ids if one != own))


def _references(parent: quoting.Ancestry) -> Sequence[str]:
    return (*parent.references, parent.message_id) if parent.message_id else ()


def _files(draft: drafts.DraftRow) -> Iterator[compose.File]:
    """Read the files; a picture that was taken out of the text again stays behind."""
    shown = outgoing.content_ids(draft.written.html)
    for file in draft.files:
        if file.content_id and file.content_id not in shown:
            continue
        yield compose.File(
            name=file.name,
            content_type=file.content_type,
            content=drafts.file_bytes(file=file),
            content_id=file.content_id,
        )


def _submission(
    letter: compose.Letter,
    people: Recipients,
    content: bytes,
    user: User,
    draft: drafts.DraftRow,
    not_before: datetime | None,
) -> submit.Submission:
    addresses = dict.fromkeys(box.address for box in people)
    return submit.Submission(
        envelope=Envelope(
            reverse_path=str(parse(letter.sender.address)),
            forward_paths=tuple(ForwardPath(address) for address in addresses),
            smtputf8=compose.needs_utf8(letter),
            body_8bit=not content.isascii(),
        ),
        content=content,
        submitter_id=user.pk,
        trace_id=uuid.uuid4(),
        origin="webmail",
        not_before=not_before,
        draft_id=draft.pk,
    )


def _leave_traces(
    mailbox: Mailbox, user: User, draft: drafts.DraftRow, people: Recipients, *, now: datetime
) -> None:
    """Clear the twin, mark what was answered, remember whom the person writes to."""
    drafts_folder.remove(mailbox=mailbox, draft=draft, now=now)
    if draft.answers and draft.kind == "reply":
        flags.set_answered(mailbox=mailbox, message_ids=[draft.answers], now=now)
    elif draft.answers and draft.kind == "forward":
        keywords.set_forwarded(mailbox=mailbox, message_ids=[draft.answers])
    known = [contacts.Person(box.name, box.address) for box in people]
    contacts.remember(user=user, people=known, now=now)


def _blamed(error: Refused, people: Recipients, *, needs_utf8: bool) -> Unsendable:
    """Say which recipient a refusal is about, where it is about one."""
    for field in ("to", "cc", "bcc"):
        for box in getattr(people, field):
            try:
                submit.check_recipient(
                    forward_path=box.address, declared_size=None, smtputf8=needs_utf8
                )
            except Refused as refusal:
                return Unsendable("refused", field=field, text=box.address, reply=refusal.reply)
    return Unsendable("refused", reply=error.reply)


def _one_line(text: str) -> str:
    """Return text that a header takes: what `compose.check` would refuse is left out."""
    return compose.without_controls(text)
