"""The audit log: an entry with each change, none without, and pages of it."""

import pytest

from mailcore.models.directory import Domain
from mailcore.models.trace import AuditEvent
from mailcore.trace import audit
from tests.support.people import MADE_AT as NOW
from tests.support.people import make_domain

pytestmark = pytest.mark.django_db


def _do(number: int) -> None:
    with audit.recorded(by="op", action="thing.done", on=f"no {number}", now=NOW) as detail:
        detail["number"] = number


def test_a_change_is_told_with_who_what_on_what_and_when():
    with audit.recorded(by="op", action="domain.made", on="x.test", now=NOW, size=3) as detail:
        make_domain("x.test")
        detail["more"] = True
    (deed,) = audit.deeds().deeds
    assert (deed.actor, deed.action, deed.object, deed.at) == ("op", "domain.made", "x.test", NOW)
    assert deed.detail == {"size": 3, "more": True}


def _break() -> None:
    with audit.recorded(by="op", action="domain.made", now=NOW):
        make_domain("x.test")
        raise ZeroDivisionError


def test_what_raises_is_neither_done_nor_told():
    with pytest.raises(ZeroDivisionError):
        _break()
    assert not AuditEvent.objects.exists()
    assert not Domain.objects.exists()


def test_hostile_text_is_cut_and_stored():
    with audit.recorded(by="op\0", action="a" * 99, on="x" * 999 + "\ud800", now=NOW):
        pass
    (deed,) = audit.deeds().deeds
    assert (deed.actor, len(deed.action), len(deed.object)) == ("op?", 60, 400)


def test_pages_go_back_in_time_and_end():
    for number in range(5):
        _do(number)
    first = audit.deeds(limit=3)
    assert [deed.detail["number"] for deed in first.deeds] == [4, 3, 2]
    second = audit.deeds(limit=3, before=first.before)
    assert [deed.detail["number"] for deed in second.deeds] == [1, 0]
    assert second.before is None


def test_one_page_is_one_query(django_assert_num_queries):
    _do(1)
    with django_assert_num_queries(1):
        audit.deeds(limit=50)
