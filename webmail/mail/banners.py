"""What the reader is told above a message: one line each, the weightiest first, two in view.

Nothing here is verified: there is no message authentication yet, so a line may warn and never
vouches. Queries: two; for new senders of an unread conversation one more, and one for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mailcore import trace
from mailcore.directory import own_domains
from mailcore.html import links
from mailcore.personal import likeness, senders
from mailcore.store import acquaintance, read
from mailcore.store.rows import OWN_ROLES

if TYPE_CHECKING:
    from mailcore.models.directory import Mailbox
    from mailcore.models.identity import User

IN_VIEW = 2


@dataclass(frozen=True, slots=True)
class Banner:
    """`kind` says which buttons stand in it; `tone` is '', warn or danger; text is not markup."""

    kind: Literal["images", "notice", "plain"]
    icon: str
    text: str
    tone: Literal["", "warn", "danger"] = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The banners of a message, whether its remote images are shown, and who its sender is.

    `may_add` says that the sender is somebody else and no contact; `contact` is the contact's id.
    """

    banners: tuple[Banner, ...] = ()
    shows_images: bool = False
    is_trusted: bool = False
    may_add: bool = False
    contact: UUID | None = None

    @property
    def in_view(self) -> Sequence[Banner]:
        """Those that are shown at once."""
        return self.banners[:IN_VIEW]

    @property
    def more(self) -> Sequence[Banner]:
        """Those under "details"."""
        return self.banners[IN_VIEW:]


@dataclass(frozen=True, slots=True)
class _Known:
    trusted: set[str]
    likeness: likeness.Likeness
    strangers: set[str]


def of_messages(
    opened: Sequence[tuple[read.MessageView, read.RenderedView]],
    *,
    mailbox: Mailbox,
    user: User,
    once: str,
) -> dict[UUID, Told]:
    """Return what to tell about each opened message; `once` is the id of one shown with images."""
    foreign = [message for message, _body in opened if message.folder.role not in OWN_ROLES]
    known = _known(foreign, mailbox=mailbox, user=user)
    return {
        message.public_id: _of_message(message, body, known, is_once=once == str(message.public_id))
        for message, body in opened
    }


def _known(messages: Sequence[read.MessageView], *, mailbox: Mailbox, user: User) -> _Known:
    if not messages:
        return _Known(set(), likeness.Likeness(), set())
    people = [(message.from_name, message.from_address) for message in messages]
    alike = likeness.likeness(user=user, people=people)
    unseen = {message.from_address for message in messages if not message.is_seen}
    return _Known(
        trusted=senders.trusted(user, (address for _, address in people)),
        likeness=alike,
        strangers=acquaintance.strangers(
            mailbox=mailbox,
            addresses=_unheard_of(unseen, alike, user=user),
            thread_id=messages[0].thread_id,
        ),
    )


def _unheard_of(addresses: set[str], alike: likeness.Likeness, *, user: User) -> list[str]:
    """Leave out contacts, our own reports, and whom the reader has written to."""
    new = sorted(
        each for each in addresses if not alike.knows(each) and not own_domains.is_office(each)
    )
    known = trace.written_to(user_id=user.pk, forward_paths=new) if new else set()
    return [each for each in new if each not in known]


def _of_message(
    message: read.MessageView, body: read.RenderedView, known: _Known, *, is_once: bool
) -> Told:
    is_own = message.folder.role in OWN_ROLES
    is_trusted = message.from_address in known.trusted
    shows = is_once or (is_trusted and message.folder.role != "junk")
    found = [] if is_own else _of_sender(message, known)
    if body.notice:
        found.append(Banner("notice", "triangle-alert", _notice(body.notice), "warn"))
    if body.blocked_count and not shows:
        found.append(Banner("images", "image-off", _blocked(body.blocked_count)))
    if 'class="casilla-link-' in body.html:
        found.append(Banner("plain", "link", _("A link leads elsewhere than it says."), "warn"))
    if not is_own and message.from_address in known.strangers:
        text = _("First message from %(address)s.") % {"address": message.from_address}
        found.append(Banner("plain", "user-plus", text))
    if message.list_id:
        text = _("Mailing list: %(name)s") % {"name": message.list_id}
        found.append(Banner("plain", "users", text))
    contact = known.likeness.contact(message.from_address)
    return Told(
        tuple(found),
        shows_images=shows,
        is_trusted=is_trusted,
        may_add=not is_own and contact is None,
        contact=None if is_own else contact,
    )


def _of_sender(message: read.MessageView, known: _Known) -> list[Banner]:
    found: list[Banner] = []
    borrowed = known.likeness.borrowed_from(message.from_name, message.from_address)
    if borrowed:
        text = _("“%(name)s” is in your contacts as %(known)s, but this came from %(address)s.") % {
            "name": message.from_name,
            "known": borrowed,
            "address": message.from_address,
        }
        found.append(Banner("plain", "octagon-alert", text, "danger"))
    if links.is_lookalike(message.from_address.rpartition("@")[2]):
        text = _("The sender’s address mixes alphabets to look like another one.")
        found.append(Banner("plain", "octagon-alert", text, "danger"))
    return found


def _blocked(count: int) -> str:
    text = ngettext(
        "%(n)d remote image blocked",
        "%(n)d remote images blocked",
        count,
    )
    return text % {"n": count}


def _notice(notice: str) -> str:
    texts = {
        "unreadable": _("This message could not be read. It is kept as it came."),
        "pending": _("This message is not ready yet. Reload the page in a moment."),
        "truncated": _("This message is very long. Only its beginning is shown."),
    }
    return texts.get(notice) or _("This message is unusual, so only its text is shown.")
