"""The verdict about what left: a loss and a needless repeat are found, an excused one is not."""

from __future__ import annotations

import smtplib
from random import Random

import pytest

from tests.crash.away import WINDOW_S, Arrival, Away, judge_away
from tests.crash.ledger import Mail

PATH = "one@outside.example"


def mail(*, has_message_id: bool = True, is_acknowledged: bool = True, unanswered: int = 0) -> Mail:
    return Mail(
        "m1",
        b"",
        paths=("away@crash.test",),
        recipients=(),
        away=(PATH,),
        has_message_id=has_message_id,
        is_acknowledged=is_acknowledged,
        unanswered=unanswered,
    )


def wrong(one: Mail, *copies: Arrival, kills: tuple[float, ...] = ()) -> list[str]:
    arrivals = {("m1", PATH): list(copies)} if copies else {}
    return judge_away({"m1": one}, arrivals, kills)[0]


def at(moment: float, *, was_answered: bool = True) -> Arrival:
    return Arrival(moment, was_answered)


def test_a_mail_that_came_once_is_right():
    assert wrong(mail(), at(1.0)) == []


def test_acknowledged_mail_that_never_came_is_lost():
    assert wrong(mail()) == [f"lost: m1 never came to {PATH}"]
    assert wrong(mail(is_acknowledged=False)) == []


@pytest.mark.parametrize(
    ("first", "kills", "is_wrong"),
    [
        (at(1.0), (), True),
        (at(1.0), (1.0 + WINDOW_S / 2,), False),
        (at(1.0), (1.0 + WINDOW_S * 2,), True),
        (at(1.0), (0.9,), True),
        (at(1.0, was_answered=False), (), False),
    ],
)
def test_a_repeat_needs_an_excuse(first, kills, is_wrong):
    assert bool(wrong(mail(), first, at(60.0), kills=kills)) is is_wrong


def test_every_repeat_needs_its_own_excuse():
    copies = (at(1.0, was_answered=False), at(60.0), at(120.0))
    assert "sent 3 times" in wrong(mail(), *copies)[0]


def test_without_a_message_id_a_repeated_submission_is_another_mail():
    assert wrong(mail(has_message_id=False, unanswered=1), at(1.0), at(2.0)) == []
    assert wrong(mail(has_message_id=False, unanswered=1), at(1.0), at(2.0), at(3.0)) != []


def test_mail_that_nobody_sent_is_found():
    arrivals = {("m2", PATH): [at(1.0)], ("m1", "other@outside.example"): [at(1.0)]}
    found, _ = judge_away({"m1": mail(is_acknowledged=False)}, arrivals, ())
    assert len(found) == 2


def test_the_host_counts_what_it_takes_and_drops_some():
    away = Away(Random(1))
    away.start()
    answered = 0
    try:
        for number in range(100):
            octets = f"X-Marker: m{number}\r\n\r\nHello\r\n"
            try:
                with smtplib.SMTP("127.0.0.1", away.port, "x.test") as client:
                    client.sendmail("a@x.test", [PATH], octets)
            except smtplib.SMTPServerDisconnected:
                continue
            answered += 1
    finally:
        away.stop()
    copies = [copy for found in away.arrivals.values() for copy in found]
    assert len(away.arrivals) == len(copies) == 100
    assert sum(copy.was_answered for copy in copies) == answered < 100
