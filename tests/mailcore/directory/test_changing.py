"""Changes of an operator: what mail and sign-in find afterwards, and what may not be done."""

from uuid import uuid4

import pytest

from mailcore.address import parse
from mailcore.directory import aliases, changing, listing, mailboxes, senders
from mailcore.directory.errors import NotFound, NotUsable
from mailcore.directory.resolve import Disabled, Resolved, Unknown, resolve
from mailcore.models.directory import Address, Domain
from mailcore.models.identity import MailboxAccess
from tests.support.people import MADE_AT as NOW
from tests.support.people import make_alice, make_bob, make_domain, make_mallory, make_operator

pytestmark = pytest.mark.django_db


def _address(text: str) -> Address:
    local, _, domain = text.partition("@")
    return Address.objects.get(local_part=local, domain__name=domain)


def _reached(text: str) -> list[str]:
    found = resolve(forward_path=parse(text))
    assert isinstance(found, Resolved)
    return [t.address for t in found.mailboxes] + [t.address for t in found.remotes]


def _domain(**changed) -> Domain:
    row = Domain.objects.get(name="hamburger.test")
    values = {
        "is_enabled": True,
        "catch_all": "",
        "default_quota_bytes": None,
        "mailbox_limit": None,
        **changed,
    }
    return changing.change_domain(public_id=row.public_id, **values)


def test_a_domain_that_is_off_takes_no_mail():
    alice = make_alice()
    _domain(is_enabled=False)
    assert resolve(forward_path=parse(alice.address)) == Disabled("domain")


def test_a_catch_all_takes_the_rest_and_can_go():
    alice = make_alice()
    _domain(catch_all=alice.address.upper())
    assert _reached("anything@hamburger.test") == ["anything@hamburger.test"]
    _domain(catch_all="")
    assert resolve(forward_path=parse("anything@hamburger.test")) == Unknown()


@pytest.mark.parametrize("catch_all", ["nobody@hamburger.test", "team@hamburger.test"])
def test_a_catch_all_must_have_a_mailbox(catch_all):
    alice = make_alice()
    aliases.create_alias(address="team@hamburger.test", targets=[alice.address], now=NOW)
    with pytest.raises(NotFound):
        _domain(catch_all=catch_all)


def test_an_empty_domain_can_be_deleted_and_no_other():
    make_domain("empty.test")
    alice = make_alice()
    empty = Domain.objects.get(name="empty.test")
    assert changing.delete_domain(public_id=empty.public_id) == "empty.test"
    with pytest.raises(NotUsable):
        changing.delete_domain(public_id=Domain.objects.get().public_id)
    assert _reached(alice.address) == [alice.address]


def test_a_mailbox_that_is_off_takes_no_mail():
    alice = make_alice()
    changing.change_mailbox(
        public_id=alice.box, display_name="", quota_bytes=None, is_enabled=False
    )
    assert resolve(forward_path=parse(alice.address)) == Disabled("mailbox")


def test_targets_are_replaced():
    alice, bob = make_alice(), make_bob()
    team = aliases.create_alias(address="team@hamburger.test", targets=[alice.address], now=NOW)
    changing.change_address(
        public_id=team.public_id, targets=[bob.address, "x@far.example"], is_enabled=True
    )
    assert _reached("team@hamburger.test") == [bob.address, "x@far.example"]


@pytest.mark.parametrize("targets", [[], ["no address"], ["team@hamburger.test"]])
def test_an_alias_needs_targets_other_than_itself(targets):
    alice = make_alice()
    team = aliases.create_alias(address="team@hamburger.test", targets=[alice.address], now=NOW)
    with pytest.raises(NotUsable):
        changing.change_address(public_id=team.public_id, targets=targets, is_enabled=True)
    assert _reached("team@hamburger.test") == [alice.address]


def test_a_main_address_may_forward_and_never_leaves_its_mailbox():
    alice = make_alice()
    row = _address(alice.address)
    changing.change_address(public_id=row.public_id, targets=["x@far.example"], is_enabled=True)
    assert _reached(alice.address) == [alice.address, "x@far.example"]
    with pytest.raises(NotUsable):
        changing.change_address(
            public_id=row.public_id,
            targets=["x@far.example"],
            is_enabled=True,
            keeps_mailbox=False,
        )


def test_postmaster_can_be_led_to_a_person():
    alice = make_alice()
    row = _address("postmaster@hamburger.test")
    changing.change_address(
        public_id=row.public_id, targets=[alice.address], is_enabled=True, keeps_mailbox=False
    )
    assert _reached("postmaster@hamburger.test") == [alice.address]


def test_aliases_go_and_needed_addresses_stay():
    alice = make_alice()
    team = aliases.create_alias(address="team@hamburger.test", targets=[alice.address], now=NOW)
    assert changing.delete_address(public_id=team.public_id) == "team@hamburger.test"
    for needed in (alice.address, "abuse@hamburger.test"):
        with pytest.raises(NotUsable):
            changing.delete_address(public_id=_address(needed).public_id)


def test_an_operator_reads_the_system_mailbox_and_a_former_one_does_not():
    make_domain()
    boss, bob = make_operator(), make_bob()
    for is_operator in (True, False):
        changing.change_user(
            public_id=bob.user.public_id,
            display_name="",
            is_active=True,
            is_operator=is_operator,
            by=boss.public_id,
        )
        boxes = [row.mailbox.is_system for row in mailboxes.for_user(bob.user)]
        assert (True in boxes) is is_operator


@pytest.mark.parametrize(("is_active", "is_operator"), [(False, True), (True, False)])
def test_nobody_takes_rights_from_themselves(is_active, is_operator):
    boss = make_operator()
    with pytest.raises(NotUsable):
        changing.change_user(
            public_id=boss.public_id,
            display_name="",
            is_active=is_active,
            is_operator=is_operator,
            by=boss.public_id,
        )


def test_access_is_given_changed_and_withdrawn():
    alice, mallory = make_alice(), make_mallory()
    for role in ("read", "send"):
        changing.give_access(mailbox_id=alice.box, login=mallory.address.upper(), role=role)
        (row,) = MailboxAccess.objects.filter(mailbox=alice.mailbox, user=mallory.user)
        assert row.role == role
    may = senders.sending_mailbox(user_id=mallory.user.pk, address=parse(alice.address))
    assert may is not None
    changing.withdraw_access(mailbox_id=alice.box, user_id=mallory.user.public_id)
    assert mailboxes.access(mallory.user, alice.box) is None
    with pytest.raises(NotFound):
        changing.withdraw_access(mailbox_id=alice.box, user_id=mallory.user.public_id)


@pytest.mark.parametrize(
    ("login", "role", "error"),
    [("nobody", "read", NotFound), ("a\0b", "read", NotFound), ("x", "god", NotUsable)],
)
def test_access_needs_a_person_and_a_role(login, role, error):
    with pytest.raises(error):
        changing.give_access(mailbox_id=make_alice().box, login=login, role=role)


def test_a_new_password_is_the_password():
    alice = make_alice()
    user = changing.change_password(public_id=alice.user.public_id, password="something else")
    assert user.check_password("something else")


def test_what_is_not_there_is_not_found():
    calls = (
        lambda: changing.delete_domain(public_id=uuid4()),
        lambda: changing.delete_address(public_id=uuid4()),
        lambda: changing.change_password(public_id=uuid4(), password="x"),
        lambda: changing.give_access(mailbox_id=uuid4(), login="x", role="read"),
    )
    for call in calls:
        with pytest.raises(NotFound):
            call()
    assert listing.user(public_id=uuid4()) is None
