"""A mailbox of many messages, the same ones on every machine: what reading is measured on.

Conversations of one to five, a tenth HTML, a twentieth with a file, words as frequent as in
language (Zipf) with accents among them, seven tenths read. Small (about 2 KB), so that filling
takes minutes; the cost of large bodies is measured by the body's own page.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime

NEWEST = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)  # between two messages: 100,000 of them are a year
RARE = "zanahoria"  # in three messages
COMMON = "meeting"  # in two of three
PHRASE = "quarterly figures"  # in one of fifty
ARCHIVED = 10_000  # messages in Archive, or as many as in the inbox if those are fewer
PEOPLE = tuple(
    (f"{first} {last}", f"{first}.{last}@client.test".lower().replace("é", "e").replace("ñ", "n"))
    for first in ("Ana", "José", "Carol", "Dan", "Eva", "Frank", "Grace", "Hugo", "Iris", "Juan")
    for last in ("Muñoz", "Smith", "Okafor", "Larsen", "Novak")
)
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "pó", "ra", "sé", "to", "vi", "xu")


@dataclass(frozen=True, slots=True)
class Made:
    """A message as DATA would bring it, without dot-stuffing."""

    raw: bytes
    at: datetime
    is_seen: bool


def received_at(place: int) -> datetime:
    """Return when the message that is `place` from the newest was received."""
    return NEWEST - place * STEP


def messages(count: int) -> Iterator[Made]:
    """Yield `count` messages, oldest first. `place` counts from the newest, so that stays put."""
    chance = random.Random(20261121)  # noqa: S311 - text, not a secret
    words = ["".join(chance.choices(_SYLLABLES, k=k % 3 + 2)) for k in range(5000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    rare = {count // 4, count // 2, count * 3 // 4}
    open_thread: list[str] = []
    for place in reversed(range(count)):
        text = _text(chance, words, weights)
        text += f" {RARE}." if place in rare else ""
        text += f" {COMMON}." if place % 3 else ""
        text += f" The {PHRASE} are in." if place % 50 == 0 else ""
        if not open_thread or len(open_thread) >= 5 or chance.random() < 0.55:
            open_thread = []
        raw = _message(place, text, chance, answers=open_thread)
        open_thread.append(f"<{place}@client.test>")
        yield Made(raw=raw, at=received_at(place), is_seen=chance.random() < 0.7)


def archived(count: int) -> Iterator[Made]:
    """Yield `count` messages of other conversations, for the folder that is moved as a whole."""
    for made in messages(count):
        raw = made.raw.replace(b"@client.test>", b"@archive.test>").replace(b"Plan ", b"Past ")
        yield replace(made, raw=raw)


def _text(chance: random.Random, words: list[str], weights: list[float]) -> str:
    chosen = chance.choices(words, weights, k=chance.randrange(60, 260))
    return " ".join(chosen).capitalize() + "."


def _message(place: int, text: str, chance: random.Random, *, answers: list[str]) -> bytes:
    name, address = PEOPLE[place % len(PEOPLE)]
    first = answers[0] if answers else f"<{place}@client.test>"
    subject = f"{'Re: ' if answers else ''}Plan {first.strip('<>').partition('@')[0]}"
    header = [
        f"From: {Header(name, 'utf-8').encode()} <{address}>",
        "To: Bench <bench@hamburger.test>",
        f"Subject: {subject}",
        f"Date: {format_datetime(received_at(place))}",
        f"Message-ID: <{place}@client.test>",
        *([f"In-Reply-To: {answers[-1]}", f"References: {' '.join(answers)}"] if answers else []),
        "MIME-Version: 1.0",
    ]
    kind = "html" if place % 10 == 0 else "file" if place % 20 == 5 else "text"
    body = {"html": _html, "file": _with_file, "text": _plain}[kind](text, chance)
    return "\r\n".join([*header, *body, ""]).encode()


def _lines(text: str) -> list[str]:
    words, lines, line = text.split(" "), [], ""
    for word in words:
        line, done = (f"{line} {word}".strip(), "") if len(line) < 64 else (word, line)
        lines += [done] if done else []
    return [*lines, line]


def _plain(text: str, _chance: random.Random) -> list[str]:
    return [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        *_lines(text),
    ]


def _html(text: str, _chance: random.Random) -> list[str]:
    rows = [f'<tr><td style="color: #333; padding: 4px">{line}</td></tr>' for line in _lines(text)]
    return [
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        '<html><body><h1 style="font-size: 20px">News</h1><table width="600">',
        *rows,
        "</table></body></html>",
    ]


def _with_file(text: str, chance: random.Random) -> list[str]:
    octets = "QmVuY2g" * 8
    return [
        'Content-Type: multipart/mixed; boundary="b"',
        "",
        "--b",
        *_plain(text, chance),
        "--b",
        f'Content-Type: application/pdf; name="plan-{chance.randrange(1000)}.pdf"',
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment",
        "",
        octets,
        "--b--",
    ]
