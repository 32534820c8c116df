"""`manage.py queue`: what is on its way, what happened to what was, and hands on it.

Without an action it lists recipients, newest first, those that are finished too (30 days). `show`
writes the octets of one message, `track` tells every try; `hold`, `release` (captured mail too),
`cancel` and `retry` change what waits. An ID is a recipient's, as the list prints it, or that of
its message. Exits 1 when an ID names nothing that the action can change.
"""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mailcore.blobs import BlobMissing
from mailcore.management.printing import json_line, moment, printable, second, table
from mailcore.queue import control, inspect
from mailcore.queue.inspect import AttemptView, RecipientView, Tracked
from mailcore.rawmail import BlobDamaged

_HEAD = ("id", "created (UTC)", "state", "from", "to", "tries", "next (UTC)", "last reply")
_TRIES = ("at (UTC)", "ms", "host", "ip", "tls", "reply")
_TABLE_ROWS = 50
_BY = "command line"
_CHANGES: dict[str, tuple[Callable[..., int], ...]] = {
    "hold": (control.hold,),
    "release": (control.release, control.release_captured),
    "cancel": (control.cancel,),
    "retry": (control.retry_now,),
}
_ACTIONS = ("list", "show", "track", *_CHANGES)


class Command(BaseCommand):
    """Adapter of `queue.inspect` and `queue.control`."""

    help = "List queued mail; show, track, hold, release, cancel or retry some of it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("action", nargs="?", default="list", choices=_ACTIONS)
        parser.add_argument("ids", metavar="ID", nargs="*", type=_public_id)
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument(
            "--state", action="append", default=[], choices=inspect.STATES, help="only this state"
        )
        parser.add_argument(
            "--domain", action="append", default=[], help="only recipients of this domain"
        )
        parser.add_argument(
            "--limit", type=int, help=f"at most so many; a table has {_TABLE_ROWS} otherwise"
        )

    def handle(self, *args: Any, action: str, ids: list[uuid.UUID], **options: Any) -> None:
        """Carry out the action."""
        if (action == "list") == bool(ids):
            raise CommandError(f"{action} takes {'no' if ids else 'an'} ID", returncode=2)
        if action == "list":
            self._list(**options)
        elif action in _CHANGES:
            self._change(action, ids)
        for public_id in ids if action in {"show", "track"} else ():
            self._show(public_id) if action == "show" else self._track(public_id)

    def _change(self, action: str, ids: list[uuid.UUID]) -> None:
        in_vain = []
        for public_id in ids:
            which = control.Which(recipients=(public_id,), message=public_id)
            now = timezone.now()
            count = sum(change(which=which, now=now, by=_BY) for change in _CHANGES[action])
            if count:
                self.stdout.write(f"{action} {public_id}: {count} recipients")
            else:
                in_vain.append(str(public_id))
        if in_vain:
            raise CommandError(f"nothing to {action}: {', '.join(in_vain)}")

    def _list(
        self, *, state: list[str], domain: list[str], json: bool, limit: int | None, **_: Any
    ) -> None:
        rows = _rows(states=state, domains=[name.lower() for name in domain], limit=limit)
        if json:
            for view in rows:
                self.stdout.write(json_line(_values(view)))
            return
        shown = [_cells(view) for view, _ in zip(rows, range(limit or _TABLE_ROWS), strict=False)]
        if shown:
            self.stdout.write(table(_HEAD, shown))
        in_all = (f"{number} {name}" for name, number in inspect.counts().items() if number)
        self.stdout.write(f"in all: {', '.join(in_all) or 'nothing'}")

    def _show(self, public_id: uuid.UUID) -> None:
        try:
            octets = inspect.source(public_id=public_id)
        except (BlobMissing, BlobDamaged, OSError) as error:
            raise CommandError(f"cannot be read: {error!r}") from error
        if octets is None:
            raise CommandError(f"no message has the id {public_id}")
        self._write_octets(octets)

    def _write_octets(self, octets: bytes) -> None:
        """Write to the terminal's or the pipe's bytes: a message is not always text."""
        stream = getattr(self.stdout, "buffer", None)
        if stream is None:
            self.stdout.write(octets.decode("utf-8", "surrogateescape"), ending="")
            return
        stream.write(octets)
        stream.flush()

    def _track(self, public_id: uuid.UUID) -> None:
        view = inspect.message(public_id=public_id)
        if view is None:
            raise CommandError(f"no message has the id {public_id}")
        self.stdout.write(
            f"message {view.id}  trace {view.trace_id.hex}  {view.origin}  {view.size} octets\n"
            f"from {printable(view.reverse_path) or '<>'}  created {second(view.created_at)}"
            f"  not before {second(view.not_before)}  given up {second(view.expires_at)}"
        )
        for tracked in view.recipients:
            self.stdout.write("\n" + _tracking(tracked))


def _public_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not an id: {text!r}") from error


def _rows(*, states: list[str], domains: list[str], limit: int | None) -> Iterator[RecipientView]:
    """Yield recipients page by page, so that a long queue needs no memory."""
    before: int | None = None
    left = limit
    while left is None or left > 0:
        size = 1000 if left is None else left
        page = inspect.recipients(states=states, domains=domains, before=before, limit=size)
        yield from page.recipients
        before = page.before
        left = None if left is None else left - len(page.recipients)
        if before is None:
            return


def _values(view: RecipientView) -> dict[str, object]:
    return {
        "id": str(view.id),
        "trace_id": view.trace_id.hex,
        "reverse_path": view.reverse_path,
        "forward_path": view.forward_path,
        "state": view.state,
        "attempts": view.attempts,
        "next_attempt_at": moment(view.next_attempt_at),
        "last_reply": view.last_reply,
        "created_at": moment(view.created_at),
    }


def _cells(view: RecipientView) -> tuple[str, ...]:
    return (
        str(view.id),
        second(view.created_at),
        view.state,
        view.reverse_path or "<>",
        view.forward_path,
        str(view.attempts),
        second(view.next_attempt_at),
        view.last_reply,
    )


def _tracking(tracked: Tracked) -> str:
    view = tracked.recipient
    told = f", DSN {view.dsn_outcome}" if view.dsn_outcome else ""
    head = f"to {printable(view.forward_path)}  {view.state}{told}  by {view.route}  id {view.id}"
    tries = [_try(attempt) for attempt in tracked.attempts]
    return f"{head}\n{table(_TRIES, tries)}" if tries else head


def _try(attempt: AttemptView) -> tuple[str, ...]:
    reply = " ".join(part for part in (attempt.enhanced, attempt.text) if part)
    return (
        second(attempt.started_at),
        str(attempt.duration_ms if attempt.duration_ms is not None else "-"),
        attempt.host or "-",
        attempt.ip or "-",
        attempt.tls or "-",
        f"{attempt.code} {reply}" if attempt.code else reply,
    )
