"""The text of an HTML body, for the list's preview and for search.

Linear and bounded. Leaves out what a reader would not see (a hidden preheader, text of one pixel):
a preview must not say what the message does not show. The result is text, never markup: escape it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from mailcore.html.limits import MAX_CHARS, TAG, VOID, strip_opaque
from mailcore.html.links import INVISIBLE

_LINE = frozenset(
    "address article aside blockquote br center dd details div dl dt figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tr ul".split()
)
_GAP = frozenset(("td", "th"))
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|(?:font-size|line-height|max-height)\s*:\s*[01](?:\.0*)?(?:px|pt|em|%)?\s*(?:[;!\"']|$)"
    r"|opacity\s*:\s*(?:0|\.0|0\.0\d*)\s*(?:[;!\"']|$)|text-indent\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
# The line height of a row of spacers is no sign of hidden text, so it needs a partner.
_LINE_HEIGHT = re.compile(r"line-height\s*:\s*[01](?:\.0*)?(?:px|pt|em|%)?", re.IGNORECASE)
_HIDDEN_ATTRIBUTE = re.compile(r"(?:^|\s)hidden(?:[\s=/]|$)", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]{1,200})"|'([^']{1,200})')""", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\n\f\r\u00a0]+")
_BLANKS = re.compile(r" {2,}")
_LINES = re.compile(r" ?\n ?(?:\n ?)*")


def to_text(html: str, *, max_chars: int) -> str:
    """Return at most `max_chars` characters of what `html` says, a line for each block.

    Reads the first MAX_CHARS characters. Never raises.
    """
    pieces: list[str] = []
    length = 0
    for piece in _pieces(strip_opaque(html[:MAX_CHARS]).html):
        pieces.append(piece)
        length += len(piece)
        if length > 2 * max_chars:  # twice, as blanks are folded afterwards
            break
    text = INVISIBLE.sub(_keep_newline, "".join(pieces))
    return _LINES.sub("\n", _BLANKS.sub(" ", text)).strip()[:max_chars]


def _keep_newline(match: re.Match[str]) -> str:
    return "\n" if match[0] == "\n" else ""


def _pieces(html: str) -> Iterator[str]:
    position = 0
    hidden = _Hidden()
    for match in TAG.finditer(html):
        if not hidden:
            yield _plain(html[position : match.start()])
        position = match.end()
        name, rest = match["name"].lower(), match["rest"]
        if match["end"]:
            hidden.end(name)
        else:
            hidden.start(name, rest)
        if hidden:
            continue
        if name in _LINE:
            yield "\n"
        elif name in _GAP:
            yield " "
        elif name == "img" and (alt := _ALT.search(rest)):
            yield f" {_plain(alt[1] or alt[2])} "
    if not hidden:
        yield _plain(html[position:])


def _plain(text: str) -> str:
    return _SPACE.sub(" ", unescape(text))


@dataclass(slots=True)
class _Hidden:
    """Whether an element around the current place is hidden, and when it ends."""

    name: str = ""
    depth: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return self.depth > 0

    def start(self, name: str, rest: str) -> None:
        if self.depth:
            self.depth += name == self.name
        elif name not in VOID and _hides(rest):
            self.name, self.depth = name, 1

    def end(self, name: str) -> None:
        if self.depth and name == self.name:
            self.depth -= 1


def _hides(rest: str) -> bool:
    if not rest:
        return False
    style = _LINE_HEIGHT.sub("", rest)
    return bool(_HIDING.search(style) or _HIDDEN_ATTRIBUTE.search(_bare(rest)))


def _bare(rest: str) -> str:
    """Attribute names without quoted values."""
    return re.sub(r"\"[^\"]*\"|'[^']*'", "", rest)
