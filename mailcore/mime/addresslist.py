"""Address lists of From, To, Cc and the like (RFC 5322, sections 3.4 and 4.4).

Linear, with obsolete syntax and groups. It never guesses an address: an entry that breaks the
grammar yields its text as the name and no address, because "the first thing with an @" is how
CVE-2023-27043 got authentication checks to look at the wrong one. Encoded words are decoded in
names only. It does not normalise or check addresses for delivery (`mailcore.address`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from mailcore.mime import words

MAX_MAILBOXES = 1000
_ADDRESS_CHARS = 320
_NAME_CHARS = 255

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\x80-\U0010ffff"
_ATOM = re.compile(rf"[{_ATEXT}]++")
_DOT_ATOM = re.compile(rf"[{_ATEXT}]++(?:\.[{_ATEXT}]++)*+")
_LITERAL = re.compile(r"\[[^\[\]]*+\]")
_SPECIALS = r'\s()<>\[\]:;@\\,."'
_TOKEN = re.compile(
    r"(?P<space>\s++)"
    r'|(?P<quoted>"(?:[^"\\]++|\\.)*+")'
    r"|(?P<encoded>=\?[^?\s]{1,80}\?[bBqQ]\?[^?\s<>\"]*+\?=)"
    r"|(?P<literal>\[[^\[\]\\\s]*+\])"
    r"|(?P<special>[<>@,;:.])"
    rf"|(?P<atom>[^{_SPECIALS}]++)"
    r"|(?P<bad>.)",
    re.DOTALL,
)
_COMMENT_STEP = re.compile(r"[^()\\]++|\\.|[()\\]", re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)

# Nearly all fields: `name <address>` or `address`, without anything that needs the grammar.
_PLAIN_ATOM = r"[A-Za-z0-9!#$%&'*+/^_`{|}~\-]++"
_PLAIN_ADDRESS = rf"{_PLAIN_ATOM}(?:\.{_PLAIN_ATOM})*+@[A-Za-z0-9\-]++(?:\.[A-Za-z0-9\-]++)*+"
_PLAIN = re.compile(
    r"[ \t\r\n]*+(?:"
    r'(?:"([^"\\]*+)"|([^"\\()<>@,;:\[\].]*+))[ \t\r\n]*+<(' + _PLAIN_ADDRESS + r")>"
    r"|(" + _PLAIN_ADDRESS + r"))[ \t\r\n]*+(?:,|\Z)"
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One entry of an address list. `address` is '' if there is none that is beyond doubt."""

    name: str
    address: str
    group: str = ""


def parse_address_list(value: str, *, max_count: int = MAX_MAILBOXES) -> tuple[Mailbox, ...]:
    """Return the mailboxes of a field value, at most `max_count`; never raises.

    `value` is text as `words` would get it: octets already read as UTF-8, encoded words not yet
    decoded. Names are decoded, cleaned for display and cut to 255 characters.
    """
    plain = _parse_plain(value, max_count)
    if plain is None:
        return tuple(_Parser(value, max_count).mailboxes())
    return tuple([Mailbox(words.decode_text(n)[:_NAME_CHARS], a) for n, a in plain])


def list_addresses(value: str, *, max_count: int = MAX_MAILBOXES) -> list[str]:
    """Return only the addresses of a field value: what `parse_address_list` finds, for less."""
    plain = _parse_plain(value, max_count)
    if plain is not None:
        return [address for _, address in plain]
    return [box.address for box in _Parser(value, max_count).mailboxes() if box.address]


def _parse_plain(value: str, max_count: int) -> list[tuple[str, str]] | None:
    """Return (raw name, address) pairs if every entry is of the plain kind, else None."""
    found: list[tuple[str, str]] = []
    position, end = 0, len(value)
    while position < end and len(found) < max_count:
        match = _PLAIN.match(value, position)
        if match is None:
            return None
        quoted, bare, angle, alone = match.groups()
        address = angle or alone
        if len(address) > _ADDRESS_CHARS:
            return None
        found.append((quoted or bare or "", address))
        position = match.end()
    return found


class _Token(NamedTuple):
    kind: str
    text: str


@dataclass(slots=True)
class _Entry:
    """What stands between two commas."""

    start: int
    outside: list[_Token] = field(default_factory=list)
    inside: list[_Token] | None = None  # between the angle brackets
    comments: list[str] = field(default_factory=list)
    in_angle: bool = False
    broken: bool = False

    def add(self, token: _Token) -> None:
        """Take one token that is not a separator of the list."""
        if token.text == "<" and token.kind == "special":
            self.broken |= self.inside is not None
            self.inside, self.in_angle = self.inside or [], True
        elif token.text == ">" and token.kind == "special":
            self.broken |= not self.in_angle
            self.in_angle = False
        elif self.in_angle and self.inside is not None:
            self.inside.append(token)
        elif self.inside is not None:
            self.broken |= token.kind != "space"  # text after the address
        else:
            self.outside.append(token)
        self.broken |= token.kind == "bad"


