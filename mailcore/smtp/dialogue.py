"""What was said on a connection, for a person who asks why a message did not arrive.

Command and reply lines only: no content, no passwords. Bounded whatever the peer says.
"""

from __future__ import annotations

from mailcore.smtp.answers import clean

DIALOGUE_CHARS = 16 * 1024
_LINE_CHARS = 600
_LINES = DIALOGUE_CHARS // 8


class Dialogue:
    """Keeps lines until they are taken; formats them only then."""

    def __init__(self) -> None:
        self._said: list[tuple[str, bytes]] = []
        self._octets = 0

    def note(self, who: str, lines: bytes) -> None:
        """Keep lines that `who` (C, S or "--" for a remark) said; nothing once it is full."""
        if self._octets < DIALOGUE_CHARS:
            self._said.append((who, lines[:DIALOGUE_CHARS]))
            self._octets += len(lines) + 4

    def take(self) -> str:
        """Return the lines since the last call, at most 16 Ki characters, without controls."""
        shown: list[str] = []
        for who, octets in self._said:
            for line in octets.decode("utf-8", "replace").splitlines()[:_LINES]:
                if not line.isprintable() or len(line) > _LINE_CHARS:  # hardly ever
                    line = clean(line, max_chars=_LINE_CHARS)
                shown.append(f"{who}: {line.strip()}")
        text = "\n".join(shown)
        self._said = []
        self._octets = 0
        return text[:DIALOGUE_CHARS]
