"""What an HTML body may cost before a parser sees it (guarantee G11).

`strip_opaque` removes everything whose content a browser does not show: comments, declarations,
scripts, styles, foreign markup. What is left has one tokenisation only (WHATWG HTML, 13.2.5),
so `scan` can follow tags with a regular expression and be right about it. It measures size, tags,
attributes, depth, and the copies that the tree builder makes of unclosed formatting elements:
30 KB of `<font>` and `<p>` become 26 MB otherwise. Both are linear. Nothing is judged safe here.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

MAX_CHARS = 2_000_000
MAX_TAGS = 12_000
MAX_ATTRIBUTES = 200
MAX_DEPTH = 400
MAX_COPIES = 200_000
MAX_ESCAPES = 300_000

VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
OPAQUE = (
    "script style template noscript iframe frameset object applet math svg title textarea select "
    "audio video canvas portal xmp noembed noframes plaintext listing"
).split()
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
# Their end tags may be left out, so that open ones say nothing about depth.
_IMPLIED_END = frozenset("p li dt dd tr td th thead tbody tfoot caption colgroup".split())
_CELLS = frozenset(("td", "th", "caption"))
_TABLE_PARTS = frozenset("td th caption tr thead tbody tfoot colgroup col table".split())

# Each alternative always reaches `>` or the end of the text, which keeps the search linear.
_OPAQUE = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    rf"|<({'|'.join(OPAQUE)})(?=[\s/>]|\Z)[^>]*(?:>|\Z)"
    r"(?P<content>.*?)(?:</\1(?=[\s/>])[^>]*(?:>|\Z)|\Z)"
    r"|<[!?][^>]*(?:>|\Z)"
    r"|</(?![a-z])[^>]*(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = (
    r"[^\t\n\f\r />][^\t\n\f\r />=]*"
    r"(?:[\t\n\f\r ]*=[\t\n\f\r ]*"
    r"""(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z)|[^\t\n\f\r "'>][^\t\n\f\r >]*|(?=>)|\Z))?"""
)
TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[a-zA-Z][^\t\n\f\r />]*)"
    rf"(?P<rest>(?:[\t\n\f\r /]+|{_ATTRIBUTE})*+)(?:>|\Z)"
)
_ATTRIBUTES = re.compile(_ATTRIBUTE)


@dataclass(frozen=True, slots=True)
class TooComplex:
    """The body costs too much to show as HTML; `reason` is for the log, not for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class Stripped:
    """Markup without its opaque parts, and the style sheets that stood among them."""

    html: str
    sheets: tuple[str, ...]


def strip_opaque(html: str) -> Stripped:
    """Remove comments, declarations and elements whose content is never shown.

    A space stays in the place of each, so that no new tag can close up from two halves.
    """
    sheets: list[str] = []

    def keep_sheet(match: re.Match[str]) -> str:
        if (match[1] or "").lower() == "style":
            sheets.append(match["content"])
        return " "

    return Stripped(_OPAQUE.sub(keep_sheet, html), tuple(sheets))


def too_long(html: str) -> TooComplex | None:
    """Say whether the text, or the number of characters that grow when written, is too much."""
    if len(html) > MAX_CHARS:
        return TooComplex(f"{len(html)} characters")
    if sum(map(html.count, "<>&\u00a0")) > MAX_ESCAPES:
        return TooComplex(f"more than {MAX_ESCAPES} characters to escape")
    return None


def scan(html: str) -> TooComplex | None:
    """Return why `html` (from `strip_opaque`) must not be parsed, or None. Linear time."""
    open_tags = _OpenTags()
    for count, match in enumerate(TAG.finditer(html), start=1):
        if count > MAX_TAGS:
            return TooComplex(f"more than {MAX_TAGS} tags")
        rest = match["rest"]
        if len(rest) > 2 * MAX_ATTRIBUTES and _has_too_many_attributes(rest):
            return TooComplex(f"more than {MAX_ATTRIBUTES} attributes in a tag")
        name = match["name"].lower()
        if match["end"]:
            open_tags.end(name)
        else:
            open_tags.start(name)
        if open_tags.depth > MAX_DEPTH:
            return TooComplex(f"more than {MAX_DEPTH} levels")
        if open_tags.copies > MAX_COPIES:
            return TooComplex(f"more than {MAX_COPIES} copies of formatting elements")
    return None


def _has_too_many_attributes(rest: str) -> bool:
    return next(islice(_ATTRIBUTES.finditer(rest), MAX_ATTRIBUTES, None), None) is not None


@dataclass(slots=True)
class _OpenTags:
    """How many elements may be open: never fewer than a browser's tree builder has.

    `frames` holds the open formatting elements since each table cell, with the number of tables
    around it: an end tag inside a cell does not close one outside (the markers of 13.2.4.3).
    """

    depth: int = 0
    copies: int = 0
    tables: int = 0
    opened: Counter[str] = field(default_factory=Counter)
    frames: list[tuple[int, Counter[str]]] = field(default_factory=lambda: [(0, Counter())])

    def start(self, name: str) -> None:
        if name in _FORMATTING:
            self._open_formatting(name)
            return
        if name == "table" and self._in_cell():
            self.tables += 1
        elif name in _TABLE_PARTS:
            self._leave_cell()
        if self.tables and name in _CELLS:
            self.frames.append((self.tables, Counter()))
        self.copies += self._formatting.total()
        if name not in VOID and name not in _IMPLIED_END:
            self.opened[name] += 1
            self.depth += 1

    def end(self, name: str) -> None:
        if name in _FORMATTING:
            self._close(self._formatting, name)
            return
        if name in _TABLE_PARTS:
            self._leave_cell()
        if name == "table" and self.tables:
            self.tables -= 1
        if name == "p":  # without an open p this makes an empty one
            self.copies += self._formatting.total()
        self._close(self.opened, name)

    @property
    def _formatting(self) -> Counter[str]:
        return self.frames[-1][1]

    def _close(self, counts: Counter[str], name: str) -> None:
        if counts[name]:
            counts[name] -= 1
            self.depth -= 1

    def _open_formatting(self, name: str) -> None:
        if name in ("a", "nobr") and self._formatting[name]:
            return  # the tree builder closes the open one first
        self._formatting[name] += 1
        self.depth += 1

    def _in_cell(self) -> bool:
        return self.frames[-1][0] == self.tables

    def _leave_cell(self) -> None:
        if self.tables and self._in_cell():
            self.depth -= self.frames.pop()[1].total()
