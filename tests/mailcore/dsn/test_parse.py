"""Reports of other makers, and whatever else may come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.dsn.parse import RECIPIENTS_MAX, ParsedRecipient, parse
from mailcore.mime.structure import parse_structure
from tests.support.hostile_messages import hostile_messages


def report(
    *blocks: str, kind: str = "multipart/report; report-type=delivery-status", last: str = ""
):
    """Return a report with these groups of fields."""
    status = "\r\n\r\n".join(block.replace("\n", "\r\n") for block in blocks)
    return (
        "From: mailer-daemon@x.example\r\nSubject: Returned mail\r\n"
        f'Content-Type: {kind}; boundary="b"\r\n\r\n'
        "--b\r\n\r\nSorry.\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\n{status}\r\n{last}--b--\r\n"
    ).encode()


# RFC 3464, appendix E.1
SIMPLE = report(
    "Reporting-MTA: dns; cs.utk.edu",
    "Original-Recipient: rfc822;louisl@larry.slip.umd.edu\n"
    "Final-Recipient: rfc822;louisl@larry.slip.umd.edu\n"
    "Action: failed\nStatus: 4.0.0\n"
    "Diagnostic-Code: smtp; 426 connection timed out\n"
    "Last-Attempt-Date: Thu, 7 Jul 1994 17:15:49 -0400",
    last=(
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        "From: a@cs.utk.edu\r\nMessage-ID: <7.7@cs.utk.edu>\r\n\r\nHello\r\n"
    ),
)
# RFC 3464, appendix E.2: several recipients
MULTIPLE = report(
    "Reporting-MTA: dns; cs.utk.edu\nOriginal-Envelope-Id: QQ314159",
    "Original-Recipient: rfc822;arathib@vnet.ibm.com\n"
    "Final-Recipient: rfc822;arathib@vnet.ibm.com\n"
    "Action: failed\nStatus: 5.0.0 (permanent failure)\n"
    "Diagnostic-Code: smtp; 550 'arathib@vnet.IBM.COM' is not a\n registered gateway user\n"
    "Remote-MTA: dns; vnet.ibm.com",
    "Original-Recipient: rfc822;johnh@hpnjld.njd.hp.com\n"
    "Final-Recipient: rfc822;johnh@hpnjld.njd.hp.com\nAction: delayed\n"
    "Status: 4.0.0 (hpnjld.njd.jp.com: host name lookup failure)",
    "Final-Recipient: rfc822;wsnell@sdcc13.ucsd.edu\nAction: FAILED\nStatus: 5.0.0",
)


def test_the_simple_example_of_the_rfc():
    assert parse(SIMPLE) == (
        ParsedRecipient(
            action="failed",
            status="4.0.0",
            final_recipient="louisl@larry.slip.umd.edu",
            original_recipient="louisl@larry.slip.umd.edu",
            diagnostic="426 connection timed out",
            remote_host="",
            reporting_host="cs.utk.edu",
            envelope_id="",
            message_id="7.7@cs.utk.edu",
        ),
    )


def test_the_example_with_several_recipients():
    found = parse(MULTIPLE)
    assert found is not None
    assert [(r.action, r.status) for r in found] == [
        ("failed", "5.0.0"),
        ("delayed", "4.0.0"),
        ("failed", "5.0.0"),
    ]
    assert {r.envelope_id for r in found} == {"QQ314159"}
    assert found[0].diagnostic == "550 'arathib@vnet.IBM.COM' is not a registered gateway user"
    assert found[0].remote_host == "vnet.ibm.com"


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/global-headers"])
def test_the_message_id_of_a_returned_header(kind):
    last = f"--b\r\nContent-Type: {kind}\r\n\r\nSubject: x\r\nMessage-ID: <h@x.example>\r\n\r\n"
    found = parse(report("Reporting-MTA: dns; x", "Action: failed\nStatus: 5.1.1", last=last))
    assert found is not None
    assert found[0].message_id == "h@x.example"


def test_a_status_part_in_base64_with_bare_line_feeds():
    raw = report("-").replace(
        b"delivery-status\r\n\r\n-",
        b"delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"UmVwb3J0aW5nLU1UQTogZG5zOyB4CgpBY3Rpb246IGZhaWxlZApTdGF0dXM6IDUuMi4yCg==",
    )
    found = parse(raw)
    assert found is not None
    assert [(r.reporting_host, r.status) for r in found] == [("x", "5.2.2")]


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("rfc822;bob@x.example", "bob@x.example"),
        ("RFC822; <bob@x.example>", "bob@x.example"),
        ("bob@x.example", "bob@x.example"),
        (r"utf-8; jos\x{E9}@x.example", "josé@x.example"),
        ("utf-8; josé@x.example", "josé@x.example"),
        (r"utf-8; \x{D800}@x.example", r"\x{D800}@x.example"),
        ("x400; /C=de/", ""),
        ("", ""),
    ],
)
def test_addresses_are_read_by_their_type(value, address):
    found = parse(report("X: y", f"Final-Recipient: {value}\nAction: failed"))
    assert found is not None
    assert found[0].final_recipient == address


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: Hi\r\n\r\nAction: failed\r\n",
        report("A: b", "Action: failed", kind="multipart/mixed"),
        # a report that somebody attached to a message of their own
        b'Content-Type: multipart/mixed; boundary="o"\r\n\r\n'
        b"--o\r\nContent-Type: message/rfc822\r\n\r\n" + SIMPLE + b"--o--\r\n",
        SIMPLE.replace(b"message/delivery-status", b"message/disposition-notification"),
    ],
)
def test_what_is_no_report_is_none(raw):
    assert parse(raw) is None


@pytest.mark.parametrize(
    "blocks",
    [
        ("Reporting-MTA: dns; x",),
        ("Reporting-MTA: dns; x", "Final-Recipient: rfc822; bob@x.example\nStatus: 5.1.1"),
        ("Reporting-MTA: dns; x", "Final-Recipient: rfc822; bob@x.example\nAction: exploded"),
    ],
)
def test_a_report_that_says_nothing_usable_is_empty(blocks):
    assert parse(report(*blocks)) == ()


def test_an_unusable_status_is_left_out():
    for status in ("5.1", "9.1.1", "5.1.1.1", "5.1111.1", "ok"):
        found = parse(report("A: b", f"Action: failed\nStatus: {status}"))
        assert found is not None
        assert found[0].status == ""


def test_recipients_fields_and_values_are_bounded():
    block = "Action: failed\nDiagnostic-Code: smtp; " + "x" * 50_000
    assert (found := parse(report("A: b", block))) is not None
    assert len(found[0].diagnostic) <= 1000
    assert (found := parse(report("A: b", *["Action: failed"] * 5000))) is not None
    assert len(found) == RECIPIENTS_MAX
    late = "\n".join(f"X-{n}: y" for n in range(60)) + "\nAction: failed"
    assert parse(report("A: b", late)) == ()


def test_hostile_messages_are_no_reports_and_as_status_parts_say_nothing_wrong():
    for message in hostile_messages():
        assert parse(message.data) is None
        raw = report("Reporting-MTA: dns; x", "-").replace(b"-\r\n--b--", message.data)
        assert all(entry.action for entry in parse(raw) or ())


def test_values_hold_no_control_characters():
    found = parse(report("A: b", "Action: failed\nDiagnostic-Code: smtp; a\x1b[2Jb\u202ec\x00"))
    assert found is not None
    assert found[0].diagnostic == "a[2Jbc"


_piece = st.sampled_from(
    [
        *(b"Action: failed\r\n", b"Status: 5.1.1", b"\r\n\r\n", b"\n", b" ", b";", b"\0"),
        *(b"--b\r\n", b"--b--", b"Content-Type: message/delivery-status\r\n\r\n"),
        *(b"Final-Recipient: utf-8; \\x{110000}", b"=?utf-8?b?4pyTCg==?=", b"\xff\xfe"),
        *(b"Diagnostic-Code:", b"Message-ID: <a@b>"),
    ]
)


@given(st.lists(_piece | st.binary(max_size=20), max_size=60).map(b"".join))
def test_never_raises_and_keeps_its_word(noise):
    raw = report("Reporting-MTA: dns; x", "-").replace(b"-\r\n--b--", noise + b"\r\n--b--")
    for octets in (noise, raw):
        for entry in parse(octets) or ():
            assert entry.action in {"failed", "delayed", "delivered", "relayed", "expanded"}
            assert all("\n" not in value and "\0" not in value for value in _values(entry))


def _values(entry: ParsedRecipient) -> list[str]:
    return [getattr(entry, name) for name in entry.__slots__]


def test_the_builder_of_these_tests_makes_reports():
    assert parse_structure(SIMPLE).parts[0].content_type == "multipart/report"