class _Parser:
    def __init__(self, value: str, max_count: int) -> None:
        self._value = value
        self._max_count = max_count
        self._group = ""
        self._in_group = False

    def mailboxes(self) -> Iterator[Mailbox]:
        """Yield the mailboxes in order; empty entries (4.4, obs-addr-list) are skipped."""
        count = 0
        for entry, end in self._entries():
            mailbox = self._mailbox(entry, end)
            if mailbox is None:
                continue
            yield mailbox
            count += 1
            if count >= self._max_count:
                return

    def _entries(self) -> Iterator[tuple[_Entry, int]]:
        value, position = self._value, 0
        entry = _Entry(start=0)
        while position < len(value):
            start = position
            if value[position] == "(":
                comment, position = self._comment(position)
                entry.broken |= comment is None
                entry.comments.append(comment or "")
                entry.outside.append(_Token("space", " "))
                continue
            match = _TOKEN.match(value, position)
            assert match is not None  # its last branch takes any character
            position = match.end()
            token = _Token(match.lastgroup or "bad", match[0])
            if token.text == '"':  # unclosed: no telling where anything after it belongs
                entry.broken = True
                break
            if token.kind != "special" or entry.in_angle or token.text not in ",;:":
                entry.add(token)
                continue
            if token.text == ":" and self._opens_group(entry):
                entry = _Entry(start=position)
                continue
            is_stray = token.text == ":" or (token.text == ";" and not self._in_group)
            entry.broken |= is_stray
            if not is_stray:
                yield entry, start
                entry = _Entry(start=position)
            self._in_group &= token.text != ";"
        entry.broken |= entry.in_angle
        yield entry, len(value)

    def _opens_group(self, entry: _Entry) -> bool:
        """Start a group if `entry` is a phrase and no group is open (3.4)."""
        if self._in_group or entry.broken or entry.inside is not None:
            return False
        if any(token.text == "@" for token in entry.outside):
            return False
        self._in_group = True
        self._group = _phrase(entry.outside)
        return True

    def _comment(self, position: int) -> tuple[str | None, int]:
        """Return the text of the comment at `position`, None if unclosed, and its end."""
        depth, start = 0, position + 1
        for match in _COMMENT_STEP.finditer(self._value, position):
            depth += (match[0] == "(") - (match[0] == ")")
            if depth == 0:
                text = _QUOTED_PAIR.sub(r"\1", self._value[start : match.start()])
                return text, match.end()
        return None, len(self._value)

    def _mailbox(self, entry: _Entry, end: int) -> Mailbox | None:
        group = self._group if self._in_group else ""
        if not entry.broken and entry.inside is None and _is_blank(entry.outside):
            return None
        name, address = "", ""
        if not entry.broken and entry.inside is not None:
            address = _addr_spec(_without_route(entry.inside))
            name = _phrase(entry.outside) or _comment_name(entry)
            if "@" in name and not _names_only(entry.outside, address):
                address = ""
        elif not entry.broken:
            address = _addr_spec(entry.outside)
            name = _comment_name(entry)
        if not address and not (name and entry.inside == []):
            name = words.decode_text(self._value[entry.start : end])
        return Mailbox(name[:_NAME_CHARS], address, group)


def _is_blank(tokens: list[_Token]) -> bool:
    return all(token.kind == "space" for token in tokens)


def _comment_name(entry: _Entry) -> str:
    """Return the old style of display name: `address (name)`."""
    return words.decode_text(" ".join(entry.comments))


def _names_only(tokens: list[_Token], address: str) -> bool:
    """Say whether a bare @ before the brackets repeats the address and claims no other."""
    text = "".join(token.text for token in tokens if token.kind not in ("quoted", "encoded"))
    return "@" not in text or text.strip().casefold() == address.casefold()


def _phrase(tokens: list[_Token]) -> str:
    """Return the display name: quotes removed, encoded words decoded, cleaned."""
    pieces = (
        _QUOTED_PAIR.sub(r"\1", token.text[1:-1]) if token.kind == "quoted" else token.text
        for token in tokens
    )
    return words.decode_text("".join(pieces))


def _without_route(tokens: list[_Token]) -> list[_Token]:
    """Drop an obsolete source route, `@a,@b:` (RFC 5322, 4.4)."""
    first = next((token.text for token in tokens if token.kind != "space"), "")
    if first not in ("@", ","):
        return tokens
    for index, token in enumerate(tokens):
        if token.kind == "special" and token.text == ":":
            return tokens[index + 1 :]
    return []


def _addr_spec(tokens: list[_Token]) -> str:
    """Return `local@domain` if the tokens are exactly one addr-spec, else ''."""
    local: list[str] = []
    domain: list[str] = []
    side, wants_word = local, True
    for kind, text in tokens:
        if kind == "space":
            continue
        if kind == "special":
            if text not in ".@" or (text == "@" and side is domain):
                return ""
            if text == "@":
                side = domain
            else:
                side.append(".")
            wants_word = True
        elif not wants_word or (kind == "quoted" and side is domain):
            return ""
        elif kind == "quoted":
            local.append(_QUOTED_PAIR.sub(r"\1", text[1:-1]))
            wants_word = False
        elif kind == "literal" and side is domain and not domain:
            domain.append(text)
            wants_word = False
        elif kind == "atom" and _ATOM.fullmatch(text):
            side.append(text)
            wants_word = False
        else:
            return ""
    return _joined("".join(local), "".join(domain))


def _joined(local: str, domain: str) -> str:
    """Return the address with its local part quoted where it must be, '' if it is none."""
    if not local or not (_DOT_ATOM.fullmatch(domain) or _LITERAL.fullmatch(domain)):
        return ""
    if not (local.isprintable() and domain.isprintable()):
        return ""
    if not _DOT_ATOM.fullmatch(local):
        escaped = local.replace("\\", "\\\\").replace('"', '\\"')
        local = f'"{escaped}"'
    address = f"{local}@{domain}"
    return address if len(address) <= _ADDRESS_CHARS else ""
