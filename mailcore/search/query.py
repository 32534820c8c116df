"""The text of the search box read into a tree (webmail.md, b, "Search grammar").

    query = or { or }            or = term { "OR" term }          term = ["-"] ( group | field |
    phrase | word )              group = "(" query ")"            field = key ":" ( phrase | word |
    group )                      a word that ends in "*" is a prefix

Never raises: what is wrong is searched as plain text or left out, and said in `Query.problems`.
Inside a field's group every word and phrase takes the key. Knows no folder and no message.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

from mailcore.search import fields, keys
from mailcore.search.fields import Given, Setting
from mailcore.search.nodes import And, Clause, Field, Node, Not, Or, Phrase, Problem, Query, Word
from mailcore.search.writing import to_text

__all__ = ["Clause", "Problem", "Query", "parse", "to_text", "without"]

CHARS_MAX = 1000
TERMS_MAX = 30
DEPTH_MAX = 5

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r'[^\s()"]+')
_KEY = re.compile(r"(\w[\w-]*):")
_SINGLE = frozenset({"header", "msgid"})  # keys that take no group
_OR = re.compile(r"(?:OR|O)(?=[\s()\"]|\Z)")


def parse(text: str, *, language: str, today: date) -> Query:
    """Return what `text` asks for. `language` decides only how 3/4/2026 is read.

    `today` is the person's own day: relative dates are counted from it.
    """
    parser = _Parser(text[:CHARS_MAX], Setting(language, today))
    if len(text) > CHARS_MAX:
        parser.note(Problem.TOO_LONG)
    root = parser.query(depth=0, key="")
    if any(map(_has_header, _inner(root))):
        parser.note(Problem.NOT_YET)
    return Query(text, root, tuple(parser.clauses), tuple(dict.fromkeys(parser.problems)))


def without(query_text: str, clause: Clause) -> str:
    """Return the text of a search without one of its clauses."""
    left, right = query_text[: clause.start].rstrip(), query_text[clause.end :].lstrip()
    return f"{left} {right}".strip()


@dataclass(slots=True)
class _Parser:
    """Recursive descent over `text`; each method starts at `at` and moves it."""

    text: str
    setting: Setting
    at: int = 0
    term_count: int = 0
    clauses: list[Clause] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def note(self, problem: Problem) -> None:
        self.problems.append(problem)

    def query(self, *, depth: int, key: str) -> Node | None:
        """Read to the end of the text or the group; a group of folders means any of them."""
        found: list[Node] = []
        while not self._ends(depth):
            start, first = self.at, len(found)
            node = self._alternatives(depth, key)
            if node is not None:
                found.append(node)
            if depth == 0:
                self._clause(start, node if first < len(found) else None)
        return _joined(Or if key == "in" else And, found)

    def _ends(self, depth: int) -> bool:
        while True:
            self._skip(_SPACE)
            if self.at >= len(self.text):
                return True
            if self.text[self.at] != ")":
                return False
            if depth:
                return True
            self.note(Problem.UNBALANCED)
            self.at += 1

    def _alternatives(self, depth: int, key: str) -> Node | None:
        found = [self._term(depth, key)]
        while self._or():
            if self._ends(depth) or _OR.match(self.text, self.at):
                self.note(Problem.DANGLING_OR)
                break
            found.append(self._term(depth, key))
        return _joined(Or, [node for node in found if node is not None])

    def _or(self) -> bool:
        """Take an OR that stands after a term."""
        place = _SPACE.match(self.text, self.at)
        match = _OR.match(self.text, place.end()) if place else None
        if match:
            self.at = match.end()
        return match is not None

    def _term(self, depth: int, key: str) -> Node | None:
        if dangling := _OR.match(self.text, self.at):
            self.note(Problem.DANGLING_OR)
            self.at = dangling.end()
            return None
        is_negated = self._takes_minus()
        node = self._plain_term(depth, key)
        return Not(node) if is_negated and node is not None else node

    def _takes_minus(self) -> bool:
        following = self.text[self.at + 1 : self.at + 2]
        is_alone = not following or following.isspace() or following == ")"
        if self.text[self.at] != "-" or is_alone:
            return False
        self.at += 1
        return True

    def _plain_term(self, depth: int, key: str) -> Node | None:
        if self.text[self.at] == "(":
            return self._group(depth, key)
        before = self.at
        node = None if key else self._field(depth)
        if self.at == before:
            given = self._given()
            node = self._keyed(key, given) if key else _plain(given)
        return node if isinstance(node, And | Or) else self._counted(node)

    def _counted(self, node: Node | None) -> Node | None:
        self.term_count += node is not None
        if self.term_count <= TERMS_MAX:
            return node
        self.note(Problem.TOO_MANY_TERMS)
        return None

    def _group(self, depth: int, key: str) -> Node | None:
        self.at += 1
        if depth >= DEPTH_MAX:
            self.note(Problem.TOO_DEEP)
            return None
        node = self.query(depth=depth + 1, key=key)
        if self.at < len(self.text):
            self.at += 1  # the closing bracket
        else:
            self.note(Problem.UNBALANCED)
        return node

    def _field(self, depth: int) -> Node | None:
        """Read a field; leave `at` where it is when there is none."""
        match = _KEY.match(self.text, self.at)
        key = keys.key_of(match[1]) if match else None
        if match is None or key is None:
            self._hint(match)
            return None
        start, self.at = self.at, match.end()
        if key not in _SINGLE and self.text.startswith("(", self.at):
            return self._group(depth, key)
        given = self._header_value() if key == "header" else self._given()
        return self._keyed(key, given, typed=self.text[start : match.end()])

    def _hint(self, match: re.Match[str] | None) -> None:
        """Say that this looks like a key; an address of the web and a time do not."""
        if match and match[1].isalpha() and not self.text.startswith("//", match.end()):
            self.note(Problem.UNKNOWN_KEY)

    def _keyed(self, key: str, given: Given, *, typed: str = "") -> Node | None:
        found = fields.read(key, given, self.setting)
        if isinstance(found, Field):
            if (found.key, found.value) in keys.NOT_YET:
                self.note(Problem.NOT_YET)
            if found.key in keys.RECENT:
                self.note(Problem.RECENT)
            return found
        self.note(found)
        return None if found is Problem.EMPTY_VALUE else _plain(given, before=typed)

    def _given(self) -> Given:
        """Read a phrase or a word; '' where neither stands."""
        if self.text.startswith('"', self.at):
            return self._quoted()
        match = _WORD.match(self.text, self.at)
        if match is None:
            return Given("")
        self.at = match.end()
        word = match[0]
        if word.endswith("*") and len(word) > 1:
            return Given(word[:-1], is_prefix=True)
        return Given(word)

    def _quoted(self) -> Given:
        start = self.at + 1
        end = self.text.find('"', start)
        if end < 0:
            self.note(Problem.UNCLOSED_QUOTE)
            end = len(self.text)
        self.at = min(end + 1, len(self.text))
        return Given(self.text[start:end], is_phrase=True)

    def _header_value(self) -> Given:
        """Read `Name`, `Name:word` or `Name:"phrase"`."""
        name = self._given()
        if not name.text.endswith(":") or not self.text.startswith('"', self.at):
            return name
        value = self._quoted()
        return replace(value, text=name.text + value.text)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _clause(self, start: int, node: Node | None) -> None:
        text = self.text[start : self.at]
        inner = node.child if isinstance(node, Not) else node
        if isinstance(inner, Field):
            value = f"{inner.name}:{inner.value}" if inner.name else inner.value
            key, value = inner.key, value + "*" * inner.is_prefix
        else:
            key, value = "", text.removeprefix("-") if isinstance(node, Not) else text
        negated = isinstance(node, Not)
        self.clauses.append(Clause(text, key, value, negated, start, self.at))


def _inner(root: Node | None) -> list[Node]:
    """Return what does not have to be true by itself: only there a header is not looked at."""
    parts = root.children if isinstance(root, And) else (root,)
    return [part for part in parts if part is not None and _is_deep(part)]


def _is_deep(node: Node) -> bool:
    inner = node.child if isinstance(node, Not) else node
    return isinstance(inner, Or | And | Not)


def _has_header(node: Node) -> bool:
    match node:
        case And(children) | Or(children):
            return any(map(_has_header, children))
        case Not(child):
            return _has_header(child)
        case Field(key=key):
            return key == "header"
    return False


def _plain(given: Given, *, before: str = "") -> Node | None:
    if given.is_phrase:
        return Phrase(before + given.text) if given.text.strip() else None
    return Word(before + given.text, given.is_prefix) if before + given.text else None


def _joined(kind: Callable[[tuple[Node, ...]], And | Or], nodes: list[Node]) -> Node | None:
    """Return one node for several, without a node of a kind inside another of it."""
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.children if isinstance(node, And | Or) and kind is type(node) else (node,))
    if len(flat) > 1:
        return kind(tuple(flat))
    return flat[0] if flat else None
