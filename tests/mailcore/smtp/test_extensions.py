"""What EHLO offers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.smtp.extensions import parse_extensions


def test_offers_are_read_whatever_their_case():
    found = parse_extensions(
        [b"mx.test greets", b"pipelining", b"SIZE 1000", b"8BITMIME", b"SMTPUTF8", b"DSN",
         b"AUTH plain login", b"LIMITS RCPTMAX=20 MAILMAX=5", b"STARTTLS"]
    )  # fmt: skip
    assert found.pipelining
    assert (found.size, found.size_limit) == (True, 1000)
    assert (found.eight_bit, found.smtputf8, found.dsn) == (True, True, True)
    assert found.mechanisms == ("PLAIN", "LOGIN")
    assert (found.recipient_limit, found.message_limit) == (20, 5)
    assert "STARTTLS" in found.offers


@pytest.mark.parametrize(
    "size", [b"SIZE", b"SIZE 0", b"SIZE -1", b"SIZE x", b"SIZE " + b"9" * 5000]
)
def test_a_size_that_says_nothing_limits_nothing(size):
    found = parse_extensions([b"mx.test", size])
    assert found.size
    assert found.size_limit == 0


def test_the_greeting_offers_nothing_and_smtputf8_needs_8bitmime():
    assert not parse_extensions([b"PIPELINING"]).pipelining
    assert not parse_extensions([b"mx.test", b"SMTPUTF8"]).smtputf8


@given(st.lists(st.binary()))
def test_no_octets_raise(lines):
    assert parse_extensions(lines).size_limit >= 0
