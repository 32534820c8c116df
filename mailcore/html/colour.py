"""Which colours a sanitised body sets: none, only greys, or real ones (CSS Color Level 3).

Decides how the mail frame shows it in a dark theme. Reads, never writes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

import tinycss2
from tinycss2.color3 import RGBA, parse_color

Colour = Literal["none", "grey", "colour"]

_ATTRIBUTE = re.compile(r' (style|bgcolor|color)="([^"]*)"')
_SHEET_DECLARATION = re.compile(r"[{;]((?:background|border|color|text-decoration)[^;{}]*)")
_RANK: dict[Colour, int] = {"none": 0, "grey": 1, "colour": 2}
_GREY_SPREAD = 0.04


def colour_of(fragment: str, sheet: str) -> Colour:
    """Return the strongest colour that a sanitised fragment or its style sheet sets."""
    found: Colour = "none"
    seen = {(match[1], match[2]) for match in _ATTRIBUTE.finditer(fragment)}
    seen |= {("style", match[1]) for match in _SHEET_DECLARATION.finditer(sheet)}
    for name, value in seen:
        one = _of_style(value) if name == "style" else _of_value(value)
        if _RANK[one] > _RANK[found]:
            found = one
        if found == "colour":
            break
    return found


def _of_style(style: str) -> Colour:
    found: Colour = "none"
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        if not name.strip().startswith(("background", "border", "color", "text-decoration")):
            continue
        one = _of_value(value.removesuffix("!important"))
        if one == "grey" and value.endswith("!important"):
            return "colour"  # cannot be overruled by the frame's own style
        if _RANK[one] > _RANK[found]:
            found = one
    return found


@lru_cache(maxsize=1024)
def _of_value(value: str) -> Colour:
    found: Colour = "none"
    for token in tinycss2.parse_component_value_list(value[:200]):
        one = _of_token(token)
        if _RANK[one] > _RANK[found]:
            found = one
    return found


def _of_token(token: Any) -> Colour:
    colour = parse_color(token)
    if not isinstance(colour, RGBA) or colour.alpha == 0:
        return "none"
    channels = (colour.red, colour.green, colour.blue)
    return "grey" if max(channels) - min(channels) <= _GREY_SPREAD else "colour"
