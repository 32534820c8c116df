"""Plain text as HTML: links, quote levels, flowed paragraphs (RFC 3676).

Every piece of the sender's text is escaped once, by itself, and put between markup of ours; there
are no placeholders to be filled in later (how other webmails were broken). What comes out passes
the sanitiser like any other body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby

from mailcore.html import quotes
from mailcore.html.cleaner import Sanitized, clean_own

MAX_CHARS = 256 * 1024
MAX_LINKS = 2000
MAX_LEVELS = 10
_HEADER_LINES = 8
_LOOKS_MAX = 5  # at what might be a header: one that almost is costs the most

_LINK = re.compile(
    r"(?P<web>\b(?:https?://|www\.)[^\s<>\"\u200b-\u200f\u202a-\u202e\u2066-\u2069]{3,2000})"
    r"|(?P<mail>(?<![\w.+-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8})",
    re.IGNORECASE,
)
_LEVEL = re.compile(r"(?:>[ ]?)+")
_TRAILING = ".,;:!?'\"*_~»”’"
_PAIRS = {")": "(", "]": "[", "}": "{"}
_ATTRIBUTION = re.compile(r"(?:On|El)\s.{6,400}(?:wrote|escribió)\s?:\s*")


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its quote marks, and how many there were."""

    level: int
    text: str


def render_text(text: str, *, flowed: bool = False, delsp: bool = False) -> Sanitized:
    """Return the first MAX_CHARS characters of a text/plain body as a fragment.

    `flowed` and `delsp` are the parameters of RFC 3676, section 4. Notice 'truncated' says that
    something is left out. Never raises.
    """
    lines = list(_lines(text[:MAX_CHARS], flowed=flowed))
    if flowed:
        lines = list(_unflow(lines, delsp=delsp))
    html = clean_own(f'<div class="casilla-text">{_body(lines)}</div>')
    return Sanitized(html=html, notice="truncated" if len(text) > MAX_CHARS else "")


def _lines(text: str, *, flowed: bool) -> Iterator[Line]:
    for raw in re.split(r"\r\n|\r|\n", text):
        match = _LEVEL.match(raw) if not flowed else re.match(r">*", raw)
        marks = match[0] if match else ""
        rest = raw[len(marks) :]
        if flowed:
            rest = rest.removeprefix(" ")  # space-stuffing (RFC 3676, 4.4)
        yield Line(marks.count(">"), rest)


def _unflow(lines: list[Line], *, delsp: bool) -> Iterator[Line]:
    """Join lines that end in a space with the next of the same level (RFC 3676, 4.2)."""
    waiting: list[str] = []
    level = 0
    for line in lines:
        is_signature = line.text == "-- "
        if waiting and (line.level != level or is_signature):
            yield Line(level, "".join(waiting))
            waiting = []
        level = line.level
        if line.text.endswith(" ") and not is_signature:
            waiting.append(line.text[:-1] if delsp else line.text)
        else:
            yield Line(level, "".join((*waiting, line.text)))
            waiting = []
    if waiting:
        yield Line(level, "".join(waiting))


def _body(lines: list[Line]) -> str:
    linker = _Linker()
    at = _unmarked_quote(lines)
    if at is not None:
        quoted = quotes.OPEN + _block(lines[at:], linker) + quotes.CLOSE
        return _block(lines[:at], linker) + quoted
    blocks = [
        (quoted, _block(list(group), linker))
        for quoted, group in groupby(_with_attribution(lines), key=lambda line: line.level > 0)
    ]
    quoted_blocks = [index for index, (quoted, _) in enumerate(blocks) if quoted]
    if len(quoted_blocks) == 1 and _says_something_new(lines):
        index = quoted_blocks[0]
        blocks[index] = (True, quotes.OPEN + blocks[index][1] + quotes.CLOSE)
    return "".join(html for _, html in blocks)


def _unmarked_quote(lines: list[Line]) -> int | None:
    """Return where Outlook's copy of the message before begins, if something stands above it.

    A forwarded message stays as it is: it is what there is to read.
    """
    if any(line.level for line in lines):
        return None
    looks = 0
    for index, line in enumerate(lines):
        if quotes.begins_forward(line.text) or looks == _LOOKS_MAX:
            return None
        if not quotes.may_begin_header(line.text):
            continue
        looks += 1
        ahead = "\n".join(one.text[:200] for one in lines[index : index + _HEADER_LINES])
        if quotes.begins_header(ahead):
            return index if any(one.text.strip() for one in lines[:index]) else None
    return None


def _says_something_new(lines: list[Line]) -> bool:
    own = (line.text for line in lines if line.level == 0)
    return any(text.strip() and not _ATTRIBUTION.fullmatch(text) for text in own)


def _with_attribution(lines: list[Line]) -> list[Line]:
    """Leave out the empty line between an attribution and its quote."""
    return [
        line
        for index, line in enumerate(lines)
        if line.text.strip() or line.level or not _between_attribution_and_quote(lines, index)
    ]


def _between_attribution_and_quote(lines: list[Line], index: int) -> bool:
    return (
        0 < index < len(lines) - 1
        and lines[index + 1].level > 0
        and bool(_ATTRIBUTION.fullmatch(lines[index - 1].text))
    )


def _block(lines: list[Line], linker: _Linker) -> str:
    """Lines with `<blockquote>` opened and closed as their level changes."""
    parts: list[str] = []
    current = 0
    fresh = True
    for line in lines:
        level = min(line.level, MAX_LEVELS)
        if level != current:
            parts.append("<blockquote>" * (level - current) + "</blockquote>" * (current - level))
            current, fresh = level, True
        parts.append(("" if fresh else "\n") + linker.html(line.text))
        fresh = False
    return "".join(parts) + "</blockquote>" * current


class _Linker:
    """Escapes text and makes links of addresses in it, up to a number in all."""

    def __init__(self) -> None:
        self._left = MAX_LINKS

    def html(self, text: str) -> str:
        parts: list[str] = []
        position = 0
        for match in _LINK.finditer(text):
            if not self._left:
                break
            shown = _without_trailing(match[0])
            if not shown:
                continue
            self._left -= 1
            parts += [_escape(text[position : match.start()]), _anchor(shown, match)]
            position = match.start() + len(shown)
        return "".join(parts) + _escape(text[position:])


def _anchor(shown: str, match: re.Match[str]) -> str:
    prefix = "mailto:" if match["mail"] else "" if "://" in shown[:8] else "https://"
    return f'<a href="{_escape(prefix + shown)}">{_escape(shown)}</a>'


def _without_trailing(url: str) -> str:
    """Take punctuation off the end, and a bracket that was opened outside."""
    while url:
        last = url[-1]
        unpaired = last in _PAIRS and url.count(last) > url.count(_PAIRS[last])
        if last not in _TRAILING and not unpaired:
            break
        url = url[:-1]
    return url


def _escape(text: str) -> str:
    return escape(text.replace("\x00", ""), quote=True)
