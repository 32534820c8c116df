"""A parsed search as what the word index is asked and what must be true of the messages.

Words go to the index as far as they stand beside operators, not in one alternative with them;
those become a sub-query. A search that names no folder leaves Trash and Junk out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from mailcore.models.directory import Mailbox
from mailcore.search.nodes import And, Field, Node, Not, Or, Phrase, Word
from mailcore.store import index
from mailcore.store import search_operators as operators
from mailcore.store.index_words import EXACT, Each, Either, Leaf, Sought, Without, leaf, mark, whole
from mailcore.store.search_headers import HeaderTest, test_of

_PEOPLE = frozenset({"from", "to", "cc", "bcc"})
_WORDS = _PEOPLE | {"subject", "body", "filename", "list"}
_NOBODY = Leaf((EXACT,))  # a word that no message has


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look for. Without `sought`, by the conditions alone.

    What is found has to pass `headers` too, which are read from the messages.
    """

    sought: Sought | None
    condition: Q
    headers: tuple[HeaderTest, ...] = ()


def plan(*, mailbox: Mailbox, root: Node, me: Sequence[str], fates: operators.Fates) -> Plan:
    """Return how to find what `root` asks for. Reads the mailbox's folders and labels."""
    planner = _Planner(mailbox.pk, operators.names_of(mailbox, fates), tuple(me))
    return planner.plan(root)


@dataclass(frozen=True, slots=True)
class _Planner:
    mailbox_id: int
    names: operators.Names
    me: tuple[str, ...]

    def plan(self, root: Node) -> Plan:
        if isinstance(root, Or) and _names_folder(root):
            # Each alternative by itself: only those that name no folder leave Trash out.
            parts = [self._scoped(child) for child in root.children]
            return Plan(None, _any(parts) or operators.NOTHING)
        tests = {c: test for c in _parts(root) if (test := test_of(c))}
        children = [c for c in _parts(root) if c not in tests]
        texts = [found for c in children if _is_text(c) and (found := self._sought(c))]
        others = [c for c in children if not _is_text(c)]
        if not texts and not others and not tests:
            return Plan(None, operators.NOTHING)  # nothing but punctuation
        condition = Q() if _names_folder(root) else self.names.visible
        for child in others:
            condition &= self._condition(child) or Q()
        return Plan(_together(Each, texts), condition, tuple(tests.values()))

    def _scoped(self, node: Node) -> Q | None:
        found = self._condition(node)
        if found is None or _names_folder(node):
            return found
        return found & self.names.visible

    def _condition(self, node: Node) -> Q | None:
        """Return the condition of a node, None for one that says nothing."""
        if _is_text(node):
            sought = self._sought(node)
            if sought is None:
                return None
            return Q(pk__in=index.containing(mailbox_id=self.mailbox_id, sought=sought))
        match node:
            case Not(child):
                found = self._condition(child)
                return None if found is None else ~found
            case And(children):
                parts = [part for child in children if (part := self._condition(child))]
                return Q(*parts) if parts else None
            case Or(children):
                return _any([self._condition(child) for child in children])
            case Field():
                return operators.condition(node, self.names)
        return None

    def _sought(self, node: Node) -> Sought | None:
        match node:
            case Not(child):
                found = self._sought(child)
                return None if found is None else Without(found)
            case And(children):
                return _together(Each, [s for c in children if (s := self._sought(c))])
            case Or(children):
                return _together(Either, [s for c in children if (s := self._sought(c))])
            case Word(text, is_prefix):
                return leaf(text, is_prefix=is_prefix)
            case Phrase(text):
                return leaf(text)
            case Field():
                return self._field(node)

    def _field(self, field: Field) -> Sought | None:
        if field.key == "has":
            return mark(field.value)
        if field.key in _PEOPLE and field.value == "me" and not field.is_phrase:
            mine = [whole(address, field=field.key) for address in self.me]
            return _together(Either, mine) or _NOBODY
        if field.key in _PEOPLE and _is_address(field):
            return whole(field.value, field=field.key)
        return leaf(field.value, field=field.key, is_prefix=field.is_prefix)


def _parts(root: Node) -> tuple[Node, ...]:
    """Return what has to be true together."""
    return root.children if isinstance(root, And) else (root,)


def _is_address(field: Field) -> bool:
    local_part, _, domain = field.value.strip("<>").rpartition("@")
    return bool(local_part and "." in domain and not field.is_prefix)


def _is_text(node: Node) -> bool:
    """Whether the word index alone can answer."""
    match node:
        case And(children) | Or(children):
            return all(map(_is_text, children))
        case Not(child):
            return _is_text(child)
        case Field(key, value):
            return key in _WORDS or (key == "has" and value in operators.MARKS)
    return True


def _names_folder(node: Node) -> bool:
    match node:
        case And(children) | Or(children):
            return any(map(_names_folder, children))
        case Field(key="in"):
            return True
    return False


def _together(kind: type[Each] | type[Either], parts: Sequence[Sought]) -> Sought | None:
    if len(parts) > 1:
        return kind(tuple(parts))
    return parts[0] if parts else None


def _any(parts: Sequence[Q | None]) -> Q | None:
    said = [part for part in parts if part is not None]
    return Q(*said, _connector=Q.OR) if said else None
