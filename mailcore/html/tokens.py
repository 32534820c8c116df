"""Tokens that stand for images in a stored, sanitised body: parts of the message, and remote ones.

The body is cached for a long time, the addresses of its images are signed for an hour. So the
sanitiser writes `cid:casilla-part-<number>` or `cid:casilla-remote-<address in base64>`, which no
message can forge as its own `cid:` links (RFC 2392) are looked up first, and `fill` puts the
addresses in when the body is served.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from html import escape

_PREFIX = "cid:casilla-part-"
_REMOTE_PREFIX = "cid:casilla-remote-"
MAX_URL = 2048
PART = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,40}")
_REMOTE = re.compile(r"[A-Za-z0-9_-]{1,2800}")
_TOKEN = re.compile(rf"{_PREFIX}{PART.pattern}|{_REMOTE_PREFIX}{_REMOTE.pattern}")
_START = r'(<img(?: [^\s="<>]+="[^"<>]*")*? src=")'
_IMAGE = re.compile(rf'{_START}{_PREFIX}({PART.pattern})(?=")')
_REMOTE_IMAGE = re.compile(rf'{_START}{_REMOTE_PREFIX}({_REMOTE.pattern})(?=")')


def token_for(part: str) -> str:
    """Return the token of a part number such as '1.2'. Raises ValueError if it is none."""
    if not PART.fullmatch(part):
        raise ValueError(f"not a part number: {part!r}")
    return _PREFIX + part


def remote_token(url: str) -> str:
    """Return the token of a remote image, '' when its address is too long."""
    encoded = url.encode("utf-8", "replace")
    if len(encoded) > MAX_URL:
        return ""
    return _REMOTE_PREFIX + base64.urlsafe_b64encode(encoded).decode().rstrip("=")


def is_token(value: str) -> bool:
    return _TOKEN.fullmatch(value) is not None


def parts_in(html: str) -> tuple[str, ...]:
    """Return the part numbers of the images in a sanitised body, in order, each once."""
    return tuple(dict.fromkeys(match[2] for match in _IMAGE.finditer(html)))


def fill(
    html: str,
    url_for_part: Callable[[str], str],
    url_for_remote: Callable[[str], str] | None = None,
) -> str:
    """Put the address of each image in place of its token; `html` comes from `sanitize`.

    Without `url_for_remote` the tokens of remote images stay, and lead nowhere.
    """

    def put(match: re.Match[str]) -> str:
        return match[1] + escape(url_for_part(match[2]), quote=True)

    def put_remote(match: re.Match[str]) -> str:
        assert url_for_remote is not None
        return match[1] + escape(url_for_remote(_decoded(match[2])), quote=True)

    filled = _IMAGE.sub(put, html)
    return _REMOTE_IMAGE.sub(put_remote, filled) if url_for_remote else filled


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
