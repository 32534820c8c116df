"""What the search box offers while one types: people, folders, labels, operators.

Only the last word of the query is looked at; an offer is the whole query with that word filled in,
so that the page needs no grammar of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mailcore.personal import contacts
from mailcore.search import keys
from mailcore.search.words import fold
from mailcore.store import labels, read
from webmail.mail.templatetags.show import folder_name

if TYPE_CHECKING:
    from mailcore.models.directory import Mailbox
    from mailcore.models.identity import User

OFFERED_MAX = 8
OF_A_KIND_MAX = 3  # when a plain word may mean any of them
FIELD_CHARS = 100
PEOPLE_KEYS = {"from", "to", "cc", "bcc"}
OFFERED_KEYS: tuple[str, ...] = (
    *("from", "to", "subject", "in", "label", "has", "is", "filename", "before", "after", "on"),
    *("newer_than", "older_than", "larger", "smaller", "list", "body"),
)
_LAST = re.compile(r'(?:[^\s"]|"[^"]*"?)*\Z')
_FIELD = re.compile(r"-?(\w[\w-]*):(.*)\Z", re.DOTALL)
_PLAIN = re.compile(r"[^\s():*\"]+")


@dataclass(frozen=True, slots=True)
class Offer:
    """The query as it would be, what the list says, a remark beside it, and its kind."""

    query: str
    name: str
    note: str
    kind: str


def suggest(*, user: User, mailbox: Mailbox, text: str) -> list[Offer]:
    """Return at most eight ways to go on with a query; none for an empty one."""
    found = _LAST.search(text)
    last = found[0] if found else ""
    typed = _FIELD.match(last)
    key = keys.key_of(typed[1]) if typed else None
    if not last:
        return []
    maker = _Maker(user, mailbox, text.removesuffix(last))
    if typed and key:
        return list(islice(maker.values(last[: typed.start(2)], key, typed[2]), OFFERED_MAX))
    return list(islice(maker.anything(last.strip('"')), OFFERED_MAX))


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes offers; `head` is the query before its last word."""

    user: User
    mailbox: Mailbox
    head: str

    def anything(self, word: str) -> Iterator[Offer]:
        """Yield what a plain word may become."""
        sign = "-" if word.startswith("-") else ""
        word = word.removeprefix("-")
        language = _language()
        names = ((f"{key}:", keys.key_in(key, language=language)) for key in OFFERED_KEYS)
        begun = (name for _canonical, name in names if fold(name).startswith(fold(word)) and word)
        operators = (Offer(f"{self.head}{sign}{n}:", f"{n}:", "", "operator") for n in begun)
        of_key = {name: f"{sign}{keys.key_in(name, language=language)}:" for name in _PLACES}
        return chain(
            islice(self.people(of_key["from"], word), OF_A_KIND_MAX),
            islice(operators, OF_A_KIND_MAX),
            islice(self.folders(of_key["in"], word), OF_A_KIND_MAX),
            islice(self.labels(of_key["label"], word), OF_A_KIND_MAX),
        )

    def values(self, typed: str, key: str, value: str) -> Iterator[Offer]:
        """Yield what may stand behind a key; `typed` is the key as it was written."""
        value = value.strip('"')
        fixed = self.fixed(typed, key, value)
        if key in PEOPLE_KEYS:
            return chain(fixed, self.people(typed, value))
        if key == "in":
            return chain(self.folders(typed, value), fixed)
        return chain(fixed, self.labels(typed, value) if key == "label" else ())

    def fixed(self, typed: str, key: str, value: str) -> Iterator[Offer]:
        """Yield the fixed values of a key that begin so, in the reader's words."""
        for word in keys.VALUES.get(key, {}):
            written = keys.value_in(key, word, language=_language())
            if fold(written).startswith(fold(value)) and (key, word) not in keys.NOT_YET:
                yield self._offer(typed, written, written, "", "operator")

    def people(self, typed: str, value: str) -> Iterator[Offer]:
        """Yield people whom the user knows."""
        for one in contacts.suggest(user=self.user, query=value, limit=OFFERED_MAX):
            note = one.address if one.name else ""
            yield self._offer(typed, one.address, one.name or one.address, note, "person")

    def folders(self, typed: str, value: str) -> Iterator[Offer]:
        """Yield folders of the mailbox by the name that the reader sees."""
        for row in read.list_folders(mailbox=self.mailbox):
            name = folder_name(row)
            if fold(name).startswith(fold(value)):
                yield self._offer(typed, _place(row), name, _("folder"), "folder")

    def labels(self, typed: str, value: str) -> Iterator[Offer]:
        """Yield labels of the mailbox."""
        for row in labels.list_labels(mailbox=self.mailbox):
            if fold(row.name).startswith(fold(value)):
                yield self._offer(typed, row.name, row.name, _("label"), "label")

    def _offer(self, typed: str, value: str, name: str, note: str, kind: str) -> Offer:
        written = value if _PLAIN.fullmatch(value) else '"{}"'.format(value.replace('"', " "))
        cut = slice(None, FIELD_CHARS)
        return Offer(f"{self.head}{typed}{written} ", name[cut], note[cut], kind)


_PLACES = ("from", "in", "label")
_ROLE_VALUES = {"junk": "spam"}


def _place(row: read.FolderRow) -> str:
    """Return what `in:` calls a folder, in the reader's words."""
    value = _ROLE_VALUES.get(row.role, row.role)
    return keys.value_in("in", value, language=_language()) if value else row.name


def _language() -> str:
    return get_language() or "en"
