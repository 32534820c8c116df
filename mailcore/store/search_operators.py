"""Search operators as conditions on Message: folders, labels, flags, dates, sizes.

Words are not looked up here (see `index`). Days are days of the active time zone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.expressions import Combinable, CombinedExpression
from django.db.models.lookups import GreaterThan, IsNull
from django.utils import timezone

from mailcore.models.blob import Content
from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder, Role
from mailcore.models.message import Keyword, Message, Thread
from mailcore.search.nodes import Field
from mailcore.search.words import fold
from mailcore.store.keywords import FORWARDED
from mailcore.store.matching import OWN_ROLES, of_mailbox
from mailcore.store.sequence import wide

Fates = Mapping[str, Collection[int]]

MARKS = frozenset({"image", "pdf", "doc", "sheet", "archive", "invite", "link", "remote"})
NOTHING = Q(pk__in=())
_ROLES = {
    "inbox": Role.INBOX,
    "sent": Role.SENT,
    "drafts": Role.DRAFTS,
    "trash": Role.TRASH,
    "spam": Role.JUNK,
    "archive": Role.ARCHIVE,
}
_HIDDEN = (Role.TRASH, Role.JUNK)
_IS: Mapping[str, Q] = {
    "unread": Q(is_seen=False),
    "read": Q(is_seen=True),
    "starred": Q(is_flagged=True),
    "replied": Q(is_answered=True),
    "draft": Q(is_draft=True),
}
_HAS: Mapping[str, Q] = {"attachment": Q(has_attachment=True)}


@dataclass(frozen=True, slots=True)
class Place:
    """A folder as a search names it."""

    id: int
    role: str
    names: frozenset[str]  # its own name and its path, folded


@dataclass(frozen=True, slots=True)
class Names:
    """The folders and labels of a mailbox; labels give the bits that they have in keywords.

    `forwarded` is the bit of that keyword, 0 when nothing was forwarded yet. `fates` gives the
    ids of Sent copies by what became of them: failed, delayed, delivered.
    """

    places: tuple[Place, ...]
    labels: Mapping[str, int]
    forwarded: int
    fates: Fates
    mailbox_id: int

    @property
    def visible(self) -> Q:
        """All but Trash and Junk: where a search looks that names no folder."""
        return _in_folders([place.id for place in self.places if place.role not in _HIDDEN])


def names_of(mailbox: Mailbox, fates: Fates) -> Names:
    """Read the names that a search of this mailbox may use."""
    rows = Folder.objects.filter(mailbox_id=mailbox.pk).values_list("pk", "name", "role", "parent")
    known = {pk: (name, role, parent) for pk, name, role, parent in rows}
    places = tuple(
        Place(pk, role, frozenset({fold(name), fold(_path(pk, known))}))
        for pk, (name, role, _) in known.items()
    )
    keywords = Keyword.objects.filter(mailbox_id=mailbox.pk)
    known_bits = list(keywords.values_list("name", "label__name", "bit"))
    bits = {fold(label): 1 << bit for _, label, bit in known_bits if label is not None}
    forwarded = sum(1 << bit for name, _, bit in known_bits if name == FORWARDED)
    return Names(places, bits, forwarded, fates, mailbox.pk)


def _path(pk: int, known: Mapping[int, tuple[str, str, int | None]]) -> str:
    parts: list[str] = []
    at: int | None = pk
    while at is not None and at in known and len(parts) < len(known):
        name, _, at = known[at]
        parts.append(name)
    return "/".join(reversed(parts))


def condition(field: Field, names: Names) -> Q:
    """Return the condition of an operator; one that means nothing here finds nothing."""
    return _CONDITIONS[field.key](field, names)


def _in_folders(ids: list[int]) -> Q:
    return Q(folder_id__in=ids) if ids else NOTHING


def _in(field: Field, names: Names) -> Q:
    if not field.is_phrase and field.value == "anywhere":
        return _in_folders([place.id for place in names.places])
    wanted, role = fold(field.value), None if field.is_phrase else _ROLES.get(field.value)
    return _in_folders(
        [
            place.id
            for place in names.places
            if wanted in place.names or (role is not None and place.role == role)
        ]
    )


def _label(field: Field, names: Names) -> Q:
    bit = names.labels.get(fold(field.value))
    return _with_bits(bit) if bit else NOTHING


def _with_bits(bits: int) -> Q:
    marked = CombinedExpression(F("keywords"), Combinable.BITAND, wide(bits))
    return Q(keywords__gt=0) & Q(GreaterThan(marked, 0))  # the first part is what the index knows


def _is(field: Field, names: Names) -> Q:
    if field.value == "muted":
        muted = Thread.objects.filter(mailbox_id=names.mailbox_id, is_muted=True)
        return Q(thread_id__in=muted.values("pk"))
    if field.value == "first":
        return _first(names)
    if field.value == "forwarded":
        return _with_bits(names.forwarded) if names.forwarded else NOTHING
    return _IS.get(field.value, NOTHING)


def _first(names: Names) -> Q:
    """What was the first to come from its address, of all that the mailbox still has.

    In the order in which contents came to be: the index on addresses ends at an earlier one.
    """
    own = [place.id for place in names.places if place.role in OWN_ROLES]
    ours = Message.objects.filter(of_mailbox(names.mailbox_id))
    written = Content.objects.filter(
        from_address=OuterRef("content__from_address"), pk__lt=OuterRef("content_id")
    )
    earlier = written.filter(Exists(ours.filter(content_id=OuterRef("pk")))).order_by("pk")
    copied = ours.filter(content_id=OuterRef("content_id"), pk__lt=OuterRef("pk")).order_by("pk")
    # Not NOT EXISTS, of which PostgreSQL makes a join over the whole table.
    none = [Q(IsNull(Subquery(one.values("pk")[:1]), True)) for one in (earlier, copied)]
    is_first = none[0] & none[1]
    return ~Q(content__from_address="") & ~Q(folder_id__in=own) & is_first


def _delivery(field: Field, names: Names) -> Q:
    return Q(pk__in=names.fates.get(field.value, ()))


def _has(field: Field, names: Names) -> Q:
    if field.value == "userlabel":
        bits = sum(set(names.labels.values()))
        return _with_bits(bits) if bits else NOTHING
    return _HAS.get(field.value, NOTHING)


def _start(day: date) -> datetime:
    """Return when a day begins in the active time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _since(field: Field, names: Names) -> Q:
    return Q(received_at__gte=_start(field.day)) if field.day else NOTHING


def _until(field: Field, names: Names) -> Q:
    return Q(received_at__lt=_start(field.day)) if field.day else NOTHING


def _on(field: Field, names: Names) -> Q:
    if field.day is None:
        return NOTHING
    after = _start(field.day + timedelta(days=1))
    return Q(received_at__gte=_start(field.day), received_at__lt=after)


def _nothing(field: Field, names: Names) -> Q:
    return NOTHING


_CONDITIONS: dict[str, Callable[[Field, Names], Q]] = {
    "in": _in,
    "label": _label,
    "is": _is,
    "has": _has,
    "after": _since,
    "newer_than": _since,
    "before": _until,
    "older_than": _until,
    "on": _on,
    "larger": lambda field, _: Q(size__gte=field.size_bytes),
    "smaller": lambda field, _: Q(size__lt=field.size_bytes),
    "msgid": lambda field, _: Q(content__message_id=field.value),
    "header": _nothing,
    "auth": _nothing,
    "delivery": _delivery,
}
