"""Where the words of a search stand in a text, accents and letter case aside.

Pure, and quick enough for every row of a page: one regular expression for all hits. A hit is one
word or several that follow each other; one that ends in "*" is the beginning of a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from mailcore.search.nodes import And, Field, Node, Or, Phrase, Word
from mailcore.search.words import fold, split

MARKED = frozenset({"from", "to", "cc", "bcc", "subject", "body", "filename"})
_AROUND = 90  # characters of a snippet on either side
_MARK = "[\u0300-\u036f]*"
_NEVER = re.compile(r"(?!)")


def hits(node: Node | None) -> tuple[str, ...]:
    """Return what is to be marked of a search: its words, not those that it excludes."""
    match node:
        case And(children) | Or(children):
            return tuple(dict.fromkeys(hit for child in children for hit in hits(child)))
        case Word(text, is_prefix):
            return _hit(text, is_prefix)
        case Phrase(text):
            return _hit(text, False)
        case Field(key, value, _, is_prefix) if key in MARKED and value != "me":
            return _hit(value, is_prefix)
    return ()


def pieces(text: str, marked: Sequence[str]) -> list[tuple[str, bool]]:
    """Return `text` in pieces, each with whether it is a hit."""
    found: list[tuple[str, bool]] = []
    at = 0
    for match in _pattern(tuple(marked)).finditer(text):
        if match.start() > at:
            found.append((text[at : match.start()], False))
        found.append((match[0], True))
        at = match.end()
    if at < len(text):
        found.append((text[at:], False))
    return found


def snippet(text: str, marked: Sequence[str]) -> str:
    """Return one line of `text` around its first hit, or '' when there is none."""
    match = _pattern(tuple(marked)).search(text)
    if match is None:
        return ""
    start, end = max(0, match.start() - _AROUND), match.end() + _AROUND
    cut = text[start:end]
    if start:
        cut = cut.partition(" ")[2] if " " in cut[:_AROUND] else cut
    line = " ".join(cut.split())
    return f"{'… ' if start else ''}{line}{' …' if end < len(text) else ''}"


def _hit(text: str, is_prefix: bool) -> tuple[str, ...]:
    words = split(text)
    return (" ".join(words) + "*" * is_prefix,) if words else ()


@lru_cache(maxsize=64)
def _pattern(marked: tuple[str, ...]) -> re.Pattern[str]:
    if not marked:
        return _NEVER
    longest_first = sorted(marked, key=len, reverse=True)
    return re.compile("|".join(map(_one, longest_first)), re.IGNORECASE)


def _one(hit: str) -> str:
    words = [_letters(word) for word in hit.rstrip("*").split()]
    end = r"\w*" if hit.endswith("*") else r"(?!\w)"
    return r"(?<!\w)" + r"[\W_]{1,9}".join(words) + end


def _letters(word: str) -> str:
    return "".join(_LETTERS.get(char, re.escape(char)) + _MARK for char in word)


def _variants() -> dict[str, str]:
    """Return for each letter a class of those that are the same without accents."""
    same: dict[str, str] = {}
    for code in (*range(0xC0, 0x250), *range(0x386, 0x3CF), *range(0x1E00, 0x1F00)):
        bare = fold(chr(code))
        if len(bare) == 1:
            same[bare] = same.get(bare, "") + chr(code)
    return {bare: f"[{re.escape(bare)}{others}]" for bare, others in same.items()}


_LETTERS = _variants()
