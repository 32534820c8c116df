"""Reads delivery status notifications of any maker (RFC 3464, RFC 6522, RFC 6533).

Their octets are hostile: bounded in size, recipients and fields, linear, and nothing is believed
here; who may say what about a message of ours is decided where rows are marked. Only a message
that is a report itself counts, not one that somebody attached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mailcore.dsn import typed
from mailcore.mime import fields, words
from mailcore.mime.body import decode_body
from mailcore.mime.header import HeaderTooLarge, scan_header
from mailcore.mime.limits import Limits
from mailcore.mime.structure import Part, Structure, parse_structure

CONTENT_BYTES = 1024 * 1024  # looked at; the status part comes second, before what is returned
STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
RECIPIENTS_MAX = 200
_STATUS_BYTES = 256 * 1024
_RETURNED_BYTES = 64 * 1024
_BLOCK_FIELDS = 50
_VALUE_CHARS = 1000
_LIMITS = Limits(depth=5, parts=20)
_RETURNED_TYPES = frozenset(
    {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"}
)
_ACTIONS = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})
_WORD = re.compile(r"[A-Za-z]+")
_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])")
_EMPTY_LINE = re.compile(rb"\r?\n(?:[ \t]*\r?\n)+")


@dataclass(frozen=True, slots=True)
class ParsedRecipient:
    """What a report says of one recipient; '' where it says nothing.

    `action` is one of RFC 3464, 2.3.3; `status` has the form `5.1.1`; addresses are Unicode and
    unchecked; `diagnostic` and host names are one line of text without control characters.
    `message_id` is that of the message that came back, without its brackets.
    """

    action: str
    status: str
    final_recipient: str
    original_recipient: str
    diagnostic: str
    remote_host: str
    reporting_host: str
    envelope_id: str
    message_id: str


def parse(content: bytes) -> tuple[ParsedRecipient, ...] | None:
    """Return what the message says of each recipient; None when it is no such report.

    Never raises. Looks at the first CONTENT_BYTES and at RECIPIENTS_MAX recipients.
    """
    data = content[:CONTENT_BYTES]
    structure = parse_structure(data, limits=_LIMITS)
    status = _child(structure, STATUS_TYPES)
    if status is None:
        return None
    blocks = _blocks(decode_body(data, status, max_bytes=_STATUS_BYTES).content)
    about = next(blocks, {})
    found = [_recipient(about, block) for block in blocks]
    message_id = _message_id(data, _child(structure, _RETURNED_TYPES))
    known = [entry for entry in found if entry is not None][:RECIPIENTS_MAX]
    return tuple(replace(entry, message_id=message_id) for entry in known)


def _child(structure: Structure, types: frozenset[str]) -> Part | None:
    """Return the first part of such a type directly inside a multipart/report."""
    if structure.parts[0].content_type != "multipart/report":
        return None
    parts = (structure.parts[index] for index in structure.children(0))
    return next((part for part in parts if part.content_type in types), None)


def _blocks(body: bytes) -> Iterator[dict[str, str]]:
    """Yield groups of fields, names in lower case; of a field given twice the first counts."""
    for count, block in enumerate(_EMPTY_LINE.split(body.strip(b"\r\n"))):
        if count > RECIPIENTS_MAX:
            return
        found: dict[str, str] = {}
        for number, field in enumerate(fields.iterate(block)):
            if number >= _BLOCK_FIELDS:
                break
            value = words.decode_value(field.value[: 4 * _VALUE_CHARS], max_chars=_VALUE_CHARS)
            found.setdefault(field.name.lower(), value)
        yield found


def _recipient(about: dict[str, str], block: dict[str, str]) -> ParsedRecipient | None:
    word = _WORD.match(block.get("action", ""))
    action = word[0].lower() if word else ""
    if action not in _ACTIONS:
        return None
    status = _STATUS.match(block.get("status", ""))
    return ParsedRecipient(
        action=action,
        status=status[0] if status else "",
        final_recipient=typed.read(block.get("final-recipient", "")),
        original_recipient=typed.read(block.get("original-recipient", "")),
        diagnostic=_after_type(block.get("diagnostic-code", "")),
        remote_host=_after_type(block.get("remote-mta", "")),
        reporting_host=_after_type(about.get("reporting-mta", "")),
        envelope_id=about.get("original-envelope-id", ""),
        message_id="",
    )


def _after_type(value: str) -> str:
    """Return `text` of `type; text`."""
    _, semicolon, text = value.partition(";")
    return text.strip() if semicolon else value


def _message_id(data: bytes, returned: Part | None) -> str:
    if returned is None:
        return ""
    header = decode_body(data, returned, max_bytes=_RETURNED_BYTES).content
    try:
        return scan_header(header).message_id
    except HeaderTooLarge:
        return ""
