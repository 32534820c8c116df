"""Domains, mailboxes, aliases and people are made whole or not at all."""

from uuid import uuid4

import pytest

from mailcore.address import parse
from mailcore.directory import aliases, domains, mailboxes, users
from mailcore.directory.errors import AlreadyExists, LimitReached, NotFound, NotUsable
from mailcore.directory.resolve import Resolved, resolve
from mailcore.models.directory import Address, Domain, Forward, Mailbox
from mailcore.models.folder import Folder
from mailcore.models.identity import Access, MailboxAccess, User
from tests.support import people
from tests.support.people import MADE_AT as NOW

pytestmark = pytest.mark.django_db
TABLES = (Address, Domain, Folder, Forward, Mailbox, MailboxAccess, User)


def counts() -> list[int]:
    return [table.objects.count() for table in TABLES]


def reached(address: str) -> list[int]:
    found = resolve(forward_path=parse(address))
    assert isinstance(found, Resolved)
    return [target.mailbox_id for target in found.mailboxes]


def test_a_domain_is_kept_in_its_normal_form():
    assert domains.create_domain(name=" Bücher.Example ", now=NOW).name == "xn--bcher-kva.example"


@pytest.mark.parametrize("name", ["", "a b", "-x.test", "[127.0.0.1]", "x@y.test"])
def test_a_domain_needs_a_name(name):
    with pytest.raises(NotUsable):
        domains.create_domain(name=name, now=NOW)
    assert sum(counts()) == 0


def test_without_an_operators_mailbox_the_system_mailbox_keeps_what_postmaster_gets():
    people.make_domain("hamburger.test")
    people.make_domain("crepes.test")
    system = Mailbox.objects.get(is_system=True)
    assert Folder.objects.filter(mailbox=system).count() == 6
    for address in ("postmaster@hamburger.test", "abuse@crepes.test"):
        assert reached(address) == [system.pk]


def test_operators_read_the_system_mailbox_whoever_came_first():
    before = people.make_operator("first")
    people.make_domain()
    after = users.create_operator(login="second", password="x" * 10, now=NOW)
    for operator in (before, after):
        [row] = mailboxes.for_user(operator)
        assert (row.mailbox.is_system, row.role, row.address) == (True, "owner", "")


def test_postmaster_and_abuse_lead_to_the_first_operators_mailbox():
    alice = people.make_alice()
    User.objects.filter(pk=alice.user.pk).update(is_operator=True)
    people.make_domain("crepes.test")
    for local_part in domains.ROLE_ADDRESSES:
        assert reached(f"{local_part}@crepes.test") == [alice.mailbox.pk]


def test_a_mailbox_comes_with_owner_address_and_folders():
    people.make_domain()
    made = mailboxes.create_mailbox(
        address='"Ana.Pelé"@HAMBURGER.test', password="secret", quota_bytes=9, now=NOW
    )
    assert made.address == made.user.login == "ana.pelé@hamburger.test"
    assert made.user.check_password("secret")
    assert made.mailbox.quota_bytes == 9
    assert reached("Ana.Pelé@hamburger.test") == [made.mailbox.pk]
    folders = Folder.objects.filter(mailbox=made.mailbox).order_by("position")
    assert [(f.role, f.name, f.uidvalidity) for f in folders] == [
        ("inbox", "INBOX", 1),
        ("sent", "Sent", 2),
        ("drafts", "Drafts", 3),
        ("archive", "Archive", 4),
        ("junk", "Junk", 5),
        ("trash", "Trash", 6),
    ]
    made.mailbox.refresh_from_db()
    assert made.mailbox.uidvalidity_next == 7


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("bob@hamburger.test", AlreadyExists),
        ("BOB@hamburger.test", AlreadyExists),
        ("postmaster@hamburger.test", AlreadyExists),
        ("taken@hamburger.test", AlreadyExists),
        ("x@nowhere.test", NotFound),
        ("x", NotUsable),
        (".x@hamburger.test", NotUsable),
    ],
)
def test_a_mailbox_that_cannot_be_made_changes_nothing(address, error):
    people.make_bob()
    users.create_operator(login="taken@hamburger.test", password="x", now=NOW)
    before = counts()
    with pytest.raises(error):
        mailboxes.create_mailbox(address=address, password="secret", now=NOW)
    assert counts() == before


