"""Judge the links of a message: may it be followed, and does its text tell the truth.

WHATWG URL for what a browser makes of an address, RFC 3492 and UTS 39 for names that imitate
other names. Opens nothing and resolves nothing.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

Suspicion = Literal["", "differs", "lookalike"]

SCHEMES = ("http", "https", "mailto", "tel", "sms", "xmpp")
MAX_HREF = 4096

# C0, DEL, C1, soft hyphen, zero width, bidi controls, BOM, tags: shown as nothing, or misleading.
INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_HOST_TEXT = re.compile(
    r"(?:(?P<scheme>https?)(?::|%3a)//)?(?P<rest>(?:[^\s/@]{1,64}@)?"
    r"[^\s/@:?#]{1,63}(?:\.[^\s/@:?#.]{1,63}){1,8})(?::\d+)?(?:[/?#]\S*)?",
    re.IGNORECASE,
)
_TOP_LEVEL = re.compile(r"(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59}|\d{1,3})\.?")
_MAIL_FIELDS = ("to", "cc", "subject", "body")


def clean_href(value: str) -> str | None:
    """Return `value` as a link that may be shown, or None when it may not.

    Invisible characters go first, as a browser ignores many of them inside a scheme. Web links
    lose user information, `mailto:` (RFC 6068) keeps to, cc, subject and body only.
    """
    href = INVISIBLE.sub("", value).strip()
    match = _SCHEME.match(href)
    if not match or len(href) > MAX_HREF:
        return None
    scheme = match[1].lower()
    if scheme not in SCHEMES:
        return None
    if scheme == "mailto":
        return _clean_mailto(href[match.end() :])
    if scheme in ("http", "https"):
        return _clean_web(scheme, href[match.end() :])
    return f"{scheme}:{href[match.end() :]}"


def suspicion(*, text: str, href: str) -> Suspicion:
    """Say what is wrong with a link: its text names another host, or its host imitates one."""
    host = host_of(href)
    if not host:
        return ""
    named = host_in_text(text)
    if named and not _same_site(named, host):
        return "differs"
    return "lookalike" if is_lookalike(host) else ""


def host_of(href: str) -> str:
    """Return the lower-case host of a web link in Unicode, or '' when it has none."""
    if not href.lower().startswith(("http://", "https://")):
        return ""
    try:
        host = urlsplit(href.replace("\\", "/")).hostname or ""
    except ValueError:
        return ""
    return _unicode_host(host)


def host_in_text(text: str) -> str:
    """Return the host that `text` claims to lead to, or '' when it is just words."""
    text = INVISIBLE.sub("", text).strip(" \t\r\n\"'()[]<>.,;")
    if len(text) > MAX_HREF:
        return ""
    match = _HOST_TEXT.fullmatch(text)
    if not match or ("@" in match["rest"] and not match["scheme"]):
        return ""
    host = match["rest"].rpartition("@")[2]
    if not _TOP_LEVEL.fullmatch(host.rpartition(".")[2]):
        return ""
    return _unicode_host(host)


def is_lookalike(host: str) -> bool:
    """Say whether a label of `host` mixes scripts as no language does, or imitates Latin whole."""
    return any(_label_is_lookalike(label) for label in _unicode_host(host).split("."))


def _label_is_lookalike(label: str) -> bool:
    scripts = {_script(char) for char in label if char.isalpha()}
    if "LATIN" in scripts:
        return bool(scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH"})
    if "GREEK" in scripts and "CYRILLIC" in scripts:
        return True
    return scripts == {"CYRILLIC"} and all(c in _CYRILLIC_AS_LATIN for c in label if c.isalpha())


# UTS 39 confusables: the lower-case Cyrillic letters that look Latin.
_CYRILLIC_AS_LATIN = frozenset("аеорсухіјѕһԁԛԝҽьӏвкмнт")


def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0]


def _unicode_host(host: str) -> str:
    labels = host.lower().rstrip(".").split(".")
    return ".".join(map(_unicode_label, labels))


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, OverflowError):
        return label


def _same_site(one: str, other: str) -> bool:
    one, other = one.removeprefix("www."), other.removeprefix("www.")
    return one == other or one.endswith("." + other) or other.endswith("." + one)


def _clean_web(scheme: str, rest: str) -> str | None:
    authority, slash, path = rest.replace("\\", "/").lstrip("/").partition("/")
    mark = re.search(r"[?#]", authority)
    tail = ""
    if mark:
        authority, tail = authority[: mark.start()], authority[mark.start() :]
    host = authority.rpartition("@")[2]
    if not host or not rest.startswith(("/", "\\")):
        return None
    return f"{scheme}://{host}{tail}{slash}{path}"


def _clean_mailto(rest: str) -> str:
    to, _, query = rest.partition("?")
    fields = parse_qsl(query.replace("+", "%2B"), max_num_fields=None)
    kept = [(key.lower(), value) for key, value in fields if key.lower() in _MAIL_FIELDS]
    return f"mailto:{to}" + ("?" + urlencode(kept, quote_via=quote) if kept else "")
