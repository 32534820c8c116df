"""What a notification looks like on the wire, and that nobody else's text can shape it."""

from __future__ import annotations

import email
import re
from dataclasses import replace
from datetime import UTC, datetime
from email import policy

from hypothesis import given
from hypothesis import strategies as st

from mailcore.dsn.compose import RecipientReport, Report, compose
from mailcore.dsn.parse import parse
from mailcore.mime import fields
from mailcore.mime.body import decode_body, decode_text
from mailcore.mime.structure import parse_structure

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FAILED = RecipientReport(
    final_recipient="bob@x.example",
    action="failed",
    status="5.1.1",
    remote_host="mx.x.example",
    diagnostic="550 5.1.1 No such user",
    last_attempt_at=AT,
)
REPORT = Report(
    to="alice@hamburger.test",
    sender_name="Mail delivery",
    sender="postmaster@hamburger.test",
    subject="Not delivered: Lunch",
    text="Your message did not arrive.\n\n<bob@x.example>",
    language="en",
    message_id="dsn@hamburger.test",
    at=AT,
    reporting_host="mail.hamburger.test",
    recipients=(FAILED,),
    arrived_at=AT,
    original=b"From: alice@hamburger.test\r\nSubject: Lunch\r\nMessage-ID: <m1@hamburger.test>\r\n",
    original_message_id="m1@hamburger.test",
)
HEADER_NAMES = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
]


def names(octets: bytes) -> list[str]:
    end, _ = fields.header_span(octets)
    return [field.name for field in fields.iterate(octets[:end])]


def part(octets: bytes, number: str) -> bytes:
    found = parse_structure(octets).part(number)
    assert found is not None
    return decode_body(octets, found, max_bytes=2**20).content


