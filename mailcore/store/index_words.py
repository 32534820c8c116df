"""What the word index is told about a content. A value: both implementations take it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a content; those of the subject weigh more. At most 256 KiB of text."""

    content_id: int
    subject: str
    text: str
