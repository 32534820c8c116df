"""What the load client knows of each mail, and the verdict once the store has been counted.

A mail with a Message-ID must be in each of its mailboxes exactly once (G3). One without may be
there once more for each try that reached the final dot and got no 250. Pure: no I/O.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Mail:
    """One message and its tries. `octets` are what lies between DATA and the dot, unstuffed.

    `paths` are what RCPT says, `recipients` the mailboxes where it must be, `away` where it must
    be sent.
    """

    marker: str
    octets: bytes
    paths: tuple[str, ...]
    recipients: tuple[str, ...]
    away: tuple[str, ...]
    has_message_id: bool
    is_acknowledged: bool = False
    unanswered: int = 0  # tries that reached the dot without a 250 after it

    @property
    def sha256(self) -> str:
        """Return the digest of the octets in hexadecimal."""
        return hashlib.sha256(self.octets).hexdigest()


@dataclass(frozen=True, slots=True)
class Copy:
    """A message found in a mailbox; `is_whole` when its octets end in those that were sent."""

    marker: str
    sha256: str
    blob: bytes


@dataclass(slots=True)
class Ledger:
    """Mails by marker, replies counted by code, and what must not happen. Safe for threads."""

    mails: dict[str, Mail] = field(default_factory=dict)
    replies: Counter[int] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    acknowledged_at: list[float] = field(default_factory=list)
    cut_off: int = 0  # connections that ended after the dot without a reply
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, mail: Mail) -> None:
        """Remember a mail before its first try."""
        with self.lock:
            self.mails[mail.marker] = mail

    def replied(self, code: int, text: bytes, *, to: str) -> None:
        """Count a reply; good mail may only be answered by 2yz, 354 and 4yz (G7)."""
        with self.lock:
            self.replies[code] += 1
            if code >= 500:
                self.violations.append(f"good mail was refused at {to}: {text!r}")

    def acknowledge(self, mail: Mail, *, at: float) -> None:
        """Note the 250 after the dot; `at` is monotonic time in seconds."""
        with self.lock:
            mail.is_acknowledged = True
            self.acknowledged_at.append(at)

    def first_acknowledged_after(self, moment: float) -> float | None:
        """Return the seconds from `moment` to the next 250 after a dot, None without one."""
        with self.lock:
            later = [at for at in self.acknowledged_at if at > moment]
        return min(later) - moment if later else None

    def open_mails(self) -> list[Mail]:
        """Return the mails without a 250."""
        with self.lock:
            return [mail for mail in self.mails.values() if not mail.is_acknowledged]


def judge(
    mails: Mapping[str, Mail], stored: Mapping[str, Iterable[Copy]]
) -> tuple[list[str], Counter[str]]:
    """Return what is wrong with the copies found by mailbox, and counts of what is there."""
    wrong: list[str] = []
    counts: Counter[str] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    for mailbox, copies in stored.items():
        for copy in copies:
            counts["copies"] += 1
            found[copy.marker, mailbox] += 1
            wrong += _check_copy(mails.get(copy.marker), copy, mailbox)
    for mail in mails.values():
        for mailbox in mail.recipients:
            number = found[mail.marker, mailbox]
            counts["wanted"] += 1
            counts["again"] += max(0, number - 1)
            wrong += _check_number(mail, number, mailbox)
    return wrong, counts


def _check_copy(mail: Mail | None, copy: Copy, mailbox: str) -> list[str]:
    if mail is None or mailbox not in mail.recipients:
        return [f"{mailbox} has a mail that nobody sent there: {copy.marker!r}"]
    if copy.blob != mail.octets or copy.sha256 != mail.sha256:
        return [f"{mailbox} has other octets than were sent: {copy.marker}"]
    return []


def _check_number(mail: Mail, number: int, mailbox: str) -> list[str]:
    most = 1 if mail.has_message_id else 1 + mail.unanswered
    if mail.is_acknowledged and number < 1:
        return [f"lost: {mail.marker} was acknowledged and is not in {mailbox}"]
    if number > most:
        return [f"stored {number} times instead of at most {most}: {mail.marker} in {mailbox}"]
    return []