def test_a_failure_is_a_report_of_three_parts():
    octets = compose(REPORT)
    types = [p.content_type for p in parse_structure(octets).parts]
    assert types == [
        "multipart/report",
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert names(octets) == HEADER_NAMES
    assert b"report-type=delivery-status" in octets
    assert part(octets, "2").decode().split("\r\n") == [
        "Reporting-MTA: dns; mail.hamburger.test",
        "Arrival-Date: Sat, 21 Nov 2026 12:00:00 +0000",
        "",
        "Final-Recipient: rfc822; bob@x.example",
        "Action: failed",
        "Status: 5.1.1",
        "Remote-MTA: dns; mx.x.example",
        "Diagnostic-Code: smtp; 550 5.1.1 No such user",
        "Last-Attempt-Date: Sat, 21 Nov 2026 12:00:00 +0000",
        "",
    ]


def test_the_standard_library_reads_the_same():
    message = email.message_from_bytes(compose(REPORT), policy=policy.compat32)
    assert message.get_content_type() == "multipart/report"
    assert message["Auto-Submitted"] == "auto-replied"
    kinds = [(part.get_content_type(), part["Action"]) for part in message.walk()]
    assert kinds == [
        ("multipart/report", None),
        ("text/plain", None),
        ("message/delivery-status", None),
        ("text/plain", None),  # the fields of the message and of each recipient
        ("text/plain", "failed"),
        ("text/rfc822-headers", None),
    ]


def test_envelope_id_and_original_recipient_lose_their_xtext():
    recipient = replace(FAILED, orcpt="rfc822;bob+2Bold@y.example")
    status = part(compose(replace(REPORT, envid="QQ+3D1+20x", recipients=(recipient,))), "2")
    assert status.startswith(b"Original-Envelope-Id: QQ=1 x\r\n")
    assert b"Original-Recipient: rfc822; bob+old@y.example\r\n" in status


def test_every_recipient_has_a_block():
    recipients = [replace(FAILED, final_recipient=f"r{n}@x.example") for n in range(50)]
    found = parse(compose(replace(REPORT, recipients=recipients)))
    assert found is not None
    assert [entry.final_recipient for entry in found] == [r.final_recipient for r in recipients]


def test_a_delay_says_until_when():
    delayed = replace(FAILED, action="delayed", status="4.4.1", will_retry_until=AT)
    status = part(compose(replace(REPORT, recipients=(delayed,))), "2")
    assert b"Will-Retry-Until: Sat, 21 Nov 2026 12:00:00 +0000\r\n" in status


def test_the_whole_message_comes_back_as_one():
    raw = REPORT.original + b"\r\nHola, camar\xc3\xb3n\r\n"
    octets = compose(replace(REPORT, original=raw, is_whole=True))
    returned = [p for p in parse_structure(octets).parts if p.content_type == "message/rfc822"]
    assert decode_body(octets, returned[0], max_bytes=2**20).content == raw
    assert returned[0].encoding == "8bit"


def test_a_header_that_is_not_ascii_is_encoded_so_that_the_report_is():
    octets = compose(replace(REPORT, original="Subject: camarón\r\n".encode()))
    assert octets.isascii()
    assert part(octets, "3") == "Subject: camarón\r\n".encode()


def test_text_that_is_not_ascii_is_quoted_printable_and_comes_back():
    text = "Tu mensaje no llegó.\n\n" + "larga " * 300 + "\n. \n    From aquí"
    octets = compose(
        replace(REPORT, text=text, language="es", subject="No entregado: ñandú 🍤" * 4)
    )
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    found = parse_structure(octets).part("1")
    assert found is not None
    wanted = "\r\n".join(line.rstrip() for line in text.split("\n")) + "\r\n"
    assert decode_text(octets, found).text == wanted


def test_smtputf8_has_the_types_of_rfc_6533():
    recipient = replace(FAILED, final_recipient="josé@x.example")
    report = replace(REPORT, recipients=(recipient,), utf8=True, original="Subject: ñ\r\n".encode())
    octets = compose(report)
    types = [p.content_type for p in parse_structure(octets).parts]
    assert types[2:] == ["message/global-delivery-status", "message/global-headers"]
    assert "Final-Recipient: utf-8; josé@x.example\r\n".encode() in octets
    whole = compose(replace(report, is_whole=True))
    assert parse_structure(whole).parts[3].content_type == "message/global"


def test_without_smtputf8_an_address_is_written_in_ascii():
    octets = compose(replace(REPORT, recipients=(replace(FAILED, final_recipient="josé@x.test"),)))
    assert rb"Final-Recipient: utf-8; jos\x{E9}@x.test" in octets
    found = parse(octets)
    assert found is not None
    assert found[0].final_recipient == "josé@x.test"


def test_the_boundary_stands_in_no_part():
    first = compose(REPORT)
    match = re.search(rb'boundary="(\w+)"', first)
    assert match is not None
    octets = compose(replace(REPORT, text=f"--{match[1].decode()}--"))
    assert len(parse_structure(octets).parts) == 4


def test_no_original_no_third_part():
    assert len(parse_structure(compose(replace(REPORT, original=b""))).parts) == 3


_hostile = st.text(max_size=60).map(
    lambda text: text + "\r\nBcc: x@y\r\n\r\n\u2028A: b\x85C: d\x00"
)


@given(
    subject=_hostile,
    diagnostic=_hostile,
    host=_hostile,
    message_id=_hostile,
    envid=_hostile,
    original=st.binary(max_size=200),
    utf8=st.booleans(),
    is_whole=st.booleans(),
)
def test_nothing_from_outside_adds_a_field_or_a_part(
    subject, diagnostic, host, message_id, envid, original, utf8, is_whole
):
    recipient = replace(FAILED, diagnostic=diagnostic, remote_host=host, orcpt=f"rfc822;{host}")
    octets = compose(
        replace(
            REPORT,
            subject=subject,
            text=diagnostic,
            envid=envid,
            recipients=(recipient, recipient),
            original_message_id=message_id,
            original=original,
            utf8=utf8,
            is_whole=is_whole,
        )
    )
    assert names(octets) == HEADER_NAMES
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", octets) is None
    found = parse(octets)
    assert found is not None
    assert [entry.status for entry in found] == ["5.1.1", "5.1.1"]
    top = [p for p in parse_structure(octets).parts if p.parent == 0]
    assert len(top) == (3 if original else 2)
