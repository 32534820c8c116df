"""Tokens that stand for images of the same message in a stored, sanitised body.

The body is cached for a long time, the addresses of its images are signed for an hour. So the
sanitiser writes `cid:casilla-part-<number>`, which no message can forge as its own `cid:` links
(RFC 2392) are looked up first, and `fill` puts the addresses in when the body is served.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

_PREFIX = "cid:casilla-part-"
PART = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,40}")
_TOKEN = re.compile(rf"{_PREFIX}({PART.pattern})")
_IMAGE = re.compile(rf'(<img(?: [^\s="<>]+="[^"<>]*")*? src="){_PREFIX}({PART.pattern})(?=")')


def token_for(part: str) -> str:
    """Return the token of a part number such as '1.2'. Raises ValueError if it is none."""
    if not PART.fullmatch(part):
        raise ValueError(f"not a part number: {part!r}")
    return _PREFIX + part


def is_token(value: str) -> bool:
    return _TOKEN.fullmatch(value) is not None


def parts_in(html: str) -> tuple[str, ...]:
    """Return the part numbers of the images in a sanitised body, in order, each once."""
    return tuple(dict.fromkeys(match[2] for match in _IMAGE.finditer(html)))


def fill(html: str, url_for_part: Callable[[str], str]) -> str:
    """Put the address of each part in place of its token; `html` comes from `sanitize`."""

    def put(match: re.Match[str]) -> str:
        return match[1] + escape(url_for_part(match[2]), quote=True)

    return _IMAGE.sub(put, html)
