"""Roots of the exception trees.

Each package derives one tree from MailError and puts data, not formatted replies, on it. Adapters
translate in one table. Expected outcomes are values and do not appear here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailcore.smtp.reply import Reply


class MailError(Exception):
    """Any error that Casilla's own code raises on purpose."""


class Refused(MailError):  # noqa: N818 - the word of RFC 5321, 4.2
    """Policy says no; `reply` is what an SMTP client is told (RFC 5321, 4.2)."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply
