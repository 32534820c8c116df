from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.date import parse_date


@pytest.mark.parametrize(
    ("value", "at"),
    [  # RFC 5322, appendix A
        ("Fri, 21 Nov 1997 09:55:06 -0600", datetime(1997, 11, 21, 15, 55, 6, tzinfo=UTC)),
        (
            "Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330",
            datetime(1969, 2, 14, 3, 2, tzinfo=UTC),
        ),
        ("21 Nov 97 09:55:06 GMT", datetime(1997, 11, 21, 9, 55, 6, tzinfo=UTC)),
        ("Fri Nov 21 09:55:06 1997", datetime(1997, 11, 21, 9, 55, 6, tzinfo=UTC)),
        ("2025-01-02T03:04:05Z", datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("31 Feb 2025 10:00 +0000", None),
        ("tomorrow", None),
    ],
)
def test_dates(value, at):
    assert parse_date(value) == at


@given(st.text(alphabet="0123456789 JanFeb,:+-GMT()", max_size=60))
def test_any_text_is_an_instant_in_utc_or_none(value):
    at = parse_date(value)
    assert at is None or at.tzinfo is UTC
