"""The bench's mailbox is the same everywhere, and its table marks what misses a target."""

import itertools
from email import message_from_bytes

from bench.mailbox import COMMON, RARE, STEP, messages
from bench.reading import Waited, table


def test_the_mailbox_is_the_same_each_time_and_oldest_first():
    made = list(messages(400))
    assert [one.raw for one in made] == [one.raw for one in messages(400)]
    assert {late.at - early.at for early, late in itertools.pairwise(made)} == {STEP}


def test_words_are_as_rare_and_as_common_as_they_say():
    texts = [one.raw.decode() for one in messages(400)]
    assert sum(RARE in text for text in texts) == 3
    assert sum(COMMON in text for text in texts) == sum(place % 3 > 0 for place in range(400))


def test_messages_are_well_formed_and_answer_each_other():
    parsed = [message_from_bytes(one.raw) for one in messages(400)]
    ids = {message["Message-ID"] for message in parsed}
    assert len(ids) == 400
    answers = [message["In-Reply-To"] for message in parsed if message["In-Reply-To"]]
    assert answers
    assert set(answers) <= ids
    assert {message.get_content_type() for message in parsed} == {
        "text/plain",
        "text/html",
        "multipart/mixed",
    }
    assert not any(message.defects for message in parsed)


def test_what_takes_more_than_its_share_is_marked():
    peer, quick, slow = (Waited(times=3, p50_ms=ms, p95_ms=ms, octets=1) for ms in (100, 20, 21))
    text = table(
        {
            ("list by date", "Roundcube + Dovecot"): peer,
            ("list by date", "quick"): quick,
            ("list by date", "slow"): slow,
            ("search: phrase", "quick"): Waited(times=3, p50_ms=5, p95_ms=101, octets=1),
        }
    )

    assert [line.endswith("!") for line in text.splitlines()[2:]] == [False, False, True, True]
