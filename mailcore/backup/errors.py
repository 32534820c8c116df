"""What goes wrong when a copy is made or brought back; each is one sentence for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailcore.errors import MailError


class BackupError(MailError):
    """A copy cannot be made or brought back; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of a copy and what is wrong with it."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class Damaged(BackupError):  # noqa: N818 - named by what happened
    """Files of a copy are not what was written. `damages` names every one."""

    def __init__(self, damages: Sequence[Damage]) -> None:
        super().__init__("damaged: " + "; ".join(map(str, damages[:20])))
        self.damages = tuple(damages)
