"""Read and write the markup that our sanitiser's serialiser produces, and no other.

That form (WHATWG HTML, 13.3) has every attribute in double quotes, no bare `<` or `>`, and an end
tag for each element that takes one, so a regular expression reads it without doubt. Whatever is
changed here goes through the sanitiser again afterwards; nothing is decided to be safe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape, unescape

from mailcore.html.limits import VOID

_TOKEN = re.compile(r'<(/?)([a-z][^\s<>/"]*)((?: [^\s="<>]+="[^"]*")*)>|[^<]+|<')
_ATTRIBUTE = re.compile(r' ([^\s="<>]+)="([^"]*)"')
_SPACES = re.compile(r"\s+")


@dataclass(slots=True)
class Element:
    """An element by the indexes of its tags; `first` and `last` count the characters of text
    (without white space) before its start and before its end."""

    name: str
    start: int
    parent: Element | None
    attributes: dict[str, str]
    first: int
    end: int = -1
    last: int = 0

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").lower().split()

    @property
    def is_empty(self) -> bool:
        return self.first == self.last


@dataclass(slots=True)
class Text:
    """A run of text: its token index, where it stands and what it says."""

    index: int
    parent: Element
    value: str
    first: int


@dataclass(slots=True)
class Markup:
    """Tokens of a fragment with its elements and texts in document order.

    `root` is the fragment itself; its `start` is -1 and its `end` the number of tokens.
    """

    tokens: list[str]
    root: Element
    elements: list[Element] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def __str__(self) -> str:
        return "".join(self.tokens)


def parse(html: str) -> Markup:
    """Read serialised markup. Linear; any string is accepted."""
    root = Element("", -1, None, {}, 0)
    markup = Markup([], root)
    current, count = root, 0
    for index, match in enumerate(_TOKEN.finditer(html)):
        markup.tokens.append(match[0])
        name = match[2]
        if name is None:
            value = unescape(match[0])
            markup.texts.append(Text(index, current, value, count))
            count += len(_SPACES.sub("", value))
        elif match[1]:
            current = _close(current, name, index, count)
        else:
            element = Element(name, index, current, _attributes(match[3]), count)
            markup.elements.append(element)
            if name in VOID:
                element.end, element.last = index, count
            else:
                current = element
    _close_all(current, len(markup.tokens), count)
    return markup


def start_tag(name: str, attributes: Mapping[str, str]) -> str:
    """Write a start tag in the serialiser's form."""
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>"


def text_of(texts: Iterable[Text], limit: int) -> str:
    """Join texts up to `limit` characters."""
    joined: list[str] = []
    length = 0
    for text in texts:
        joined.append(text.value)
        length += len(text.value)
        if length >= limit:
            break
    return "".join(joined)[:limit]


def _attributes(written: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in _ATTRIBUTE.findall(written)}


def _close(current: Element, name: str, index: int, count: int) -> Element:
    if current.name != name or current.parent is None:
        return current
    current.end, current.last = index, count
    return current.parent


def _close_all(current: Element, index: int, count: int) -> None:
    element: Element | None = current
    while element is not None:
        element.end, element.last = index, count
        element = element.parent
