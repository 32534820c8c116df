"""HTML that our own people send: a small allow-list, and its text/plain twin (RFC 2046, 5.1.4).

What the editor makes, or what somebody sends instead of it, comes out as plain structure: no
style, no class, no remote image, no script. Images are those of the draft, by Content-ID. Linear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser

import nh3

MAX_CHARS = 1_000_000
_TAGS = frozenset(
    "a b blockquote br code div em h1 h2 h3 hr i img li ol p pre s strong sub sup u ul".split()
)
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "ol": {"start"}, "blockquote": {"type"}}
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_TAG = re.compile(r"""<[a-z](?:[^<>"]|"[^"]*")*>""")
_REACHES = re.compile(r"(?:https?:|mailto:|tel:)", re.IGNORECASE)
_CONTENT_ID = re.compile(r"cid:[\w.+@-]{1,250}", re.ASCII)
_BLANKS = re.compile(r"[ \t\r\n]+")
_MANY_LINES = re.compile(r"\n{3,}")
_BLOCKS = frozenset(("p", "div", "h1", "h2", "h3", "blockquote", "ul", "ol", "pre", "hr"))


def clean(html: str, *, images: Mapping[str, str] | None = None) -> str:
    """Return what may be sent of `html`, at most MAX_CHARS of it; never raises.

    `images` maps the address that the editor shows to the Content-ID of the same file; an image
    from anywhere else is left out.
    """
    known = {address: f"cid:{name}" for address, name in (images or {}).items()}
    allowed = set(known.values())

    def attribute(tag: str, name: str, value: str) -> str | None:
        if tag == "img" and name == "src":
            value = known.get(value, value)
            return value if value in allowed else None
        if tag == "blockquote":
            return "cite"
        if tag == "ol" and not value.isdigit():
            return None
        return None if tag == "a" and not _REACHES.match(value.strip()) else value

    cleaned = nh3.clean(
        html[:MAX_CHARS],
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=attribute,
        url_schemes=_SCHEMES,
        url_relative="pass_through" if known else "deny",
        link_rel=None,
        strip_comments=True,
    )
    return _TAG.sub(_without_empty_images, cleaned)


def _without_empty_images(tag: re.Match[str]) -> str:
    """Drop an image that has lost its source; quoted values are skipped as wholes."""
    return "" if tag[0].startswith("<img") and " src=" not in tag[0] else tag[0]


def content_ids(html: str) -> set[str]:
    """Return the Content-IDs that cleaned HTML shows images of."""
    return {match[0][4:] for match in _CONTENT_ID.finditer(html)}


def is_blank(html: str) -> bool:
    """Say whether cleaned HTML shows nothing."""
    return "<img" not in html and "<hr" not in html and not to_plain(html).strip()


def to_plain(html: str) -> str:
    """Return cleaned HTML as text: paragraphs apart, lists with marks, quotes with `>`, links."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Walks over cleaned HTML; every quote is a level of its own, so that it can be prefixed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._levels: list[list[str]] = [[]]
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []
        self._pre = 0

    def text(self) -> str:
        """Return everything, quotes that were never closed included."""
        while len(self._levels) > 1:
            self._end_quote()
        return _tidy("".join(self._levels[0]))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open what `tag` means in text."""
        values = dict(attrs)
        if tag in _BLOCKS:
            self._gap(1 if tag == "div" or (tag in ("ul", "ol") and self._lists) else 2)
        if tag == "blockquote":
            self._levels.append([])
        elif tag in ("ul", "ol"):
            self._lists.append(int(values.get("start") or 1) if tag == "ol" else None)
        elif tag == "li":
            self._item()
        elif tag == "br":
            self._levels[-1].append("\n")
        elif tag == "hr":
            self._levels[-1].append("-" * 40 + "\n\n")
        elif tag == "pre":
            self._pre += 1
        elif tag == "a":
            self._links.append((values.get("href") or "", len(self._levels[-1])))
        elif tag == "img" and values.get("alt"):
            self._levels[-1].append(f"[{values['alt']}]")

    def handle_endtag(self, tag: str) -> None:
        """Close what `tag` meant."""
        if tag == "blockquote" and len(self._levels) > 1:
            self._end_quote()
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "pre":
            self._pre -= 1
        elif tag == "a" and self._links:
            self._end_link()
        if tag in _BLOCKS and tag != "hr":
            self._gap(1 if tag == "div" or (tag in ("ul", "ol") and self._lists) else 2)

    def handle_data(self, data: str) -> None:
        """Take text; blanks count once, except in `pre`."""
        out = self._levels[-1]
        if self._pre <= 0:
            data = _BLANKS.sub(" ", data)
            if not out or out[-1].endswith(("\n", " ")):
                data = data.removeprefix(" ")
        if data:
            out.append(data)

    def _gap(self, lines: int) -> None:
        out = self._levels[-1]
        if not out or (self._lists and out[-1].endswith("- ")) or _ends_with_mark(out[-1]):
            return
        have = len(out[-1]) - len(out[-1].rstrip("\n"))
        wanted = 1 if self._lists else lines
        out.append("\n" * max(0, wanted - have)) if have < wanted else None

    def _item(self) -> None:
        if self._levels[-1] and not self._levels[-1][-1].endswith("\n"):
            self._levels[-1].append("\n")
        depth = "  " * max(0, len(self._lists) - 1)
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        self._levels[-1].append(f"{depth}- " if number is None else f"{depth}{number}. ")

    def _end_quote(self) -> None:
        quoted = _tidy("".join(self._levels.pop()))
        lines = (f"> {line}" if line and line[0] != ">" else f">{line}" for line in _lines(quoted))
        self._levels[-1].append("\n".join(lines) + "\n\n")

    def _end_link(self) -> None:
        href, start = self._links.pop()
        said = "".join(self._levels[-1][start:]).strip()
        plain = href.removeprefix("mailto:").removeprefix("tel:")
        if href and said and plain.rstrip("/") not in (said, said.rstrip("/"), f"https://{said}"):
            self._levels[-1].append(f" <{plain}>")


def _ends_with_mark(text: str) -> bool:
    return bool(re.fullmatch(r" *(?:-|\d+\.) ", text))


def _lines(text: str) -> list[str]:
    return text.split("\n")


def _tidy(text: str) -> str:
    lines = (line.rstrip() for line in text.replace("\u00a0", " ").split("\n"))
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")
