"""Which conversation a message joins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mailcore.mime.header import scan_header
from mailcore.store import threads

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def header(text: str):
    return scan_header(text.replace("\n", "\r\n").encode() + b"\r\n\r\n")


def known(pk: int, *, days_ago: int, people: tuple[str, ...]) -> threads.KnownThread:
    return threads.KnownThread(pk, NOW - timedelta(days=days_ago), people)


def test_the_nearest_parent_comes_first_and_the_own_id_last():
    scan = header("Message-ID: <c@x>\nIn-Reply-To: <b@x>\nReferences: <a@x> <b@x>")
    hashes = [threads.reference_hash(text) for text in ("b@x", "a@x", "c@x")]
    assert list(threads.references(scan)) == hashes


def test_a_long_chain_keeps_the_root_and_the_newest():
    chain = " ".join(f"<{number}@x>" for number in range(60))
    hashes = threads.references(header(f"Message-ID: <own@x>\nReferences: {chain}"))
    assert len(hashes) == threads.REFERENCES_MAX + 1
    assert hashes[0] == threads.reference_hash("59@x")
    assert hashes[-2] == threads.reference_hash("0@x")


def test_only_a_reply_may_join_by_subject():
    assert threads.may_join_by_subject(header("Subject: Re: Lunch\nFrom: a@x.example"))
    assert not threads.may_join_by_subject(header("Subject: Lunch\nFrom: a@x.example"))
    assert not threads.may_join_by_subject(header("Subject: Re:\nFrom: a@x.example"))


def test_the_subject_needs_a_shared_participant_within_thirty_days():
    scan = header("Subject: Re: Lunch\nFrom: ana@x.example\nTo: bob@y.example")
    strangers = known(1, days_ago=1, people=("mallory@z.example",))
    too_old = known(2, days_ago=31, people=("bob@y.example",))
    older = known(3, days_ago=20, people=("bob@y.example",))
    newer = known(4, days_ago=3, people=("ana@x.example",))
    best = threads.best_by_subject([strangers, too_old, older, newer], header=scan, at=NOW)
    assert best == newer
    assert threads.best_by_subject([strangers, too_old], header=scan, at=NOW) is None


def test_an_empty_subject_has_no_hash_and_others_fit_into_64_bits():
    assert threads.subject_hash("") == 0
    assert -(2**63) <= threads.subject_hash("lunch") < 2**63
    assert threads.subject_hash("lunch") != threads.subject_hash("dinner")


def test_participants_are_kept_once_and_bounded():
    scan = header("From: a@x.example\nTo: b@x.example, a@x.example")
    many = [f"p{number}@x.example" for number in range(60)]
    assert threads.joined_participants(("b@x.example",), scan) == ("b@x.example", "a@x.example")
    assert len(threads.joined_participants(many, scan)) == threads.PARTICIPANTS_MAX
