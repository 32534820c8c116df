"""The verdict notices what it is there to notice: each fault is planted once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.crash.ledger import Copy, Ledger, Mail, judge

ALICE, BOB = "alice@crash.test", "bob@crash.test"
OCTETS = b"From: Load <load@client.test>\r\nX-Marker: m1\r\n\r\nHello\r\n"
MAIL = Mail(
    marker="m1",
    octets=OCTETS,
    paths=(ALICE, BOB),
    recipients=(ALICE, BOB),
    away=(),
    has_message_id=True,
    is_acknowledged=True,
)
COPY = Copy("m1", MAIL.sha256, OCTETS)


def verdict(mail: Mail, alice: list[Copy], bob: list[Copy]) -> list[str]:
    return judge({mail.marker: mail}, {ALICE: alice, BOB: bob})[0]


def test_a_copy_in_each_mailbox_is_right():
    wrong, counts = judge({"m1": MAIL}, {ALICE: [COPY], BOB: [COPY]})
    assert wrong == []
    assert counts == {"copies": 2, "wanted": 2, "again": 0}


@pytest.mark.parametrize(
    ("mail", "alice", "bob", "word"),
    [
        (MAIL, [COPY], [], "lost: m1"),
        (MAIL, [COPY, COPY], [COPY], "stored 2 times instead of at most 1"),
        (MAIL, [COPY], [replace(COPY, blob=OCTETS[:-2])], "other octets"),
        (MAIL, [COPY], [replace(COPY, sha256="0" * 64)], "other octets"),
        (MAIL, [COPY, replace(COPY, marker="m2")], [COPY], "nobody sent there"),
        (replace(MAIL, recipients=(ALICE,)), [COPY], [COPY], "nobody sent there"),
        (
            replace(MAIL, has_message_id=False, unanswered=1),
            [COPY] * 3,
            [COPY],
            "stored 3 times instead of at most 2",
        ),
    ],
)
def test_a_planted_fault_is_named(mail: Mail, alice: list[Copy], bob: list[Copy], word: str):
    [wrong] = verdict(mail, alice, bob)
    assert word in wrong


def test_what_was_not_acknowledged_may_be_missing_but_not_double():
    mail = replace(MAIL, is_acknowledged=False)
    assert verdict(mail, [], []) == []
    assert len(verdict(mail, [COPY, COPY], [])) == 1


def test_a_refusal_of_good_mail_is_a_violation():
    ledger = Ledger()
    ledger.replied(451, b"later", to="MAIL")
    ledger.replied(550, b"no", to="RCPT")
    assert ledger.violations == ["good mail was refused at RCPT: b'no'"]
