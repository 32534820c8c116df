"""Signs people in behind the event loop, a bounded number at a time (guarantees: argon2).

Threads of its own, so that a flood of guesses holds up neither RCPT nor delivery; beyond the
bound the answer is Busy at once. Delays are the session's to keep, without a thread.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

from mailcore.directory.credentials import Busy, Denied
from mailcore.smtpd.auth import Login
from mailcore.smtpd.backend import SubmissionBackend
from mailcore.smtpd.workers import Questions

_cores = os.cpu_count() or 1


class Doorkeeper:
    """Asks the backend who somebody is. Event loop only."""

    def __init__(
        self,
        backend: SubmissionBackend,
        *,
        questions: Questions,
        waiting: int = 32 * _cores,
    ) -> None:
        self._backend = backend
        self._questions = questions
        self._room = waiting

    async def sign_in(self, login: Login, *, peer_ip: str) -> int | Denied | Busy:
        """Return the id of the user, or why not. Raises what the backend raises."""
        if self._room <= 0:
            return Busy()
        self._room -= 1
        try:
            return await self._questions.ask(
                self._backend.authenticate,
                login=login.name,
                password=login.password,
                peer_ip=peer_ip,
                now=datetime.now(UTC),
            )
        finally:
            self._room += 1

    async def check_submitter(self, *, user_id: int, reverse_path: str) -> None:
        """Raise Refused unless the user may send from `reverse_path`."""
        await self._questions.ask(
            self._backend.check_submitter, user_id=user_id, reverse_path=reverse_path
        )

    def stop(self) -> None:
        """End the threads. Blocks."""
        self._questions.stop()


def threads() -> int:
    """Return how many sign-ins are checked at a time: as many as hash."""
    return 2 * _cores
