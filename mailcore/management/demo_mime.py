"""Makes RFC 5322 messages of the demonstration's letters: parts, pictures, an invitation.

Composes our own texts only; what comes from outside is never read with the `email` package's
default policy (guarantees, 4), and nothing here reads.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from mailcore.management.demo_letters import Letter

_NEWSLETTER = """<html><head><style>
body {{ margin: 0; background: #f4efe6; font-family: Georgia, serif; color: #2b2118; }}
.card {{ max-width: 560px; margin: 24px auto; background: #fff; border-radius: 8px; }}
.card h1 {{ margin: 0; padding: 24px 28px 8px; font-size: 26px; }}
.card p {{ padding: 0 28px; line-height: 1.6; }}
.foot {{ padding: 16px 28px 24px; color: #7a6a58; font-size: 13px; }}
</style></head><body><div class="card"><img src="cid:{cid}" width="560" height="140" alt="">
<h1>{subject}</h1><p>{text}</p>
<p>Heat is patience. A griddle that is hot in the middle only makes two kinds of crêpe, and both are
wrong. Let it stand for ten minutes, wipe it once with a cut onion, and begin.</p>
<p><a href="https://griddle.example/this-week">Read this week's letter on our site</a></p>
<p><img src="https://griddle.example/open.gif?id=8421" width="1" height="1" alt=""></p>
<div class="foot">You get this because you asked for it.
<a href="https://griddle.example/leave">Leave the list</a></div></div></body></html>"""

_INVITATION = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Casilla//Demonstration//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:walk-through@terrace.example
DTSTAMP:{now:%Y%m%dT%H%M%SZ}
DTSTART:{start:%Y%m%dT%H%M%SZ}
DTEND:{end:%Y%m%dT%H%M%SZ}
SUMMARY:Walk through before the party
LOCATION:The terrace
ORGANIZER;CN=Elif:mailto:elif@terrace.example
ATTENDEE;CN=Alice;RSVP=TRUE:mailto:alice@crepes.test
ATTENDEE;CN=Bob;RSVP=TRUE:mailto:bob@hamburger.test
END:VEVENT
END:VCALENDAR
"""
_SHEET = "Day;Takings;Guests\nMonday;412,50;61\nTuesday;388,00;57\nSaturday;1204,80;166\n"


def compose(letter: Letter, *, at: datetime, message_id: str, references: Sequence[str]) -> bytes:
    """Return the letter as CRLF octets. `message_id` and `references` are without brackets."""
    message = EmailMessage(policy=SMTP)
    message["From"] = letter.sender
    message["To"] = ", ".join(letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{message_id}>"
    if references:
        message["In-Reply-To"] = f"<{references[-1]}>"
        message["References"] = " ".join(f"<{reference}>" for reference in references)
    message.set_content(letter.text)
    _add_rest(message, letter, at)
    return message.as_bytes()


def _add_rest(message: EmailMessage, letter: Letter, at: datetime) -> None:
    match letter.kind:
        case "newsletter":
            _add_newsletter(message, letter)
        case "html":
            rows = escape(letter.text).replace("\n", "<br>")
            message.add_alternative(f"<html><body><p>{rows}</p></body></html>", subtype="html")
        case "pdf":
            message.add_attachment(
                _pdf(letter.subject), "application", "pdf", filename="document.pdf"
            )
        case "photo":
            message.add_attachment(
                _png(480, 320), "image", "png", filename="Foto de la cocina, año 2025.png"
            )
        case "sheet":
            message.add_attachment(_SHEET, subtype="csv", filename="prices.csv")
        case "calendar":
            start = (at + timedelta(days=7)).replace(minute=0, second=0)
            text = _INVITATION.format(now=at, start=start, end=start + timedelta(minutes=15))
            message.add_alternative(text, subtype="calendar", params={"method": "REQUEST"})


def _add_newsletter(message: EmailMessage, letter: Letter) -> None:
    message["List-Unsubscribe"] = "<https://griddle.example/leave>"
    text = _NEWSLETTER.format(
        cid="banner@griddle.example", subject=escape(letter.subject), text=escape(letter.text)
    )
    message.add_alternative(text, subtype="html")
    html = message.get_payload()[-1]  # type: ignore[index]
    html.add_related(  # type: ignore[union-attr]
        _png(560, 140),
        "image",
        "png",
        cid="<banner@griddle.example>",
        filename="banner.png",
        disposition="inline",
    )


def _png(width: int, height: int) -> bytes:
    """Return a picture: bands of warm colours that fade to the right."""

    def pixel(x: int, y: int) -> tuple[int, int, int]:
        light = x * 60 // width
        band = (y * 5 // height) * 22
        return (238 - band // 2, 150 + light - band, 60 + light)

    rows = b"".join(
        b"\0" + bytes(value for x in range(width) for value in pixel(x, y)) for y in range(height)
    )
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _pdf(title: str) -> bytes:
    """Return one page that says `title` (PDF 1.4; readers rebuild the missing index)."""
    drawing = f"BT /F1 24 Tf 72 720 Td ({title}) Tj ET".encode("latin-1", "replace")
    return b"\n".join(
        (
            b"%PDF-1.4",
            b"1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj",
            b"2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj",
            b"3 0 obj <</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources <</Font <</F1 5 0 R>>>>>> endobj",
            b"4 0 obj <</Length %d>> stream\n%s\nendstream endobj" % (len(drawing), drawing),
            b"5 0 obj <</Type /Font /Subtype /Type1 /BaseFont /Helvetica>> endobj",
            b"trailer <</Root 1 0 R>>",
            b"%%EOF\n",
        )
    )
