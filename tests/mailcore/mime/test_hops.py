"""mime.hops: the way of a message from its Received fields, first host first."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.hops import MAX_HOPS, read_hops

WAY = [
    "from mx.x.test (mx.x.test [198.51.100.3] (by nobody)) by mx.y.test with ESMTPS id 1;"
    " Sat, 21 Nov 2026 10:00:05 +0000",
    "by mx.x.test (Postfix, from userid 1000); no date",
    "from laptop (unknown [10.0.0.2]) by relay.x.test with ESMTPSA;"
    " Sat, 21 Nov 2026 10:58:00 +0100 (CET)",
]


def test_the_way_is_told_from_its_beginning_with_delays():
    first, second, third = read_hops(WAY)
    assert (first.sender, first.receiver, first.protocol) == ("laptop", "relay.x.test", "ESMTPSA")
    assert first.at == datetime(2026, 11, 21, 9, 58, tzinfo=UTC)
    assert first.delay is None
    assert (second.receiver, second.at, second.delay) == ("mx.x.test", None, None)
    assert third.sender == "mx.x.test"
    assert third.delay == timedelta(minutes=2, seconds=5)


def test_a_clock_that_is_behind_gives_less_than_no_time():
    hops = read_hops(["by b; 21 Nov 2026 09:59:58 +0000", "by a; 21 Nov 2026 10:00:00 +0000"])
    assert hops[1].delay == timedelta(seconds=-2)


def test_hops_are_bounded():
    assert len(read_hops(["by x; y"] * 1000)) == MAX_HOPS


@given(st.lists(st.text(alphabet=st.sampled_from("from by with;()<>[]1:, \t")), max_size=5))
def test_any_text_is_read(values):
    assert len(read_hops(values)) == len(values)
