"""A second opinion on sanitised HTML: parsed by lexbor, judged by lists written down here again.

Nothing is imported from the sanitiser but its output, so a slip in its lists shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

TAGS = set(
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col "
    "colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 "
    "header hr i img ins kbd li main mark nav nobr ol p pre q rp rt ruby s samp section small span "
    "strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr".split()
)
ATTRIBUTES = set(
    "align alt bgcolor border cellpadding cellspacing class clear color colspan datetime decoding "
    "dir face frame height href hspace lang noshade nowrap open referrerpolicy rel reversed "
    "rowspan rules size span src start style target title type valign value vspace width".split()
)
HREF = re.compile(r"(?:https?://[^\s@\\]|mailto:|tel:|sms:|xmpp:)", re.IGNORECASE)
SRC = re.compile(
    r"cid:casilla-part-[0-9.]+|data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*"
)
STYLE_DANGER = re.compile(
    r"url|image|expression|behavior|binding|import(?!ant)|var\(|attr\(|env\(|element|position|z-index"
    r"|content\s*:|filter|transform|animation|cursor|script|[\\<>{}@]|//|/\*|--|canary",
    re.IGNORECASE,
)
SHEET_DANGER = re.compile(
    r"url|image|expression|behavior|binding|import(?!ant)|var\(|attr\(|env\(|position|z-index|content\s*:"
    r"|filter|transform|animation|cursor|script|casilla|font-face|namespace|charset|supports"
    r"|prefers|canary|[\\<\[\]\"']|//|/\*|--|::",
    re.IGNORECASE,
)


def nodes(html: str) -> Iterator[LexborNode]:
    body = LexborHTMLParser(f"<!doctype html><body>{html}").body
    assert body is not None
    for node in body.traverse(include_text=True):
        if node.tag != "body":
            yield node


def findings(html: str) -> list[str]:
    """Return what is wrong with a sanitised body; an empty list means that nothing is."""
    sheet, fragment = _split(html)
    found = [f"style sheet: {match[0]}" for match in SHEET_DANGER.finditer(sheet)]
    for node in nodes(fragment):
        if node.tag == "-text":
            continue
        if node.tag not in TAGS:
            found.append(f"tag {node.tag}")
        found += [f"{node.tag} {problem}" for problem in _attribute_findings(node)]
    return found


def _attribute_findings(node: LexborNode) -> Iterator[str]:
    for name, value in node.attributes.items():
        value = value or ""
        if name not in ATTRIBUTES:
            yield f"attribute {name}"
        elif name == "href" and not HREF.match(value):
            yield f"href {value[:80]!r}"
        elif name == "src" and not SRC.fullmatch(value):
            yield f"src {value[:80]!r}"
        elif name == "style" and STYLE_DANGER.search(value):
            yield f"style {value[:80]!r}"
        elif name == "target" and value != "_blank":
            yield f"target {value!r}"
    if node.tag == "a" and "noopener" not in (node.attributes.get("rel") or ""):
        yield "a without noopener"


def _split(html: str) -> tuple[str, str]:
    if not html.startswith("<style>"):
        return "", html
    sheet, _, fragment = html.removeprefix("<style>").partition("</style>")
    return sheet, fragment


def shape(html: str) -> list[tuple[object, ...]]:
    """Return the tree as comparable values: elements with sorted attributes, and their text.

    White space is left out, as a leading newline in `<pre>` is lost at each parse.
    """
    result: list[tuple[object, ...]] = []
    for node in nodes(_split(html)[1]):
        if node.tag == "-text":
            text = "".join((node.text_content or "").split())
            if text:
                result.append(("text", text))
        else:
            depth, parent = 0, node.parent
            while parent is not None:
                depth, parent = depth + 1, parent.parent
            result.append((node.tag, depth, tuple(sorted(node.attributes.items()))))
    return result
