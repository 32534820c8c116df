"""Fold the quoted end of a message into `<details>`, so that a reader sees what is new.

Knows the marks of Gmail, Apple Mail, Thunderbird, Yahoo and Outlook, and attribution lines in
English and Spanish; no RFC speaks of any of them. A forwarded message, a message that is nothing
but a quote and an answer written between the lines of a quote stay as they are. Works on markup
that is sanitised again afterwards.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mailcore.html.markup import Element, Markup, Text, text_of

OPEN = '<details class="casilla-quote"><summary>•••</summary>'
CLOSE = "</details>"

_QUOTE_CLASSES = frozenset(("yahoo_quoted", "protonmail_quote", "zmail_extra"))
_GMAIL_CLASSES = frozenset(("gmail_quote", "gmail_quote_container", "gmail_extra"))
_ATTRIBUTION_CLASSES = frozenset(("gmail_attr", "moz-cite-prefix"))
# Where `<details>` may stand and the serialised form keeps its shape.
_FLOW = frozenset(
    "article aside blockquote center dd div figure font footer header li main section span td th "
    "b i strong em small".split()
) | {""}
_ATTRIBUTION = re.compile(
    r"\s*(?:-{2,}\s*)?(?:On\s.{6,400}?\swrote\s?:|El\s.{6,400}?\sescribi(?:ó|o\u0301)\s?:)",
    re.DOTALL,
)
_HEADER_START = re.compile(r"\s*(?:From|De)\s?:")
_HEADER = re.compile(
    r"\s*(?:From|De)\s?:.{1,400}?(?:Sent|Date|Enviado(?: el)?|Fecha)\s?:.{1,400}?(?:To|Para)\s?:"
    r".{0,2000}?(?:Subject|Asunto)\s?:",
    re.DOTALL,
)
_ORIGINAL = re.compile(r"\s*-{3,}\s*(?:Original Message|Mensaje original)\s*-{3,}", re.IGNORECASE)
_FORWARDED = re.compile(
    r"\s*(?:-{3,}\s*)?(?:Forwarded message|Mensaje reenviado|Begin forwarded message|"
    r"Inicio del mensaje reenviado)",
    re.IGNORECASE,
)
_MAX_CLIMB = 400
_LOOK_AHEAD = 60
_MAX_LOOKS = 6


@dataclass(frozen=True, slots=True)
class _Span:
    """Tokens `start` up to but without `end`, holding text characters `first` to `last`,
    children of the element that begins at `parent`."""

    start: int
    end: int
    first: int
    last: int
    parent: int


def fold(markup: Markup) -> None:
    """Put the quoted part of `markup` into one `<details>`; change nothing when in doubt."""
    if any(element.name == "details" for element in markup.elements):
        return
    span = _marked_quote(markup) or _unmarked_quote(markup)
    if span is None or span.first == 0:
        return
    markup.tokens[span.start] = OPEN + markup.tokens[span.start]
    markup.tokens[span.end - 1] += CLOSE


def _marked_quote(markup: Markup) -> _Span | None:
    """The run of quote elements after which nothing, or before and after which all, is new."""
    runs: list[_Span] = []
    for span in _quote_elements(markup):
        before = runs[-1] if runs else None
        if before and span.first == before.last and span.parent == before.parent:
            span = replace(before, end=span.end, last=span.last)
            runs.pop()
        runs.append(span)
    if not runs:
        return None
    is_last = runs[-1].last == markup.root.last
    return runs[-1] if len(runs) == 1 or is_last else None


def _quote_elements(markup: Markup) -> Iterator[_Span]:
    """Outermost quotes, each with the attribution line before it."""
    done = -1
    attribution: Element | None = None
    texts = _TextsByIndex(markup.texts)
    for element in markup.elements:
        if element.start < done:
            continue
        if "moz-cite-prefix" in element.classes and _stands_in_flow(element):
            attribution, done = element, element.end
        elif _is_quote(element, texts) and _stands_in_flow(element):
            done = element.end
            before = attribution if _directly_before(attribution, element) else None
            start = before or element
            yield _Span(
                start.start, element.end + 1, start.first, element.last, _parent_start(element)
            )


def _parent_start(element: Element) -> int:
    return element.parent.start if element.parent else -1


def _directly_before(attribution: Element | None, quote: Element) -> bool:
    return (
        attribution is not None
        and attribution.parent is quote.parent
        and attribution.last == quote.first
    )


def _is_quote(element: Element, texts: _TextsByIndex) -> bool:
    classes = set(element.classes)
    if element.is_empty:
        return False
    if classes & _QUOTE_CLASSES:
        return True
    if element.name == "blockquote":
        return bool(classes & _GMAIL_CLASSES) or element.attributes.get("type") == "cite"
    if not classes & _GMAIL_CLASSES or not texts.may_look():
        return False
    inside = texts.between(element.start, element.end)
    said = text_of(inside, 500)
    if _FORWARDED.match(said):
        return False
    return all(_belongs_to_quote(text, element) for text in inside) or _only_attribution(
        inside, element
    )


def _belongs_to_quote(text: Text, container: Element) -> bool:
    if not text.value.strip():
        return True
    ancestor: Element | None = text.parent
    for _ in range(_MAX_CLIMB):
        if ancestor is None or ancestor is container:
            return False
        if ancestor.name == "blockquote" or _ATTRIBUTION_CLASSES & set(ancestor.classes):
            return True
        ancestor = ancestor.parent
    return False


def _only_attribution(inside: list[Text], container: Element) -> bool:
    """Old Gmail: the attribution line stands free in the container."""
    free = [text for text in inside if not _belongs_to_quote(text, container)]
    return bool(_ATTRIBUTION.fullmatch(text_of(free, 1000).strip()))


def _unmarked_quote(markup: Markup) -> _Span | None:
    """From an attribution line or an Outlook header to the end of the element it stands in."""
    for position, text in enumerate(markup.texts):
        if not _may_begin_quote(text.value):
            continue
        ahead = text_of(markup.texts[position : position + _LOOK_AHEAD], 3000)
        if _ATTRIBUTION.match(ahead) or _HEADER.match(ahead) or _ORIGINAL.match(ahead):
            return _rest_of_parent(markup, text)
    return None


def may_begin_header(line: str) -> bool:
    """Say cheaply whether a line of text may be the first of Outlook's header of a quote."""
    return line.lstrip().startswith("--") or bool(_HEADER_START.match(line[:20]))


