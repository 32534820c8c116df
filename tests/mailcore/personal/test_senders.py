"""personal.senders: whom a person trusts and blocks."""

import pytest

from mailcore.models.personal import TrustedSender
from mailcore.personal import senders
from tests.support.people import make_alice, make_bob

pytestmark = pytest.mark.django_db


def test_trust_is_of_one_person_and_compares_as_addresses_do(django_assert_num_queries):
    alice, bob = make_alice().user, make_bob().user
    senders.trust(alice, " News@Shop.EXAMPLE ")
    with django_assert_num_queries(1):
        found = senders.trusted(alice, ["NEWS@shop.example", "other@shop.example", "nonsense"])
    assert found == {"NEWS@shop.example"}
    assert senders.trusted(bob, ["news@shop.example"]) == set()


def test_trust_twice_is_one_row_and_ends_with_untrust():
    alice = make_alice().user
    senders.trust(alice, "news@shop.example")
    senders.trust(alice, "NEWS@shop.example")
    assert TrustedSender.objects.count() == 1
    assert senders.untrust(alice, "News@shop.example") is True
    assert senders.untrust(alice, "news@shop.example") is False


@pytest.mark.parametrize("text", ["", "x", "@", "a b@x.example", "@-", "<script>", "a@b\0.example"])
def test_what_is_no_address_is_refused(text):
    alice = make_alice().user
    with pytest.raises(senders.SenderRefused) as trusting:
        senders.trust(alice, text)
    with pytest.raises(senders.SenderRefused) as blocking:
        senders.block(alice, text)
    assert (trusting.value.reason, blocking.value.reason) == ("address", "address")


def test_a_blocked_domain_blocks_each_of_its_addresses_but_no_subdomain():
    alice = make_alice().user
    senders.block(alice, "@Spam.example")
    senders.block(alice, "eve@other.example")
    asked = ["x@SPAM.example", "x@sub.spam.example", "Eve@other.example", "bob@other.example"]
    assert senders.blocked(alice, asked) == {"x@SPAM.example", "Eve@other.example"}
    assert senders.list_blocked(alice) == ["@spam.example", "eve@other.example"]


def test_whom_one_blocks_one_does_not_trust():
    alice = make_alice().user
    senders.trust(alice, "eve@other.example")
    senders.block(alice, "eve@other.example")
    assert senders.list_trusted(alice) == []
    assert senders.unblock(alice, "EVE@other.example") is True
    assert senders.list_blocked(alice) == []


def test_a_list_has_an_end(monkeypatch):
    monkeypatch.setattr(senders, "LIST_MAX", 1)
    alice = make_alice().user
    senders.block(alice, "eve@other.example")
    with pytest.raises(senders.SenderRefused) as refused:
        senders.block(alice, "x@other.example")
    assert refused.value.reason == "full"
