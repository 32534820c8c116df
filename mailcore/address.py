"""Addresses and the paths of an SMTP envelope (RFC 5321, 4.1.2 and 4.1.3; RFC 6531; IDNA 2008).

Parses one addr-spec or path into an `Address`, says how our own local parts compare, and writes it
back. Stricter than header fields need: no comments, no folding (`mime.addresslist` reads those).
Looks nothing up: whether a domain is ours or a mailbox exists is `directory`'s to say.
"""

from __future__ import annotations

import enum
import ipaddress
import re
import unicodedata
from dataclasses import dataclass

import idna

from mailcore.errors import MailError

LOCAL_PART_OCTETS = 64
DOMAIN_OCTETS = 255
PATH_OCTETS = 256
_ADDRESS_OCTETS = PATH_OCTETS - len("<>")
# As it came: quoted pairs double a local part, and IDNA drops characters of a domain.
_WRITTEN_CHARS = PATH_OCTETS + LOCAL_PART_OCTETS

POSTMASTER = "postmaster"

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
_UTF8 = r"\x80-\U0010ffff"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_\-]{0,61}[A-Za-z0-9_])?"
_DOT_STRING = re.compile(rf"[{_ATEXT}{_UTF8}]+(?:\.[{_ATEXT}{_UTF8}]+)*")
_DOTS_ANYWHERE = re.compile(rf"[{_ATEXT}{_UTF8}.]+")
_QUOTED_STRING = re.compile(rf'"(?:[ !#-\[\]-~{_UTF8}]|\\[ -~])*"')
_QUOTED_PAIR = re.compile(r"\\(.)")
_TO_ESCAPE = re.compile(r'(["\\])')
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ROUTE = re.compile(r"@[^@:,<>\"\s]+(?:,@[^@:,<>\"\s]+)*:")
# A path in angle brackets: in a quoted string, ">" and "@" are ordinary characters.
_BRACKETED = re.compile(r'<((?:[^<>"\\\s]|"(?:[^"\\]|\\.)*+")*+)>')
_ORDINARY = re.compile(
    rf"([A-Za-z0-9+_\-]+(?:\.[A-Za-z0-9+_\-]+)*+)@((?:{_LABEL}\.)+{_LABEL})", re.ASCII
)


class Problem(enum.Enum):
    """What is wrong with an address; adapters choose the reply by it."""

    SYNTAX = "syntax"
    TOO_LONG = "too long"
    NEEDS_SMTPUTF8 = "needs SMTPUTF8"


class AddressError(MailError):
    """A text is not an address. `text` is what was read; `problem` says why not."""

    def __init__(self, text: str, problem: Problem) -> None:
        super().__init__(f"{problem.value}: {text[:PATH_OCTETS]!r}")
        self.text = text
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox address.

    `local_part` is unquoted and as written; `domain` an A-label name or an address literal, lower
    case. Only `<postmaster>` (RFC 5321, 4.5.1) has no domain.
    """

    local_part: str
    domain: str

    @property
    def key(self) -> str:
        """The local part as our own local parts compare: NFC, casefolded; dots count."""
        return fold_local(self.local_part)

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the address can travel only with SMTPUTF8 (RFC 6531)."""
        return not self.local_part.isascii()

    def __str__(self) -> str:
        local = quote_local(self.local_part)
        return f"{local}@{self.domain}" if self.domain else local


def parse(text: str) -> Address:
    """Return the address of an addr-spec such as `"a b"@example.com` (RFC 5321 Mailbox).

    UTF-8 local parts and U-label domains are taken (RFC 6531). Raises AddressError.
    """
    return _address(text, dot_string=_DOT_STRING)


def parse_reverse_path(path: str, *, smtputf8: bool = True) -> Address | None:
    """Return the sender of MAIL FROM, or None for the null reverse-path (RFC 5321, 4.5.5).

    `path` comes with its angle brackets or without them, as `split_path` returns it. A source
    route is ignored (RFC 5321, appendix C). Raises AddressError, also for anything but ASCII
    while `smtputf8` is false.
    """
    inner = _inner(path)
    return None if not inner else _path(inner, smtputf8=smtputf8)


def parse_forward_path(path: str, *, smtputf8: bool = True) -> Address:
    """Return the recipient of RCPT TO; `<Postmaster>` comes without a domain (RFC 5321, 4.1.1.3).

    As `parse_reverse_path`; the null path is an error here. Raises AddressError.
    """
    inner = _inner(path)
    if inner.isascii() and inner.lower() == POSTMASTER:
        return Address(inner, "")
    return _path(inner, smtputf8=smtputf8)


