"""Where the forward-paths of a submission lead: mailboxes of ours, aliases, the rest of the world.

Every forward-path becomes a row of the queue, so that its sender can see what became of it; an
alias becomes a row for each of its targets. Mailboxes of ours get one copy each. Only decides;
`delivery.submit` writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailcore.delivery import accept
from mailcore.directory import resolve
from mailcore.directory.resolve import MailboxTarget, Relay, Resolved
from mailcore.queue.enqueue import Recipient
from mailcore.smtp.envelope import ForwardPath


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """A copy for a mailbox of ours; `address` goes into Delivered-To."""

    mailbox_id: int
    domain_id: int
    address: str


@dataclass(slots=True)
class Spread:
    """Forward-paths in their normal form, each once, and what becomes of them."""

    accepted: list[str] = field(default_factory=list)
    expanded: dict[str, list[str]] = field(default_factory=dict)
    copies: dict[int, LocalCopy] = field(default_factory=dict)
    rows: dict[str, Recipient] = field(default_factory=dict)

    def add_direct(self, text: str, path: ForwardPath, found: Resolved | Relay) -> None:
        """Take a forward-path that is no alias."""
        route = ""
        if isinstance(found, Resolved):
            route = "local"
            self.add_copies(found.mailboxes, text)
        self._add_row(text, path, route=route)

    def add_alias(self, text: str, path: ForwardPath, found: Resolved) -> None:
        """Take a forward-path that leads on to others."""
        self.expanded[text] = []
        for target in found.mailboxes:
            self.add_copies([target], target.address)
            self._add_row(target.address, path, route="local", original=text)
        for remote in found.remotes:
            self._add_row(remote.address, path, route="", original=text)

    def add_copies(self, targets: Sequence[MailboxTarget], address: str) -> None:
        """Give each mailbox its copy, if it has none yet."""
        for target in targets:
            copy = LocalCopy(target.mailbox_id, target.domain_id, address)
            self.copies.setdefault(target.mailbox_id, copy)

    def _add_row(self, text: str, path: ForwardPath, *, route: str, original: str = "") -> None:
        if original:
            self.expanded[original].append(text)
        row = Recipient(
            forward_path=text,
            original=original,
            notify=",".join(path.notify),
            orcpt=path.orcpt,
            route=route,
        )
        self.rows.setdefault(text, row)


def spread(paths: Sequence[ForwardPath], *, smtputf8: bool) -> Spread:
    """Resolve the forward-paths. Raises Refused when one of ours takes no mail."""
    made = Spread()
    found: dict[str, tuple[ForwardPath, Resolved | Relay]] = {}
    for path in paths:
        address = accept.parse_recipient(path.address, smtputf8=smtputf8)
        where = resolve.resolve_cached(forward_path=address)
        if not isinstance(where, Resolved | Relay):
            accept.judge(where, declared_size=None)
            raise AssertionError("what is neither ours nor foreign is refused")
        found.setdefault(str(address), (path, where))
    made.accepted = list(found)
    # Named directly before reached by an alias: the row then carries what the sender asked for.
    for text, (path, where) in found.items():
        if isinstance(where, Relay) or not where.is_expansion:
            made.add_direct(text, path, where)
    for text, (path, where) in found.items():
        if isinstance(where, Resolved) and where.is_expansion:
            made.add_alias(text, path, where)
    return made
