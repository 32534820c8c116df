"""Keep the harmless part of a message's style: attributes and style sheets (CSS Syntax Level 3).

Works on tokens: a declaration stays only if its property, every function and every token in it
are on a list, and what stays is written anew from the tokens, so that escapes, comments and
unfinished strings of the sender never reach the browser. Does not touch HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import tinycss2

MAX_STYLE = 10_000
MAX_SHEET = 128 * 1024
OWN_PREFIX = "casilla-"

_SIDES = ("", "-top", "-right", "-bottom", "-left")
_CORNERS = ("", "-top-left", "-top-right", "-bottom-right", "-bottom-left")
PROPERTIES = frozenset(
    "background background-color border-collapse border-color border-spacing border-style "
    "border-width box-sizing caption-side clear color direction display empty-cells "
    "float font font-family font-size font-stretch font-style font-variant font-weight height "
    "letter-spacing line-height list-style list-style-position list-style-type max-height "
    "max-width min-height min-width opacity orphans overflow overflow-wrap page-break-after "
    "page-break-before page-break-inside table-layout text-align text-decoration "
    "text-decoration-color text-decoration-line text-decoration-style text-indent text-overflow "
    "text-transform unicode-bidi vertical-align visibility white-space widows width word-break "
    "word-spacing word-wrap".split()
    + [f"border{side}" for side in _SIDES]
    + [f"border{side}-{part}" for side in _SIDES[1:] for part in ("color", "style", "width")]
    + [f"border{corner}-radius" for corner in _CORNERS]
    + [f"{box}{side}" for box in ("margin", "padding") for side in _SIDES]
)
_FUNCTIONS = frozenset(("rgb", "rgba", "hsl", "hsla", "calc"))
# No viewport units: in a frame that grows with its content they never settle.
_UNITS = frozenset("px pt pc em rem ex ch cm mm in q deg".split())
_NO_NEGATIVE = ("margin", "text-indent", "letter-spacing", "word-spacing")
_NO_PERCENT = ("height", "min-height", "max-height")
_MAX_NUMBER = 5000
_MAX_DEPTH = 4
_IDENT = re.compile(r"[\w-]{1,60}")
_STRING = re.compile(r"[\w .,&+-]{0,80}")
_LITERALS = frozenset(",/+-*")
_SELECTOR_LITERALS = frozenset(".,>+~*:")


def clean_style(style: str) -> str:
    """Return the allowed declarations of a style attribute, '' when none is left."""
    if len(style) > MAX_STYLE:
        return ""
    return _cached_style(style) if len(style) <= 500 else _style(style)


def clean_sheets(sheets: Iterable[str]) -> str:
    """Return one style sheet with the allowed rules of all, at most MAX_SHEET characters.

    Rules keep plain selectors; of at-rules only `@media` stays, one level, and no question about
    the reader's preferences. The result has no '<', so it cannot end its element.
    """
    text = "\n".join(sheets)[:MAX_SHEET]
    rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    result = "\n".join(filter(None, (_rule(rule, media_allowed=True) for rule in rules)))
    return "" if "<" in result or len(result) > MAX_SHEET else result


@lru_cache(maxsize=4096)
def _cached_style(style: str) -> str:
    return _style(style)


def _style(style: str) -> str:
    return _declarations(tinycss2.parse_blocks_contents(style, skip_comments=True))


def _declarations(nodes: Iterable[Any]) -> str:
    kept = (_declaration(node) for node in nodes if node.type == "declaration")
    return ";".join(filter(None, kept))


def _declaration(node: Any) -> str:
    name = node.lower_name
    tokens = [token for token in node.value if token.type != "comment"]
    if name not in PROPERTIES or not tokens or not _tokens_allowed(name, tokens, 0):
        return ""
    value = tinycss2.serialize(tokens).strip()
    if not value or (name == "opacity" and _is_invisible(tokens)):
        return ""
    return f"{name}:{value}{'!important' if node.important else ''}"


def _tokens_allowed(name: str, tokens: Sequence[Any], depth: int) -> bool:
    return depth <= _MAX_DEPTH and all(_token_allowed(name, token, depth) for token in tokens)


def _token_allowed(name: str, token: Any, depth: int) -> bool:
    match token.type:
        case "whitespace":
            return True
        case "ident":
            return bool(_IDENT.fullmatch(token.value))
        case "string":
            return bool(_STRING.fullmatch(token.value))
        case "hash":
            return bool(re.fullmatch(r"[0-9a-fA-F]{3,8}", token.value))
        case "literal":
            return token.value in _LITERALS
        case "number" | "percentage" | "dimension":
            return _number_allowed(name, token)
        case "function":
            return _function_allowed(name, token, depth)
        case "() block":
            return depth > 0 and _tokens_allowed(name, token.content, depth + 1)
    return False


def _number_allowed(name: str, token: Any) -> bool:
    if abs(token.value) > _MAX_NUMBER:
        return False
    if token.value < 0 and name.startswith(_NO_NEGATIVE):
        return False
    if token.type == "percentage":
        return name not in _NO_PERCENT
    return token.type == "number" or token.lower_unit in _UNITS


def _function_allowed(name: str, token: Any, depth: int) -> bool:
    if token.lower_name not in _FUNCTIONS:
        return False
    if token.lower_name == "calc" and name.startswith(_NO_NEGATIVE):
        return False
    return _tokens_allowed(name, token.arguments, depth + 1)


def _is_invisible(tokens: Sequence[Any]) -> bool:
    values = [token for token in tokens if token.type in ("number", "percentage")]
    factor = {"number": 1.0, "percentage": 0.01}
    return len(values) != 1 or values[0].value * factor[values[0].type] < 0.05


def _rule(rule: Any, *, media_allowed: bool) -> str:
    if rule.type == "qualified-rule":
        return _qualified_rule(rule)
    if media_allowed and rule.type == "at-rule" and rule.lower_at_keyword == "media":
        return _media_rule(rule)
    return ""


def _qualified_rule(rule: Any) -> str:
    prelude = [token for token in rule.prelude if token.type != "comment"]
    if not _selector_allowed(prelude):
        return ""
    body = _declarations(tinycss2.parse_blocks_contents(rule.content, skip_comments=True))
    return f"{tinycss2.serialize(prelude).strip()}{{{body}}}" if body else ""


def _selector_allowed(prelude: Sequence[Any]) -> bool:
    colon_before = False
    for token in prelude:
        colon = token.type == "literal" and token.value == ":"
        if colon and colon_before:
            return False  # a pseudo-element, such as the marks that we put on links
        if not _selector_token_allowed(token):
            return False
        if colon_before and token.type == "ident" and token.lower_value in ("after", "before"):
            return False
        colon_before = colon
    return True


def _selector_token_allowed(token: Any) -> bool:
    match token.type:
        case "whitespace":
            return True
        case "literal":
            return token.value in _SELECTOR_LITERALS
        case "ident" | "hash":
            word = token.value
            return bool(_IDENT.fullmatch(word)) and not word.lower().startswith(OWN_PREFIX)
    return False


def _media_rule(rule: Any) -> str:
    prelude = [token for token in rule.prelude if token.type != "comment"]
    if rule.content is None or not all(_media_token_allowed(token) for token in prelude):
        return ""
    rules = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
    body = "".join(filter(None, (_rule(inner, media_allowed=False) for inner in rules)))
    return f"@media {tinycss2.serialize(prelude).strip()}{{{body}}}" if body else ""


def _media_token_allowed(token: Any, *, nested: bool = False) -> bool:
    match token.type:
        case "whitespace" | "number":
            return True
        case "dimension":
            return token.lower_unit in _UNITS
        case "literal":
            return token.value in (",", ":")
        case "ident":
            return bool(_IDENT.fullmatch(token.value)) and "prefers" not in token.lower_value
        case "() block":
            inner = token.content
            return not nested and all(_media_token_allowed(one, nested=True) for one in inner)
    return False
