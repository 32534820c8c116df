"""Every code of the registry has an explanation, the nearest one there is."""

from __future__ import annotations

import pytest

from mailcore.delivery.explanations import explain
from mailcore.smtp.reply import Reply


@pytest.mark.parametrize(
    ("reply", "happened"),
    [
        (Reply(550, "5.1.1", "x"), "That address does not exist there."),
        (Reply(450, "4.1.1", "x"), "That address does not exist there."),
        (Reply(556, "5.1.10", "x"), "The domain, the part after the @, takes no mail at all."),
        (Reply(552, "5.2.2", "x"), "The mailbox of the recipient is full."),
        (Reply(554, "5.7.99", "x"), "The other server refused the message by its rules"),
        (Reply(550, "5.9.9", "x"), "The other server refused the message."),
        (Reply(550, "", "x"), "The other server refused the message."),
        (Reply(451, "", "x"), "The other server did not take the message for the time being."),
        (Reply(451, "4.0.0", "x"), "The other server did not take the message"),
        (Reply(550, "nonsense", "x"), "The other server refused the message."),
    ],
)
def test_a_code_is_explained_by_the_nearest_entry(reply, happened):
    found = explain(reply)
    assert str(found.happened).startswith(happened)
    assert str(found.advice)
