"""Turn the HTML of a message into a fragment that may stand in the mail frame.

Order matters (every break of other webmails came from a change made after cleaning): opaque parts
go, the cost is measured, nh3 brings the rest into one serialised form, images, links and quotes
are rewritten in that form, and nh3 with the strictest rules comes last. After it only
`tokens.fill` puts escaped addresses into places kept for them. Loads nothing; remote images are
counted and dropped, or named for our proxy when the reader asked to see them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Literal

from mailcore.html import attributes, css, limits, links, markup, quotes, tokens
from mailcore.html.cleaner import SANITISER_VERSION, Sanitized, clean_own, normalise
from mailcore.html.colour import colour_of
from mailcore.html.text import render_text
from mailcore.html.totext import to_text

__all__ = ["SANITISER_VERSION", "ImageMode", "Sanitized", "sanitize"]

ImageMode = Literal["blocked", "proxied"]

MAX_DATA_IMAGE_BYTES = 200 * 1024
MAX_OUTPUT = 2 * limits.MAX_CHARS
MAX_DISTINCT_STYLES = 150_000
MAX_REMOTE_IMAGES = 300
MAX_FALLBACK_TEXT = 64 * 1024
MAX_FALLBACK_HTML = 400_000

_BODY_TAG = re.compile(r"<body(?=[\s/>])", re.IGNORECASE)
_REMOTE = re.compile(r"https?:|//", re.IGNORECASE)
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,([A-Za-z0-9+/]+={0,2})")
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")


def sanitize(
    html: str, *, parts: Mapping[str, str], image_mode: ImageMode = "blocked"
) -> Sanitized:
    """Clean the HTML of a message. Never raises for any `html`.

    `parts` maps a Content-ID without angle brackets (RFC 2392) to the part number of an image
    of the same message; other `cid:` images are dropped. `image_mode` says what becomes of remote
    images: `proxied` gives the first MAX_REMOTE_IMAGES a token. Takes up to a second
    for 2 MB: not for an event loop.
    """
    stripped = limits.too_long(html) or limits.strip_opaque(html)
    if isinstance(stripped, limits.TooComplex) or limits.scan(stripped.html):
        return _only_text(html)
    body = _BODY_TAG.sub("<div", stripped.html, count=1)
    normal = normalise(body)
    if len(normal) > MAX_OUTPUT:
        return _only_text(html)
    tree = markup.parse(normal)
    blocked_count = _rewrite_images(tree, parts, image_mode)
    simplified = _limit_styles(tree)
    _mark_links(tree)
    quotes.fold(tree)
    fragment = clean_own(str(tree))
    sheet = css.clean_sheets(stripped.sheets)
    return Sanitized(
        html=(f"<style>{sheet}</style>" if sheet else "") + fragment,
        blocked_count=blocked_count,
        colour=colour_of(fragment, sheet),
        notice="simplified" if simplified else "",
    )


def _only_text(html: str) -> Sanitized:
    shown = render_text(to_text(html[:MAX_FALLBACK_HTML], max_chars=MAX_FALLBACK_TEXT))
    return Sanitized(html=shown.html, notice="too_complex")


def _rewrite_images(tree: markup.Markup, parts: Mapping[str, str], image_mode: ImageMode) -> int:
    """Give images of the message, and remote ones if wanted, their token; count those left out."""
    blocked = 0
    left = MAX_REMOTE_IMAGES if image_mode == "proxied" else 0
    for element in tree.elements:
        if element.name != "img" or "src" not in element.attributes:
            continue
        source = links.INVISIBLE.sub("", element.attributes.pop("src")).strip()
        kept = _own_source(source, parts)
        if _REMOTE.match(source):
            is_wanted = bool(left) and not _is_beacon(element)
            kept = tokens.remote_token(_whole(source)) if is_wanted else ""
            left -= bool(kept)
            blocked += image_mode == "blocked" or (not kept and not _is_beacon(element))
        if kept:
            element.attributes["src"] = kept
        tree.tokens[element.start] = markup.start_tag("img", element.attributes)
    return blocked


def _is_beacon(element: markup.Element) -> bool:
    """Say whether an image shows nothing, and only tells its server that it was loaded."""
    sides = (element.attributes.get(name, "").strip().lower() for name in ("width", "height"))
    return all(side in ("0", "1", "0px", "1px") for side in sides)


def _whole(source: str) -> str:
    """Return a remote address with its scheme; what a browser forgives is put right."""
    source = source.replace(" ", "%20").replace("\\", "/")
    return f"https:{source}" if source.startswith("//") else source


def _own_source(source: str, parts: Mapping[str, str]) -> str:
    if source[:4].lower() == "cid:":
        content_id = source[4:]
        part = parts.get(content_id) or parts.get(attributes.percent_decoded(content_id), "")
        return tokens.token_for(part) if tokens.PART.fullmatch(part) else ""
    return source if _is_safe_data(source) else ""


def _is_safe_data(source: str) -> bool:
    """Say whether a data: URL is a raster image that begins as one, at most 200 KB."""
    if len(source) > MAX_DATA_IMAGE_BYTES * 4 // 3 + 64:
        return False
    match = _DATA_IMAGE.fullmatch(source)
    if not match:
        return False
    try:
        head = base64.b64decode(match[1][:64], validate=True)
    except binascii.Error:
        return False
    return head.startswith(_MAGIC)


def _limit_styles(tree: markup.Markup) -> bool:
    """Drop style attributes once the distinct ones are too much to filter in time."""
    seen: set[str] = set()
    length = 0
    dropped = False
    for element in tree.elements:
        style = element.attributes.get("style")
        if style is None or style in seen:
            continue
        if length + len(style) <= MAX_DISTINCT_STYLES:
            seen.add(style)
            length += len(style)
            continue
        del element.attributes["style"]
        tree.tokens[element.start] = markup.start_tag(element.name, element.attributes)
        dropped = True
    return dropped


def _mark_links(tree: markup.Markup) -> None:
    """Put a class and the true host on links that say something else."""
    said: dict[int, list[str]] = {}
    for text in tree.texts:
        anchor = _anchor_of(text.parent)
        if anchor is not None:
            said.setdefault(anchor.start, []).append(text.value)
    for element in tree.elements:
        href = links.clean_href(element.attributes.get("href", ""))
        if element.name != "a" or href is None:
            continue
        shown = "".join(said.get(element.start, ()))[: links.MAX_HREF]
        wrong = links.suspicion(text=shown, href=href)
        if wrong:
            element.attributes["class"] = f"{css.OWN_PREFIX}link-{wrong}"
            element.attributes["title"] = links.host_of(href)
            tree.tokens[element.start] = markup.start_tag("a", element.attributes)


def _anchor_of(element: markup.Element | None) -> markup.Element | None:
    for _ in range(12):
        if element is None or element.name == "a":
            return element
        element = element.parent
    return None
