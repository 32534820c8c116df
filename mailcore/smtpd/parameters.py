"""The parameters of MAIL FROM and RCPT TO (RFC 1870, 6152, 6531, 3461).

Checks and keeps them; what we do not know is refused (RFC 5321, 4.1.1.11). What RET, ENVID, NOTIFY
and ORCPT lead to is `delivery.bounce`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mailcore.errors import MailError
from mailcore.smtp.reply import Reply

_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_CONTROL_IN_XTEXT = re.compile(r"\+(?:[01][0-9A-F]|7F)")
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9-]{1,40}")
_ENVID_OCTETS = 100
_ORCPT_OCTETS = 500
_SIZE_DIGITS = 20
MAIL_KEYWORDS = frozenset({"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID"})
_RCPT = frozenset({"NOTIFY", "ORCPT"})
_NOTIFY = frozenset({"SUCCESS", "FAILURE", "DELAY"})

UNKNOWN = Reply(555, "5.5.4", "Parameter not recognised or not implemented")
MALFORMED = Reply(501, "5.5.4", "Parameter is malformed")


class ParameterError(MailError):
    """A parameter is unknown or wrong; `reply` says which of the two."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


@dataclass(frozen=True, slots=True)
class MailParameters:
    """What came behind the reverse-path. `size` in octets, None when not declared."""

    size: int | None = None
    body_8bit: bool = False
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""


@dataclass(frozen=True, slots=True)
class RcptParameters:
    """What came behind a forward-path (RFC 3461, 4.1 and 4.2). ORCPT stays in xtext."""

    notify: tuple[str, ...] = ()
    orcpt: str = ""


_NO_MAIL_PARAMETERS = MailParameters()
_NO_RCPT_PARAMETERS = RcptParameters()


def mail_parameters(text: str, *, keywords: frozenset[str] = MAIL_KEYWORDS) -> MailParameters:
    """Read the parameters of MAIL FROM; `keywords` are those we know. Raises ParameterError."""
    if not text:
        return _NO_MAIL_PARAMETERS
    values = _split(text, keywords)
    if values.get("SMTPUTF8"):
        raise ParameterError(MALFORMED)
    return MailParameters(
        size=_size(values.get("SIZE")),
        body_8bit=_one_of(values, "BODY", ("7BIT", "8BITMIME")) == "8BITMIME",
        smtputf8="SMTPUTF8" in values,
        ret=_one_of(values, "RET", ("FULL", "HDRS")),
        envid=_xtext(values.get("ENVID"), _ENVID_OCTETS),
    )


def rcpt_parameters(text: str) -> RcptParameters:
    """Read the parameters of RCPT TO. Raises ParameterError."""
    if not text:
        return _NO_RCPT_PARAMETERS
    values = _split(text, _RCPT)
    return RcptParameters(
        notify=_notify(values.get("NOTIFY")), orcpt=_original_recipient(values.get("ORCPT"))
    )


def _split(text: str, known: frozenset[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for word in text.split():
        keyword, equals, value = word.partition("=")
        name = keyword.upper()
        if not _KEYWORD.fullmatch(keyword) or name in values or (equals and not value):
            raise ParameterError(MALFORMED)
        if name not in known:
            raise ParameterError(UNKNOWN)
        values[name] = value
    return values


def _size(value: str | None) -> int | None:
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()) or len(value) > _SIZE_DIGITS:
        raise ParameterError(MALFORMED)
    return int(value)


def _one_of(values: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    if name not in values:
        return ""
    value = values[name].upper()
    if value not in choices:
        raise ParameterError(MALFORMED)
    return value


def _xtext(value: str | None, longest: int) -> str:
    if value is None:
        return ""
    # Encoded control characters are lawful xtext, but nobody needs them and DSNs repeat them.
    wrong = not _XTEXT.fullmatch(value) or _CONTROL_IN_XTEXT.search(value)
    if not value or len(value) > longest or wrong:
        raise ParameterError(MALFORMED)
    return value


def _notify(value: str | None) -> tuple[str, ...]:
    if value is None:
        return ()
    words = tuple(value.upper().split(","))
    if words == ("NEVER",):
        return words
    if not _NOTIFY.issuperset(words) or len(set(words)) != len(words):
        raise ParameterError(MALFORMED)
    return words


def _original_recipient(value: str | None) -> str:
    if value is None:
        return ""
    address_type, _, address = value.partition(";")
    if not _ADDRESS_TYPE.fullmatch(address_type) or len(value) > _ORCPT_OCTETS:
        raise ParameterError(MALFORMED)
    return f"{address_type};{_xtext(address, _ORCPT_OCTETS)}"
