"""The line that a message list shows after the subject: the first words that are new.

Plain text in, plain text out. Quoted lines, the sentence that introduces a quote, what follows
a signature mark or a "Original Message" rule, and the invisible padding of newsletters are left
out. HTML becomes text elsewhere (`mailcore.html`).
"""

from __future__ import annotations

import re

from mailcore.mime import words
from mailcore.mime.filename import INVISIBLE

PREVIEW_CHARS = 200
_LOOKED_AT = 16 * 1024
_RULE = re.compile(r"\s*-{2,}\s*(?:original message|mensaje original|forwarded message)", re.I)
_ATTRIBUTION = re.compile(
    r"\s*(?:on|el|am|le)\b.{0,200}(?:wrote|escribió|écrit|schrieb\b.{0,100})\s?:\s*", re.I
)


def preview(text: str, *, max_chars: int = PREVIEW_CHARS) -> str:
    """Return at most `max_chars` characters of `text` on one line, cut at a word. Never raises.

    Looks at the first 16,384 characters only. A message that is all quotes shows its quotes.
    """
    lines = text[:_LOOKED_AT].splitlines()
    own = _joined(_own_lines(lines))
    return _cut(own or _joined([line.lstrip("> ") for line in lines]), max_chars)


def _own_lines(lines: list[str]) -> list[str]:
    own: list[str] = []
    for index, line in enumerate(lines):
        if line.rstrip("\r\n") in ("-- ", "--") or _RULE.match(line):
            break
        if line.lstrip().startswith(">") or _introduces_quote(lines, index):
            continue
        own.append(line)
    return own


def _introduces_quote(lines: list[str], index: int) -> bool:
    """Recognise `On ... wrote:` on one line, or folded over two, with a quote after it."""
    for count in (1, 2):
        rest = [line for line in lines[index + count : index + count + 2] if line.strip()]
        if _ATTRIBUTION.fullmatch(" ".join(lines[index : index + count])[:600]):
            return not rest or rest[0].lstrip().startswith(">")
    return index > 0 and lines[index].rstrip().endswith(":") and _introduces_pair(lines, index)


def _introduces_pair(lines: list[str], index: int) -> bool:
    """Recognise the second line of a folded attribution."""
    return _ATTRIBUTION.fullmatch(f"{lines[index - 1]} {lines[index]}"[:600]) is not None


def _joined(lines: list[str]) -> str:
    text = INVISIBLE.sub("", words.clean(" ".join(lines)))
    return " ".join(text.split())


def _cut(text: str, max_chars: int) -> str:
    if len(text) <= max_chars:
        return text
    head = text[: max_chars + 1].rpartition(" ")[0]
    return head if len(head) > max_chars // 2 else text[:max_chars]