def split_path(text: str) -> tuple[str, str]:
    """Return the path at the start of `text` without its angle brackets, and what follows it.

    `'<"a>b"@x.example> SIZE=3'` gives `'"a>b"@x.example'` and `'SIZE=3'`. A source route, which
    may be longer than any address, is left out (RFC 5321, appendix C). Raises AddressError when
    `text` does not begin with a bracketed path (RFC 5321, 4.1.2).
    """
    match = _BRACKETED.match(text)
    rest = text[match.end() :] if match else ""
    if match is None or (rest and not rest.startswith(" ")):
        raise AddressError(text, Problem.SYNTAX)
    route = _ROUTE.match(match[1])
    return match[1][route.end() :] if route else match[1], rest.strip(" ")


def normalise_local(text: str) -> str:
    """Return the comparable form of a local part as it is written in an addr-spec.

    `"Bob"`, quoted or not, gives `bob`: unquoted, NFC, casefolded. Checks nothing.
    """
    return fold_local(_unquoted(text) or text)


def fold_local(local_part: str) -> str:
    """Return the comparable form of an unquoted local part: NFC and casefolded."""
    if local_part.isascii():
        return local_part.lower()
    folded = unicodedata.normalize("NFD", local_part).casefold()
    return unicodedata.normalize("NFC", folded)


def normalise_domain(text: str) -> str:
    """Return a domain as A-labels in lower case, or an address literal in its shortest form.

    IDNA 2008 with the mapping of UTS 46 (non-transitional). Underscores are let pass: hosts with
    them do send mail. Raises AddressError.
    """
    if text.startswith("["):
        return _literal(text)
    name = text if text.isascii() else _to_ascii(text)
    if len(name) > DOMAIN_OCTETS:
        raise AddressError(text, Problem.TOO_LONG)
    if not _DOMAIN.fullmatch(name):
        raise AddressError(text, Problem.SYNTAX)
    return name.lower()


def comparable(text: str) -> str:
    """Return an addr-spec in the form in which two of them compare as ours do; '' for none."""
    try:
        address = parse(text.strip())
    except AddressError:
        return ""
    return f"{address.key}@{address.domain}" if address.domain else ""


def split_detail(local_part: str, separator: str) -> tuple[str, str]:
    """Return user and detail of a local part (RFC 5233); the detail is '' when there is none.

    Only the first separator counts, and not at the start. An empty separator turns details off.
    """
    user, found, detail = local_part.partition(separator) if separator else (local_part, "", "")
    return (user, detail) if user and found else (local_part, "")


def quote_local(local_part: str) -> str:
    """Return a local part as an addr-spec has it: quoted where it must be (RFC 5321, 4.1.2)."""
    if _DOT_STRING.fullmatch(local_part):
        return local_part
    return '"' + _TO_ESCAPE.sub(r"\\\1", local_part) + '"'


def _inner(path: str) -> str:
    return path[1:-1] if path.startswith("<") and path.endswith(">") else path


def _path(inner: str, *, smtputf8: bool) -> Address:
    if not smtputf8 and not inner.isascii():
        raise AddressError(inner, Problem.NEEDS_SMTPUTF8)
    route = _ROUTE.match(inner)
    # Empty and doubled dots break the grammar, but hosts with such mailboxes exist and send.
    return _address(inner[route.end() :] if route else inner, dot_string=_DOTS_ANYWHERE)


def _address(text: str, *, dot_string: re.Pattern[str]) -> Address:
    ordinary = _ORDINARY.fullmatch(text)
    if ordinary is not None and len(text) <= LOCAL_PART_OCTETS:
        return Address(ordinary[1], ordinary[2].lower())
    local, at, domain = text.rpartition("@")
    if not at or _has_control(text):
        raise AddressError(text, Problem.SYNTAX)
    unquoted = local if dot_string.fullmatch(local) else _unquoted(local)
    if not unquoted:
        raise AddressError(text, Problem.SYNTAX)
    address = Address(unicodedata.normalize("NFC", unquoted), normalise_domain(domain))
    _check_lengths(address, text)
    return address


def _check_lengths(address: Address, text: str) -> None:
    written = quote_local(address.local_part)
    octets = len(written.encode())
    too_long = octets > LOCAL_PART_OCTETS or octets + 1 + len(address.domain) > _ADDRESS_OCTETS
    if too_long or len(text) > _WRITTEN_CHARS:
        raise AddressError(text, Problem.TOO_LONG)


def _has_control(text: str) -> bool:
    return any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in text)


def _unquoted(local: str) -> str:
    """Return what a quoted-string holds, '' when `local` is none."""
    return _QUOTED_PAIR.sub(r"\1", local[1:-1]) if _QUOTED_STRING.fullmatch(local) else ""


def _to_ascii(text: str) -> str:
    if len(text) > DOMAIN_OCTETS:
        raise AddressError(text, Problem.TOO_LONG)
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except UnicodeError as error:
        raise AddressError(text, Problem.SYNTAX) from error


def _literal(text: str) -> str:
    inner = text[1:-1] if text.endswith("]") else ""
    try:
        if inner[:5].lower() == "ipv6:":
            return f"[IPv6:{ipaddress.IPv6Address(inner[5:])}]".lower()
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ValueError as error:
        raise AddressError(text, Problem.SYNTAX) from error
