"""Messages for the load: made once, so that the client's CPU stays small.

Text of a few hundred words in random order, which compresses about as ordinary mail does. Each
message has its own Message-ID: a repeat would be recognised and not stored. No MIME parts.
"""

from __future__ import annotations

import random
import string

_LINE = 72
_HEADER = (
    "From: Load <load@client.test>\r\nTo: Bench <bench@hamburger.test>\r\n"
    "Subject: Offer {subject}\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
)


class Template:
    """A message of about `size` octets; `make` gives it a Message-ID of its own."""

    def __init__(self, *, size: int, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - text, not a secret
        self._seed = seed
        self._head = _HEADER.format(subject=seed).encode()
        self._body = b"\r\n" + _text(chance, size - len(self._head)) + b".\r\n"

    def make(self, number: int) -> bytes:
        """Return message `number` as it follows DATA, with its final dot."""
        field = b"Message-ID: <%d.%d@client.test>\r\n" % (number, self._seed)
        return self._head + field + self._body


def _text(chance: random.Random, size: int) -> bytes:
    words = ["".join(chance.choices(string.ascii_lowercase, k=k % 9 + 2)) for k in range(600)]
    lines: list[str] = []
    missing = size
    while missing > 0:
        line = " ".join(chance.choices(words, k=14))[: min(_LINE, missing)]
        lines.append(line)
        missing -= len(line) + 2
    return "".join(f"{line}\r\n" for line in lines).encode()
