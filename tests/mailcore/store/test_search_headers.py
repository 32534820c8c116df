"""store.search_headers: fields that no index has, read from the messages."""

import shutil
import time
from datetime import timedelta

import pytest

from mailcore import conf
from mailcore.search.query import parse
from mailcore.store import search, search_headers, search_hits
from tests.support.deliveries import NOW, make_mailbox, make_message
from tests.support.mail_builders import derive_all, store

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox():
    return make_mailbox()


def _mail(mailbox, subject, *headers, days=0, body="Hi"):
    raw = make_message(message_id=f"{subject}@m.test", subject=subject, headers=headers, body=body)
    return store(raw, mailbox=mailbox, at=NOW - timedelta(days=days))[0]


def _found(mailbox, text, **more):
    query = parse(text, language="en", today=NOW.date())
    page = search.search(mailbox=mailbox, query=query, me=[], now=NOW, **more)
    return [row.subject for row in page.rows]


def test_a_field_that_contains_the_text_is_found_whatever_its_case(mailbox):
    _mail(mailbox, "spam", "X-Spam-Status: Yes, score=9.1")
    _mail(mailbox, "ham", "X-Spam-Status: No", days=1)
    _mail(mailbox, "plain", "X-Other: Yes", days=2)
    assert _found(mailbox, "header:x-spam-status:YES") == ["spam"]
    assert _found(mailbox, 'cabecera:X-Spam-Status:"score=9"') == ["spam"]
    assert _found(mailbox, "header:X-Spam-Status") == ["spam", "ham"]
    assert _found(mailbox, "-header:X-Spam-Status") == ["plain"]
    assert _found(mailbox, "-header:X-Spam-Status:yes") == ["ham", "plain"]


def test_folds_and_encoded_words_are_read_and_the_body_is_not(mailbox):
    _mail(mailbox, "folded", "X-Note: one\r\n two", "X-Who: =?utf-8?q?Jos=C3=A9?=")
    _mail(mailbox, "body", body="X-Note: one two")
    assert _found(mailbox, 'header:X-Note:"one two"') == ["folded"]
    assert _found(mailbox, "header:X-Who:jose") == ["folded"]


def test_headers_stand_beside_words_and_operators(mailbox):
    for number in range(3):
        _mail(mailbox, f"plan {number}", f"X-N: {number}", days=number)
    _mail(mailbox, "other", "X-N: 1")
    derive_all()
    assert _found(mailbox, "plan header:X-N:1") == ["plan 1"]
    assert _found(mailbox, "newer_than:1d header:X-N") == ["other", "plan 0", "plan 1"]
    assert _found(mailbox, "subject:plan header:X-N -header:X-N:1") == ["plan 0", "plan 2"]


def test_pages_and_portions_give_each_once(mailbox, monkeypatch):
    monkeypatch.setattr(search_hits, "_HEADERS_READ", 2)
    for number in range(9):
        _mail(mailbox, f"{number}", f"X-Odd: {number % 2}", days=number)
    derive_all()
    for text in ("header:X-Odd:1", "hi header:X-Odd:1"):
        assert _found(mailbox, text) == ["1", "3", "5", "7"]
        assert _found(mailbox, text, oldest_first=True) == ["7", "5", "3", "1"]
        assert _found(mailbox, text, limit=3) == ["1", "3", "5"]


def test_what_was_read_in_time_is_shown_and_said_to_be_part(mailbox, monkeypatch):
    monkeypatch.setattr(search_hits, "_HEADERS_READ", 2)
    for number in range(6):
        _mail(mailbox, f"{number}", "X-A: b", days=number)
    quick = search_headers.passing

    def slow(*arguments):
        time.sleep(0.4)
        return quick(*arguments)

    monkeypatch.setattr(search_headers, "passing", slow)
    monkeypatch.setattr(search, "TIME_S", 0.6)
    query = parse("header:X-A:b", language="en", today=NOW.date())
    page = search.search(mailbox=mailbox, query=query, me=[], now=NOW)
    assert page.is_partial
    assert 0 < len(page.rows) < 6


def test_a_header_that_is_gone_passes_nothing(mailbox, settings):
    settings.BLOB_INLINE_MAX = 0
    _mail(mailbox, "kept", "X-A: b")
    assert _found(mailbox, "header:X-A") == ["kept"]
    shutil.rmtree(conf.data_dir() / "blobs")
    assert _found(mailbox, "header:X-A") == []
    assert _found(mailbox, "-header:X-A") == []
