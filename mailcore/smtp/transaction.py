"""What one message asks of a peer, and the command lines for it (RFC 5321, 3.3).

Parameters only as the peer offers them: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531),
RET, ENVID, NOTIFY and ORCPT (RFC 3461). What cannot be sent to this peer fails here, before a
command is said. Talks to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from mailcore import address
from mailcore.errors import MailError
from mailcore.smtp import wireform
from mailcore.smtp.envelope import ForwardPath
from mailcore.smtp.extensions import Extensions
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Failed, Result

Transcode = Callable[[bytes], bytes]  # 8-bit content to 7-bit; MailError when it cannot be kept

NOT_7BIT = Reply(554, "5.6.3", "The host takes no 8-bit mail and the message cannot be converted")
NO_SMTPUTF8 = Reply(550, "5.6.7", "The host does not support internationalised addresses")
TOO_LARGE = Reply(552, "5.3.4", "The message is larger than the host takes")
BAD_RECIPIENT = Reply(553, "5.1.3", "That is not an address that can be sent to")
BAD_SENDER = Reply(553, "5.1.7", "The sender's address cannot be sent")

_KNOWN_PATHS = 1024  # the same few write to the same few
_PARAMETER = re.compile(r"[!-~]{1,500}")  # xtext and the like: no blank, no control
_HEADER_END = re.compile(rb"\r?\n\r?\n|\r\r")


@dataclass(frozen=True, slots=True)
class Transaction:
    """A message for some recipients of one host. `content` may have any line ends.

    `ret`, `envid` and ORCPT stand as they came in MAIL and RCPT (xtext). `body_8bit` is what the
    sender declared, None when unknown.
    """

    reverse_path: str
    forward_paths: tuple[ForwardPath, ...]
    content: bytes
    smtputf8: bool
    body_8bit: bool | None
    ret: str = ""
    envid: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The lines of a transaction. `rcpt` holds the index of each recipient and its command."""

    mail: bytes
    rcpt: list[tuple[int, bytes]]
    content: bytes  # with stuffed dots, without the final one
    failed: dict[int, Result]  # recipients that cannot be named to this peer


class Unsendable(MailError):  # noqa: N818 - said of a message
    """The peer cannot take this message; `reply` (5yz) holds for every recipient."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


def plan(transaction: Transaction, peer: Extensions, transcode: Transcode | None) -> Plan:
    """Return the lines that bring `transaction` to `peer`. Raises Unsendable.

    Time is linear in the content; `transcode` is called only when 8-bit content meets a peer
    without 8BITMIME.
    """
    reverse_path = _sender(transaction, peer)
    content, is_8bit = _content(transaction, peer, transcode)
    if 0 < peer.size_limit < len(content):
        raise Unsendable(TOO_LARGE)
    failed: dict[int, Result] = {}
    rcpt: list[tuple[int, bytes]] = []
    needs_utf8 = transaction.smtputf8 or not reverse_path.isascii()
    for index, path in enumerate(transaction.forward_paths):
        try:
            line, is_ascii = _rcpt(path, peer)
        except Unsendable as error:
            failed[index] = Failed(error.reply)
            continue
        needs_utf8 |= not is_ascii
        rcpt.append((index, line))
    parameters = _mail_parameters(transaction, peer, len(content))
    if is_8bit and peer.eight_bit:
        parameters.append("BODY=8BITMIME")
    if needs_utf8 and peer.smtputf8:
        parameters.append("SMTPUTF8")
    mail = " ".join([f"MAIL FROM:<{reverse_path}>", *parameters]).encode() + b"\r\n"
    return Plan(mail=mail, rcpt=rcpt, content=wireform.stuff(content), failed=failed)


def _content(
    transaction: Transaction, peer: Extensions, transcode: Transcode | None
) -> tuple[bytes, bool]:
    """Return normalised content and whether it goes as 8-bit."""
    content = transaction.content
    is_8bit = not content.isascii()
    if transaction.smtputf8 and is_8bit and not peer.smtputf8:
        end = _HEADER_END.search(content)
        if not content[: end.start() if end else len(content)].isascii():
            raise Unsendable(NO_SMTPUTF8)
    if is_8bit and not peer.eight_bit:
        if transcode is None:
            raise Unsendable(NOT_7BIT)
        try:
            content = transcode(content)
        except MailError as error:
            raise Unsendable(NOT_7BIT) from error
        is_8bit = False
    return wireform.normalise(content), is_8bit or transaction.body_8bit is True


def _mail_parameters(transaction: Transaction, peer: Extensions, size: int) -> list[str]:
    parameters = [f"SIZE={size}"] if peer.size else []
    if peer.dsn and transaction.ret in ("FULL", "HDRS"):
        parameters.append(f"RET={transaction.ret}")
    if peer.dsn and _PARAMETER.fullmatch(transaction.envid):
        parameters.append(f"ENVID={transaction.envid}")
    return parameters


def _sender(transaction: Transaction, peer: Extensions) -> str:
    if not transaction.reverse_path:
        return ""
    try:
        written = _written_sender(transaction.reverse_path)
    except address.AddressError as error:
        raise Unsendable(BAD_SENDER) from error
    if not written.isascii() and not peer.smtputf8:
        raise Unsendable(NO_SMTPUTF8)
    return written


def _rcpt(path: ForwardPath, peer: Extensions) -> tuple[bytes, bool]:
    """Return the command of a recipient and whether its address is ASCII."""
    try:
        written = _written_recipient(path.address)
    except address.AddressError as error:
        raise Unsendable(BAD_RECIPIENT) from error
    is_ascii = written.isascii()
    if not is_ascii and not peer.smtputf8:
        raise Unsendable(NO_SMTPUTF8)
    line = f"RCPT TO:<{written}>"
    if peer.dsn and path.notify:
        line += f" NOTIFY={','.join(path.notify)}"
    if peer.dsn and _PARAMETER.fullmatch(path.orcpt):
        line += f" ORCPT={path.orcpt}"
    return line.encode() + b"\r\n", is_ascii


@lru_cache(maxsize=_KNOWN_PATHS)
def _written_sender(text: str) -> str:
    return _written(text, address.parse_reverse_path(text))


@lru_cache(maxsize=_KNOWN_PATHS)
def _written_recipient(text: str) -> str:
    return _written(text, address.parse_forward_path(text))


def _written(text: str, parsed: address.Address | None) -> str:
    """Return a path as the peer gets it: as it was given, unless that would not fit in brackets."""
    return text if text.isascii() and not text.startswith(("<", "@")) else str(parsed or "")
