"""The one frozen configuration of nh3, in the two strictnesses that `sanitize` uses.

`normalise` brings any markup into the serialised form that `markup` reads. `clean_own` is always
the last step: it allows what `normalise` allows and fewer attribute values. SVG and MathML are
never allowed, which keeps every published escape of the library's parser away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import nh3

from mailcore.html import attributes, limits, links
from mailcore.html.colour import Colour

SANITISER_VERSION = 1
Notice = Literal["", "too_complex", "simplified", "truncated"]

TAGS = frozenset(
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col "
    "colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 "
    "header hr i img ins kbd li main mark nav nobr ol p pre q rp rt ruby s samp section small span "
    "strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr".split()
)
_SET = {
    "a": {"target": attributes.FIXED["target"]},
    "img": {name: attributes.FIXED[name] for name in ("referrerpolicy", "decoding")},
}


@dataclass(frozen=True, slots=True)
class Sanitized:
    """A body fit for the frame: its own `<style>` first, then the fragment.

    `blocked_count` counts remote images left out. `colour` says which colours it sets itself.
    `notice`: 'too_complex' (only its text is shown), 'simplified' (some style was dropped),
    'truncated' (text cut at its limit) or ''.
    """

    html: str
    blocked_count: int = 0
    colour: Colour = "none"
    notice: Notice = ""


def normalise(html: str) -> str:
    """Return `html` in serialised form: allowed tags and attribute names, values unchecked."""
    return _NORMALISE.clean(html)


def clean_own(html: str) -> str:
    """Return `html` as it may be shown; only here may it use class names of our own."""
    return _FINAL.clean(html)


def _normalise_attribute(element: str, name: str, value: str) -> str | None:
    """Before our own rewriting: nobody but us may use our class names."""
    return attributes.clean_class(value) if name == "class" else value


def _new_cleaner(*, final: bool) -> nh3.Cleaner:
    allowed = {tag: set(names) for tag, names in attributes.ALLOWED.items()}
    if not final:
        allowed["blockquote"] = {"type"}  # tells a quote; `quotes` reads it
    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags={*limits.OPAQUE, "embed", "frame", "param", "option", "source", "track"},
        attributes=allowed,
        attribute_filter=attributes.clean if final else _normalise_attribute,
        strip_comments=True,
        link_rel=attributes.FIXED["rel"],
        set_tag_attribute_values=_SET,
        url_schemes={*links.SCHEMES, "cid", "data"},
        url_relative="pass_through" if not final else "deny",
    )


_NORMALISE = _new_cleaner(final=False)
_FINAL = _new_cleaner(final=True)
