"""Lists of what exists: every row once, in order, a page at a time, with its counts."""

import pytest

from mailcore.directory import aliases, changing, listing, mailboxes
from mailcore.models.directory import Mailbox
from tests.support.people import MADE_AT as NOW
from tests.support.people import (
    give_access,
    make_alice,
    make_bob,
    make_domain,
    make_mallory,
    make_operator,
)

pytestmark = pytest.mark.django_db


def _all(page_of, **narrowed):
    """Walk through the pages, two rows at a time."""
    rows, after = [], None
    while True:
        page = page_of(after=after, limit=2, **narrowed)
        rows += page.rows
        after = page.after
        if after is None:
            return rows


def test_domains_come_by_name_with_what_is_in_them():
    make_alice(), make_bob(), make_mallory()
    make_domain("b.test"), make_domain("a.test")
    rows = _all(listing.domains)
    assert [row.name for row in rows] == ["a.test", "b.test", "crepes.test", "hamburger.test"]
    assert [(row.mailbox_count, row.address_count) for row in rows] == [
        (0, 2),
        (0, 2),
        (1, 3),
        (2, 4),
    ]
    assert [row.name for row in _all(listing.domains, text="Crepe")] == ["crepes.test"]


def test_a_domain_names_its_catch_all():
    alice = make_alice()
    row = listing.domains().rows[0]
    changing.change_domain(
        public_id=row.public_id,
        is_enabled=True,
        catch_all=alice.address,
        default_quota_bytes=5,
        mailbox_limit=None,
    )
    found = listing.domain(public_id=row.public_id)
    assert found is not None
    assert (found.catch_all, found.default_quota_bytes) == (alice.address, 5)


def test_mailboxes_come_domain_by_domain_and_the_quota_is_what_holds():
    alice, _, _ = make_alice(), make_bob(), make_mallory()
    rows = _all(listing.mailboxes)
    assert [row.address for row in rows] == [
        "alice@hamburger.test",
        "bob@hamburger.test",
        "mallory@crepes.test",
    ]
    assert [row.quota_bytes for row in rows] == [None, None, None]
    changing.change_mailbox(public_id=alice.box, display_name="A", quota_bytes=7, is_enabled=False)
    row = listing.mailbox(public_id=alice.box)
    assert row is not None
    assert (row.own_quota_bytes, row.quota_bytes, row.is_enabled) == (7, 7, False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ali", ["alice@hamburger.test"]),
        ("ALICE@ham", ["alice@hamburger.test"]),
        ("@crepes", ["mallory@crepes.test"]),
        ("nobody", []),
        ("a%", []),
    ],
)
def test_a_part_of_an_address_finds_mailboxes(text, found):
    make_alice(), make_bob(), make_mallory()
    assert [row.address for row in listing.mailboxes(text=text).rows] == found


def test_the_system_mailbox_has_a_page_and_no_line():
    make_domain()
    box = Mailbox.objects.get(is_system=True)
    assert listing.mailboxes().rows == ()
    row = listing.mailbox(public_id=box.public_id)
    assert row is not None
    assert (row.address, row.name) == ("", "System")


def test_addresses_tell_where_they_lead():
    alice = make_alice()
    aliases.create_alias(
        address="team@hamburger.test", targets=[alice.address, "x@far.example"], now=NOW
    )
    rows = {row.address: row for row in _all(listing.addresses_of)}
    assert list(rows) == [
        f"{name}@hamburger.test" for name in ("abuse", "alice", "postmaster", "team")
    ]
    assert rows["team@hamburger.test"].targets == (alice.address, "x@far.example")
    assert rows["team@hamburger.test"].mailbox_id is None
    assert rows["alice@hamburger.test"].mailbox_id == alice.box
    assert rows["abuse@hamburger.test"].mailbox == "System"
    (only,) = _all(listing.addresses_of, aliases_only=True)
    assert only.address == "team@hamburger.test"


def test_people_come_by_login():
    make_bob(), make_operator("Zoe"), make_alice()
    rows = _all(listing.users)
    assert [row.login for row in rows] == ["alice@hamburger.test", "bob@hamburger.test", "Zoe"]
    assert [row.is_operator for row in rows] == [False, False, True]


def test_access_is_listed_from_both_sides():
    alice, bob = make_alice(), make_bob()
    give_access(user=bob.user, mailbox=alice.mailbox, role="read")
    of_box = listing.accesses(mailbox_id=alice.box)
    assert [(row.login, row.role) for row in of_box] == [
        (alice.address, "owner"),
        (bob.address, "read"),
    ]
    of_bob = listing.accesses(user_id=bob.user.public_id)
    assert [(row.mailbox, row.role) for row in of_bob] == [
        (alice.address, "read"),
        (bob.address, "owner"),
    ]


@pytest.mark.parametrize(
    ("page_of", "queries"),
    [(listing.domains, 1), (listing.mailboxes, 1), (listing.addresses_of, 2), (listing.users, 1)],
)
def test_a_page_costs_the_same_however_long(page_of, queries, django_assert_num_queries):
    for number in range(6):
        mailboxes.create_mailbox(
            address=f"u{number}@{make_domain(f'd{number}.test').name}", password="x", now=NOW
        )
    with django_assert_num_queries(queries):
        page_of(limit=50)


def test_a_cursor_that_is_gone_starts_anew():
    box = make_alice().box
    assert len(listing.domains(after=box).rows) == 1
    assert len(listing.addresses_of(after=box).rows) == 3
    assert len(listing.users(after=box).rows) == 1