def begins_header(text: str) -> bool:
    """Say whether `text` begins with the lines that Outlook puts above a quote."""
    return bool(_ORIGINAL.match(text) or _HEADER.match(text))


def begins_forward(line: str) -> bool:
    """Say whether a line announces a forwarded message."""
    return bool(_FORWARDED.match(line))


def _may_begin_quote(value: str) -> bool:
    start = value.lstrip()[:20]
    return start.startswith(("On", "El", "--")) or bool(_HEADER_START.match(start))


def _rest_of_parent(markup: Markup, text: Text) -> _Span | None:
    start, parent = text.index, text.parent
    for _ in range(_MAX_CLIMB):
        if parent.first < text.first or parent.parent is None:
            break
        start, parent = parent.start, parent.parent
    if not _flows(parent) or parent.last != markup.root.last:
        return None
    return _Span(start, parent.end, text.first, parent.last, parent.start)


def _stands_in_flow(element: Element) -> bool:
    return element.parent is not None and _flows(element.parent)


def _flows(element: Element) -> bool:
    return element.name in _FLOW


class _TextsByIndex:
    """Texts in document order, found by the token indexes around them."""

    def __init__(self, texts: list[Text]) -> None:
        self._texts = texts
        self._indexes = [text.index for text in texts]
        self._looks = _MAX_LOOKS

    def may_look(self) -> bool:
        """Count the containers that were read through: nested ones would cost a square."""
        self._looks -= 1
        return self._looks >= 0

    def between(self, start: int, end: int) -> list[Text]:
        return self._texts[bisect(self._indexes, start) : bisect(self._indexes, end)]