def test_a_domain_may_limit_its_mailboxes():
    people.make_bob()
    Domain.objects.update(mailbox_limit=1)
    with pytest.raises(LimitReached):
        people.make_alice()


def test_a_user_sees_own_mailboxes_first_and_no_others(django_assert_num_queries):
    alice, bob, mallory = people.make_alice(), people.make_bob(), people.make_mallory()
    people.give_access(user=alice.user, mailbox=mallory.mailbox, role=Access.READ)
    people.give_access(user=alice.user, mailbox=bob.mailbox, role=Access.SEND)
    with django_assert_num_queries(1):
        rows = mailboxes.for_user(alice.user)
    assert [(row.address, row.role, row.display_name) for row in rows] == [
        ("alice@hamburger.test", "owner", "Alice"),
        ("bob@hamburger.test", "send", "Bob"),
        ("mallory@crepes.test", "read", "Mallory"),
    ]
    assert [row.address for row in mailboxes.for_user(mallory.user)] == ["mallory@crepes.test"]


def test_an_id_finds_a_mailbox_only_for_those_who_may_use_it(django_assert_num_queries):
    alice, bob, mallory = people.make_alice(), people.make_bob(), people.make_mallory()
    with django_assert_num_queries(1):
        row = mailboxes.access(alice.user, alice.mailbox.public_id)
    assert row is not None
    assert row.mailbox == alice.mailbox
    for stranger in (bob, mallory):
        assert mailboxes.access(stranger.user, alice.mailbox.public_id) is None
    assert mailboxes.access(alice.user, uuid4()) is None


def test_an_alias_has_several_targets_once_each():
    bob = people.make_bob()
    aliases.create_alias(
        address="Team@hamburger.test",
        targets=["bob@hamburger.test", "Bob@Hamburger.test", "x@BÜCHER.example"],
        now=NOW,
    )
    found = resolve(forward_path=parse("team@hamburger.test"))
    assert isinstance(found, Resolved)
    assert [target.mailbox_id for target in found.mailboxes] == [bob.mailbox.pk]
    assert [remote.address for remote in found.remotes] == ["x@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("address", "targets", "error"),
    [
        ("bob@hamburger.test", ["x@y.example"], AlreadyExists),
        ("a@nowhere.test", ["x@y.example"], NotFound),
        ("a@hamburger.test", [], NotUsable),
        ("a@hamburger.test", ["x@y.example", "A@hamburger.test"], NotUsable),
        ("a@hamburger.test", ["nonsense"], NotUsable),
        ("nonsense", ["x@y.example"], NotUsable),
    ],
)
def test_an_alias_that_cannot_be_made_changes_nothing(address, targets, error):
    people.make_bob()
    before = counts()
    with pytest.raises(error):
        aliases.create_alias(address=address, targets=targets, now=NOW)
    assert counts() == before


@pytest.mark.parametrize("login", ["", " ", "a\0b", "x" * 321])
def test_an_operator_needs_a_login(login):
    with pytest.raises(NotUsable):
        users.create_operator(login=login, password="secret", now=NOW)


def test_logins_are_taken_without_regard_to_case():
    users.create_operator(login="Root", password="secret", now=NOW)
    with pytest.raises(AlreadyExists):
        users.create_operator(login="rOOT", password="secret", now=NOW)


def test_a_new_password_ends_sessions():
    bob = people.make_bob()
    before = bob.user.get_session_auth_hash()
    changed = users.set_password(login="BOB@hamburger.test", password="another one")
    assert changed.check_password("another one")
    assert changed.get_session_auth_hash() != before


def test_a_password_needs_a_user_and_characters():
    with pytest.raises(NotFound):
        users.set_password(login="nobody", password="x")
    people.make_bob()
    for password in ("", "x" * 1025):
        with pytest.raises(NotUsable):
            users.set_password(login="bob@hamburger.test", password=password)


def test_generated_passwords_are_long_and_differ():
    made = {users.generate_password() for _ in range(100)}
    assert len(made) == 100
    assert {len(password) for password in made} == {23}
