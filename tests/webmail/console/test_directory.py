"""Domains, mailboxes, addresses, people: made and changed by forms, with errors at their fields."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mailcore.address import parse
from mailcore.directory import aliases, listing, mailboxes
from mailcore.directory.resolve import Resolved, resolve
from mailcore.models.directory import Domain
from mailcore.models.identity import MailboxAccess, User
from mailcore.models.trace import AuditEvent
from tests.support.people import MADE_AT, make_domain, make_person
from tests.webmail.console.conftest import HOSTILE, assert_escaped

NOBODY = "01a1fc9a-cefb-7d6c-9050-000000000000"
PASSWORD = "a long enough phrase"
LISTS = ("domains", "mailboxes", "addresses", "users")
LIST_QUERIES = {"domains": 3, "mailboxes": 3, "addresses": 4, "users": 3}


def _url(name: str, *args: object) -> str:
    return reverse(f"console:{name}", args=args)


def _domain(name: str = "crepes.test") -> Domain:
    return Domain.objects.get(name=name)


def test_a_domain_is_made_and_shown(console):
    response = console.post(_url("new_domain"), {"name": "Bücher.example"}, follow=True)
    page = response.content.decode()
    assert response.redirect_chain[0][1] == 303
    assert "xn--bcher-kva.example was made." in page
    assert resolve(forward_path=parse("abuse@xn--bcher-kva.example")).mailboxes  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "This field is required."),
        ("crepes.test", "crepes.test exists already."),
        ("a b", "a b cannot be used here."),
        ("x" * 300, "at most 255"),
        ("a\0b.test", "Null characters are not allowed."),
    ],
)
def test_a_wrong_domain_is_said_beside_the_field(console, alice, name, said):
    response = console.post(_url("new_domain"), {"name": name})
    page = response.content.decode()
    assert response.status_code == 422
    error = re.search(r'id="id_name_error">([^<]*)<', page)
    assert error is not None
    assert said in error[1]
    assert 'aria-describedby="id_name_helptext id_name_error"' in page
    assert 'aria-invalid="true"' in page


def test_a_domain_is_changed(console, alice):
    url = _url("domain", _domain().public_id)
    data = {
        "is_enabled": "on",
        "catch_all": alice.address,
        "default_quota_bytes": "1.5 GB",
        "mailbox_limit": "3",
    }
    assert console.post(url, data).status_code == 303
    row = _domain()
    assert row.catch_all == alice.mailbox
    assert (row.default_quota_bytes, row.mailbox_limit) == (3 * 2**29, 3)
    page = console.get(url).content.decode()
    assert 'value="1536 MB"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("catch_all", "nobody@crepes.test"),
        ("default_quota_bytes", "much"),
        ("default_quota_bytes", "-1"),
        ("mailbox_limit", "-1"),
        ("default_quota_bytes", "999999999999 TB"),
    ],
)
def test_a_wrong_value_of_a_domain_changes_nothing(console, alice, field, value):
    url = _url("domain", _domain().public_id)
    response = console.post(url, {"is_enabled": "on", field: value})
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in response.content.decode()
    assert not AuditEvent.objects.exists()


def test_an_empty_domain_is_deleted_and_a_full_one_is_not(console, alice):
    make_domain("empty.test")
    console.post(_url("delete_domain", _domain("empty.test").public_id))
    assert not Domain.objects.filter(name="empty.test").exists()
    response = console.post(_url("delete_domain", _domain().public_id), follow=True)
    assert "crepes.test still has mailboxes or addresses." in response.content.decode()


def test_a_mailbox_is_made_and_its_owner_can_sign_in(console, client, alice):
    data = {"address": "New@crepes.test", "display_name": "New", "password": PASSWORD}
    response = console.post(_url("new_mailbox"), {**data, "quota_bytes": "1 GB"})
    assert response.status_code == 303
    user = User.objects.get(login="new@crepes.test")
    assert user.check_password(PASSWORD)
    assert mailboxes.for_user(user)[0].mailbox.quota_bytes == 2**30
    signed_in = client.post("/login/", {"login": "new@crepes.test", "password": PASSWORD})
    assert signed_in.status_code == 302


def test_a_made_password_is_shown_once_and_kept_nowhere(console, alice):
    response = console.post(_url("new_mailbox"), {"address": "new@crepes.test"})
    page = response.content.decode()
    assert response["Cache-Control"] == "no-store"
    shown = re.search(r"<output[^>]*>([^<]+)</output>", page)
    assert shown is not None
    assert User.objects.get(login="new@crepes.test").check_password(shown[1])
    assert shown[1] not in str(list(AuditEvent.objects.values()))
    assert shown[1] not in str(console.cookies)
    assert shown[1] not in str(dict(console.session))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"address": "alice@crepes.test", "password": PASSWORD}, "address"),
        ({"address": "x@unknown.test", "password": PASSWORD}, "address"),
        ({"address": "no address", "password": PASSWORD}, "address"),
        ({"address": "new@crepes.test", "password": "short"}, "password"),
        ({"address": "new@crepes.test", "password": "password123"}, "password"),
        ({"address": "new@crepes.test", "quota_bytes": "x"}, "quota_bytes"),
    ],
)
def test_a_wrong_mailbox_is_said_beside_the_field(console, alice, data, field):
    count = User.objects.count()
    response = console.post(_url("new_mailbox"), data)
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in response.content.decode()
    assert User.objects.count() == count


def test_a_full_domain_says_so(console, alice):
    Domain.objects.filter(name="crepes.test").update(mailbox_limit=1)
    response = console.post(_url("new_mailbox"), {"address": "new@crepes.test"})
    assert "crepes.test may have no more mailboxes" in response.content.decode()


def test_fields_that_a_form_does_not_name_do_not_count(console, alice):
    before = alice.mailbox
    extra = {"used_bytes": "1", "modseq": "9", "is_system": "on", "public_id": str(uuid4())}
    console.post(_url("mailbox", alice.box), {"display_name": "Changed", **extra})
    alice.mailbox.refresh_from_db()
    after = alice.mailbox
    assert after.display_name == "Changed"
    assert (after.used_bytes, after.modseq, after.is_system, after.public_id) == (
        before.used_bytes,
        before.modseq,
        False,
        before.public_id,
    )
    data = {"login": "x", "password": PASSWORD, "is_superuser": "on", "is_active": ""}
    console.post(_url("new_user"), data)
    user = User.objects.get(login="x")
    assert (user.is_operator, user.is_active) == (False, True)


def test_access_is_given_and_withdrawn(console, alice, bob):
    url = _url("give_access", alice.box)
    assert console.post(url, {"login": bob.address, "role": "send"}).status_code == 303
    page = console.get(_url("mailbox", alice.box)).content.decode()
    assert bob.address in page
    console.post(_url("withdraw_access", alice.box, bob.user.public_id))
    assert MailboxAccess.objects.filter(mailbox=alice.mailbox).count() == 1


@pytest.mark.parametrize("data", [{"login": "nobody", "role": "read"}, {"login": "", "role": "x"}])
def test_access_for_nobody_is_refused_beside_the_field(console, alice, data):
    response = console.post(_url("give_access", alice.box), data)
    assert response.status_code == 422
    assert 'id="id_login_error"' in response.content.decode()


def test_an_alias_leads_to_several_targets(console, alice, bob):
    data = {
        "address": "team@crepes.test",
        "targets": f"{alice.address}\r\n{bob.address}, x@far.test",
    }
    assert console.post(_url("new_alias"), data).status_code == 303
    found = resolve(forward_path=parse("team@crepes.test"))
    assert isinstance(found, Resolved)
    assert {t.address for t in found.mailboxes} == {alice.address, bob.address}
    assert [t.address for t in found.remotes] == ["x@far.test"]


@pytest.mark.parametrize(
    ("address", "targets", "field"),
    [
        ("team@crepes.test", "", "targets"),
        ("team@crepes.test", "not an address", "targets"),
        ("team@crepes.test", "team@crepes.test", "targets"),
        ("alice@crepes.test", "x@far.test", "address"),
        ("x@unknown.test", "x@far.test", "address"),
    ],
)
def test_a_wrong_alias_is_said_beside_the_field(console, alice, address, targets, field):
    response = console.post(_url("new_alias"), {"address": address, "targets": targets})
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in response.content.decode()


def test_an_address_is_changed_and_deleted(console, alice):
    row = aliases.create_alias(address="t@crepes.test", targets=[alice.address], now=MADE_AT)
    url = _url("address", row.public_id)
    assert console.post(url, {"is_enabled": "on", "targets": "x@far.test"}).status_code == 303
    assert "x@far.test" in console.get(url).content.decode()
    assert console.post(_url("delete_address", row.public_id)).status_code == 303
    assert console.get(url).status_code == 404


def test_an_address_that_a_domain_must_have_offers_no_deletion(console, alice):
    (row,) = listing.addresses_of(domain="crepes.test", text="postmaster").rows
    page = console.get(_url("address", row.public_id)).content.decode()
    assert _url("delete_address", row.public_id) not in page


def test_the_owner_of_a_new_mailbox_has_its_name(console, alice):
    console.post(_url("new_mailbox"), {"address": "eva@crepes.test", "display_name": "Eva Luna"})
    assert User.objects.get(login="eva@crepes.test").display_name == "Eva Luna"


def test_a_page_below_a_section_keeps_its_place_in_the_rail(console, alice):
    page = console.get(_url("new_mailbox")).content.decode()
    assert page.count('aria-current="true"') == 1
    assert f'href="{_url("mailboxes")}" aria-current="true"' in page


def test_a_person_is_made_disabled_and_given_a_password(console, client):
    console.post(_url("new_user"), {"login": "helper", "password": PASSWORD})
    user = User.objects.get(login="helper")
    client.force_login(user)
    assert client.get("/mail/").status_code == 200
    url = _url("password", user.public_id)
    assert console.post(url, {"password": PASSWORD + "2"}).status_code == 303
    assert client.get("/mail/").status_code == 302, "the new password ends all sessions"
    console.post(_url("user", user.public_id), {"display_name": "H"})
    user.refresh_from_db()
    assert (user.display_name, user.is_active) == ("H", False)


def test_an_operator_keeps_their_own_rights(console, operator):
    response = console.post(_url("user", operator.public_id), {"is_active": "on"})
    assert response.status_code == 422
    assert "You cannot take these rights from yourself." in response.content.decode()
    operator.refresh_from_db()
    assert operator.is_operator


@pytest.mark.parametrize(
    "name", ["domain", "mailbox", "address", "user", "delete_domain", "delete_address", "password"]
)
def test_what_is_not_there_is_404(console, name):
    url = _url(name, uuid4())
    methods = (
        ("post",) if name in {"delete_domain", "delete_address", "password"} else ("get", "post")
    )
    for method in methods:
        assert getattr(console, method)(url, {"password": PASSWORD}).status_code == 404


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_however_long(console, name):
    console.get(_url(name))
    for number in range(8):
        make_person(f"u{number}@d{number}.test")
    with CaptureQueriesContext(
        connection,
    ) as caught:
        page = console.get(_url(name))
    assert page.status_code == 200
    assert len(caught) == LIST_QUERIES[name], [query["sql"][:90] for query in caught]


@pytest.mark.parametrize("name", LISTS)
def test_pages_of_a_list_are_addresses(console, name):
    for number in range(60):
        domain = make_domain(f"d{number:02}.test").name
        mailboxes.create_mailbox(address=f"u{number}@{domain}", password="x", now=MADE_AT)
    first = console.get(_url(name)).content.decode()
    more = re.search(r'href="(\?after=[^"]+)"', first)
    assert more is not None
    second = console.get(_url(name) + more[1]).content.decode()
    assert "First page" in second
    links = [
        set(re.findall(r'class="console__name" href="([^"]+)"', page)) for page in (first, second)
    ]
    assert len(links[0]) == 50
    assert links[1]
    assert not links[0] & links[1]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "query", ["?after=x", f"?after={NOBODY}", "?q=%00", "?q=%25", "?domain=%00"]
)
def test_odd_questions_are_no_fault(console, alice, name, query):
    assert console.get(_url(name) + query).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_what_was_typed_is_escaped(console, alice, name):
    assert_escaped(console.get(_url(name), {"q": HOSTILE}).content)


def test_hostile_names_are_escaped_on_every_page(console, alice, operator):
    alice.mailbox.display_name = alice.user.display_name = HOSTILE
    alice.mailbox.save()
    alice.user.save()
    console.post(_url("new_domain"), {"name": HOSTILE})
    console.post(_url("mailbox", alice.box), {"display_name": HOSTILE, "is_enabled": "on"})
    for url in (_url("mailboxes"), _url("mailbox", alice.box), _url("audit"), _url("overview")):
        assert_escaped(console.get(url).content)
    assert_escaped(console.get(_url("user", alice.user.public_id)).content)
    for name, data in (
        ("new_domain", {"name": HOSTILE}),
        ("new_mailbox", {"address": HOSTILE, "password": HOSTILE}),
        ("new_alias", {"address": HOSTILE, "targets": HOSTILE}),
    ):
        assert_escaped(console.post(_url(name), data).content)


def test_the_console_speaks_spanish(console, alice):
    page = console.get(_url("domains"), headers={"Accept-Language": "es"}).content.decode()
    assert "Dominios" in page
    assert "Nuevo dominio" in page
    assert "Takes mail" not in page


def test_a_listing_row_is_found_again_by_its_id(alice):
    (row,) = listing.domains().rows
    assert listing.domain(public_id=row.public_id) == row
