"""Parameters of Content-Type and Content-Disposition (RFC 2045 5.1, RFC 2231, RFC 2183).

One pass, at most 100 parameters, continuation numbers of at most three digits. Tolerant: values
with blanks but no quotes, missing quotes and encoded words (which RFC 2047 forbids there, and
everybody sends) are understood. Of a parameter given twice the first counts.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from mailcore.mime import charset, words

MAX_PARAMETERS = 100
VALUE_CHARS = 1000
_NAME_CHARS = 80

_MAIN = re.compile(r"[^;]*+")
_PARAMETER = re.compile(
    r'[;\s]*+([^\s;="]++)\s*+=\s*+(?:"((?:[^"\\]++|\\.)*+)"?+[^;]*+|([^;]*+))|[;\s]*+[^;]++|[;\s]++',
    re.DOTALL,
)
_QUOTED_PAIR = re.compile(r"\\([\"\\])")
_COMMENT = re.compile(r"\((?:[^()\\]++|\\.)*+\)")
_SECTION = re.compile(r"([^*]++)(?:\*(\d{1,3}))?+(\*)?+")


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Return (main value, parameters) of a field value; never raises.

    The main value is lower case and without comments; parameter names are lower case, values
    decoded (RFC 2231, 3 and 4), free of control characters, at most 1000 characters.
    """
    main = _MAIN.match(value)
    assert main is not None  # it may match nothing at all
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for count, match in enumerate(_PARAMETER.finditer(value, main.end())):
        if count >= MAX_PARAMETERS:
            break
        if match[1]:
            _file(match[1].lower(), _value(match[2], match[3]), plain, sections)
    result = {name: words.decode_text(text, max_chars=VALUE_CHARS) for name, text in plain.items()}
    result.update((name, _assemble(found)) for name, found in sections.items())
    return _COMMENT.sub(" ", main[0]).strip().lower(), result


def _value(quoted: str | None, bare: str | None) -> str:
    if quoted is not None:
        # Only \" and \\ are pairs: senders put Windows paths between quotes as they are.
        return _QUOTED_PAIR.sub(r"\1", quoted)
    text = (bare or "").strip()
    return _COMMENT.sub("", text).strip() if "(" in text and text.endswith(")") else text


def _file(
    name: str,
    text: str,
    plain: dict[str, str],
    sections: dict[str, dict[int, tuple[str, bool]]],
) -> None:
    """Put one parameter where it belongs: `name`, `name*`, `name*1` or `name*1*`."""
    if "*" not in name:
        plain.setdefault(name[:_NAME_CHARS], text)
        return
    match = _SECTION.fullmatch(name)
    if match is not None:
        found = sections.setdefault(match[1][:_NAME_CHARS], {})
        found.setdefault(int(match[2] or 0), (text, bool(match[3])))


def _assemble(found: dict[int, tuple[str, bool]]) -> str:
    """Join the sections from 0 on, up to the first gap (RFC 2231, 3)."""
    octets = bytearray()
    label = ""
    for number in range(len(found)):
        if number not in found:
            break
        text, is_extended = found[number]
        if number == 0 and is_extended and text.count("'") >= 2:
            label, _, text = text.split("'", 2)
        raw = text.encode("utf-8", "replace")
        octets += unquote_to_bytes(raw) if is_extended else raw
        if len(octets) > VALUE_CHARS * 4:
            break
    return words.clean(charset.decode(bytes(octets), label))[:VALUE_CHARS]
