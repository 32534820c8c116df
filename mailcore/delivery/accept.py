"""May this sender and this recipient pass? Asked at MAIL and RCPT of port 25 (RFC 5321, 3.3).

Refuses with the reply of `refusals`; returning means yes. Counting of clients and sessions is
`smtpd`'s; what a recipient resolves to is asked again at delivery, in case it changed.
"""

from __future__ import annotations

from mailcore import conf
from mailcore.address import Address, AddressError, Problem, parse_forward_path, parse_reverse_path
from mailcore.delivery import capacity, refusals
from mailcore.directory import resolve
from mailcore.directory.resolve import (
    Disabled,
    Looping,
    MailboxTarget,
    Relay,
    Resolved,
    Unknown,
)
from mailcore.errors import Refused
from mailcore.smtp.reply import Reply

# From 110 % of the quota, or for a message larger than all of it, trying again is no use.
_HARD_QUOTA = 1.1


def check_sender(*, reverse_path: str, declared_size: int | None, smtputf8: bool) -> None:
    """Raise Refused when mail from `reverse_path` ('' is the null path) cannot be taken now."""
    if declared_size is not None and declared_size > conf.message_size_limit():
        raise Refused(refusals.TOO_LARGE)
    if not capacity.has_room():
        raise Refused(refusals.NO_ROOM)
    try:
        parse_reverse_path(reverse_path, smtputf8=smtputf8)
    except AddressError as error:
        raise Refused(refusal(error)) from error


def check_recipient(*, forward_path: str, declared_size: int | None, smtputf8: bool) -> None:
    """Raise Refused unless `forward_path` leads to a mailbox or a forward of ours."""
    found = resolve.resolve_cached(forward_path=parse_recipient(forward_path, smtputf8=smtputf8))
    judge(found, declared_size=declared_size)


def check_known_recipient(*, forward_path: str, declared_size: int | None, smtputf8: bool) -> bool:
    """Do as `check_recipient` without I/O; return False when only the database can tell."""
    found = resolve.cached(forward_path=parse_recipient(forward_path, smtputf8=smtputf8))
    if found is None:
        return False
    judge(found, declared_size=declared_size)
    return True


def parse_recipient(forward_path: str, *, smtputf8: bool) -> Address:
    """Return the address of a forward-path. Raises Refused."""
    try:
        return parse_forward_path(forward_path, smtputf8=smtputf8)
    except AddressError as error:
        raise Refused(refusal(error)) from error


def refusal(error: AddressError) -> Reply:
    """Return the reply to a path that is no address we can take."""
    needs_utf8 = error.problem is Problem.NEEDS_SMTPUTF8
    return refusals.NEEDS_SMTPUTF8 if needs_utf8 else refusals.BAD_ADDRESS


def judge(found: resolve.Destinations, *, declared_size: int | None) -> None:
    """Raise Refused unless `found` leads somewhere and has room for the message."""
    match found:
        case Relay():
            raise Refused(refusals.RELAY)
        case Unknown():
            raise Refused(refusals.UNKNOWN_USER)
        case Looping():
            raise Refused(refusals.ALIAS_LOOP)
        case Disabled(what="domain"):
            raise Refused(refusals.DOMAIN_DISABLED)
        case Disabled():
            raise Refused(refusals.MAILBOX_DISABLED)
        case Resolved():
            for target in found.mailboxes:
                _check_quota(target, declared_size=declared_size or 0)


def _check_quota(target: MailboxTarget, *, declared_size: int) -> None:
    quota = target.quota_bytes
    if quota is None:
        return
    after = target.used_bytes + declared_size
    if declared_size > quota or after > quota * _HARD_QUOTA:
        raise Refused(refusals.OVER_QUOTA)
    if after >= quota:
        raise Refused(refusals.MAILBOX_FULL)
