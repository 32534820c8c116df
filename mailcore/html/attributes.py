"""Which attributes a message may set, and the form of each value: the last filter of all.

Only `href` and `src` can hold an address. No id, name, srcset, background, poster, data-*, aria-*,
on* or form attribute exists here, so no element of a message can load, run or name anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from mailcore.html import css, links, tokens

_CELL = {"align", "valign", "width", "height", "bgcolor", "colspan", "rowspan", "nowrap"}
_ROW = {"align", "valign", "bgcolor"}
ALLOWED: dict[str, frozenset[str]] = {
    "*": frozenset(
        ("dir", "lang", "title", "align", "valign", "width", "height", "bgcolor", "style", "class")
    ),
    "a": frozenset({"href"}),
    "img": frozenset({"src", "alt", "border", "hspace", "vspace"}),
    "table": frozenset({"border", "cellpadding", "cellspacing", "frame", "rules"}),
    "td": frozenset(_CELL),
    "th": frozenset(_CELL),
    "tr": frozenset(_ROW),
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "ol": frozenset({"start", "type", "reversed"}),
    "ul": frozenset({"type"}),
    "li": frozenset({"value", "type"}),
    "hr": frozenset({"size", "noshade", "color"}),
    "font": frozenset({"color", "face", "size"}),
    "br": frozenset({"clear"}),
    "details": frozenset({"open"}),
    "time": frozenset({"datetime"}),
}
_WORD = re.compile(r"[a-zA-Z-]{1,20}|[1aAiI]")
_LANGUAGE = re.compile(r"[a-zA-Z0-9-]{1,35}")
_COLOUR = re.compile(r"#?[a-zA-Z0-9]{1,30}|rgba?\([0-9., %]{1,40}\)")
_SIZE = re.compile(r"([0-9]{1,5})(?:\.[0-9]{1,9})?(%|px)?", re.IGNORECASE)
_FONT_SIZE = re.compile(r"[+-]?[1-7]")
_FACE = re.compile(r"[\w ,.'&+-]{1,200}")
_DATE = re.compile(r"[0-9A-Za-z:.+ -]{1,40}")
_CLASS = re.compile(r"[\w-]{1,60}")
_MAX_SIZE = 5000
_MAX_SPAN = 200
_MAX_TEXT = 1000
_MAX_CLASSES = 20


def clean(element: str, name: str, value: str) -> str | None:
    """Return the value that attribute `name` may have, None to drop it (nh3's filter)."""
    rule = _RULES.get(name)
    return rule(value) if rule else None


def clean_class(value: str) -> str | None:
    """Return the class names of a message without those that only we may use."""
    names = [name for name in value.split()[:_MAX_CLASSES] if _CLASS.fullmatch(name)]
    return " ".join(n for n in names if not n.lower().startswith(css.OWN_PREFIX)) or None


def percent_decoded(content_id: str) -> str:
    return unquote(content_id, errors="replace")


def _match(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def rule(value: str) -> str | None:
        value = value.strip()
        return value if pattern.fullmatch(value) else None

    return rule


def _size(value: str) -> str | None:
    match = _SIZE.fullmatch(value.strip())
    if not match or int(match[1]) > (100 if match[2] == "%" else _MAX_SIZE):
        return None
    return match[1] + ("%" if match[2] == "%" else "")


def _span(value: str) -> str | None:
    value = value.strip()
    return (
        value if value.isascii() and value.isdigit() and 0 < int(value[:9]) <= _MAX_SPAN else None
    )


def _text(value: str) -> str:
    return links.INVISIBLE.sub("", value)[:_MAX_TEXT]


def _source(value: str) -> str | None:
    """Sources were judged one by one before; here only their form is checked again."""
    if tokens.is_token(value):
        return value
    return value if value.startswith("data:image/") and not value.startswith(_SVG) else None


def _own_or_given_class(value: str) -> str | None:
    names = [name for name in value.split()[:_MAX_CLASSES] if _CLASS.fullmatch(name)]
    return " ".join(names) or None


def _flag(value: str) -> str:
    return ""


_SVG = "data:image/svg"
# Set by the sanitiser itself before this filter runs; a message cannot reach them.
FIXED = {
    "target": "_blank",
    "rel": "noopener noreferrer nofollow ugc",
    "referrerpolicy": "no-referrer",
    "decoding": "async",
}


def _always(value: str) -> Callable[[str], str | None]:
    return lambda _: value


_RULES: dict[str, Callable[[str], str | None]] = {
    "href": links.clean_href,
    "src": _source,
    "style": lambda value: css.clean_style(value) or None,
    "class": _own_or_given_class,
    "dir": _match(re.compile(r"ltr|rtl|auto", re.IGNORECASE)),
    "lang": _match(_LANGUAGE),
    "title": _text,
    "alt": _text,
    "datetime": _match(_DATE),
    "face": _match(_FACE),
    **dict.fromkeys(("bgcolor", "color"), _match(_COLOUR)),
    **dict.fromkeys(("align", "valign", "type", "frame", "rules", "clear"), _match(_WORD)),
    **dict.fromkeys(("colspan", "rowspan", "span", "start", "value"), _span),
    **dict.fromkeys(
        ("width", "height", "border", "hspace", "vspace", "cellpadding", "cellspacing"), _size
    ),
    **dict.fromkeys(("nowrap", "noshade", "reversed", "open"), _flag),
    "size": _match(_FONT_SIZE),
    **{name: _always(value) for name, value in FIXED.items()},
}
