"""How text becomes words, for the index and for the search alike: no accents, no letter case.

A word is a run of letters and digits, at most WORD_CHARS of them. Scripts that put no spaces
between words (Han, Kana, Thai and the like) give a word for each character. No stemming. Both
databases get the words made here, so that they find the same.
"""

from __future__ import annotations

import re
import unicodedata

WORD_CHARS = 64

# Letters that Unicode does not take apart (unaccent's rules, PostgreSQL F.48).
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "ħ": "h"}
)
_UNSPACED = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"  # Kana, Han
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u064b-\u065f\u0670\u200b-\u200f\ufe0f]+"
)


def fold(text: str) -> str:
    """Return `text` in small letters without accents. ASCII only changes its case."""
    if text.isascii():
        return text.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return unicodedata.normalize("NFC", bare.casefold()).translate(_LETTERS)


def split(text: str) -> list[str]:
    """Return the words of `text` in their order. Linear."""
    return [word[:WORD_CHARS] for word in _WORD.findall(fold(text))]
