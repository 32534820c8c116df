"""Where mail for an address goes."""

from __future__ import annotations

import pytest
from django.test import override_settings

from mailcore.address import Address, parse_forward_path
from mailcore.directory import resolve
from mailcore.directory.resolve import Disabled, Looping, RemoteTarget, Resolved, Unknown
from mailcore.models import directory as tables
from mailcore.models.directory import Domain, Forward, Mailbox
from tests.support.deliveries import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def domain() -> Domain:
    return Domain.objects.create(name="hamburger.test", created_at=NOW)


@pytest.fixture
def bob(domain) -> Mailbox:
    mailbox = Mailbox.objects.create(created_at=NOW, quota_bytes=1000, used_bytes=10)
    add(domain, "bob", mailbox=mailbox)
    return mailbox


def add(domain: Domain, local_part: str, *targets: str, mailbox: Mailbox | None = None):
    address = tables.Address.objects.create(
        domain=domain, local_part=local_part, mailbox=mailbox, created_at=NOW
    )
    for target in targets:
        Forward.objects.create(address=address, target=target)
    return address


def find(text: str):
    return resolve.resolve(forward_path=parse_forward_path(text))


def boxes(found) -> list[int]:
    assert isinstance(found, Resolved)
    return [target.mailbox_id for target in found.mailboxes]


@pytest.mark.parametrize(
    "text",
    ["bob@hamburger.test", "BOB@Hamburger.TEST", '"bob"@hamburger.test', "bob+x@hamburger.test"],
)
def test_an_address_leads_to_its_mailbox_in_one_query(bob, text, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = find(text)
    assert boxes(found) == [bob.pk]
    assert found.mailboxes[0].quota_bytes == 1000


def test_dots_count(bob):
    assert isinstance(find("b.ob@hamburger.test"), Unknown)


def test_an_exact_address_wins_over_detail_and_detail_over_catch_all(domain, bob):
    lists = Mailbox.objects.create(created_at=NOW)
    rest = Mailbox.objects.create(created_at=NOW)
    add(domain, "bob+lists", mailbox=lists)
    domain.catch_all = rest
    domain.save()
    assert boxes(find("bob+lists@hamburger.test")) == [lists.pk]
    assert boxes(find("bob+other@hamburger.test")) == [bob.pk]
    assert boxes(find("nobody@hamburger.test")) == [rest.pk]


@override_settings(DETAIL_SEPARATOR="-")
def test_the_separator_is_a_setting(bob):
    assert boxes(find("bob-news@hamburger.test")) == [bob.pk]
    assert isinstance(find("bob+news@hamburger.test"), Unknown)


def test_a_foreign_domain_is_relay(bob):
    assert isinstance(find("bob@elsewhere.example"), resolve.Relay)


def test_an_alias_leads_to_several_mailboxes_and_remote_targets_once_each(domain, bob):
    ana = Mailbox.objects.create(created_at=NOW)
    add(domain, "ana", mailbox=ana)
    add(domain, "team", "bob@hamburger.test", "ana@hamburger.test", "x@elsewhere.example")
    add(domain, "all", "team@hamburger.test", "bob@hamburger.test")
    found = find("all@hamburger.test")
    assert sorted(boxes(found)) == sorted([ana.pk, bob.pk])
    assert found.remotes == (RemoteTarget("x@elsewhere.example", "team@hamburger.test"),)
    assert found.is_expansion


def test_a_mailbox_may_keep_its_mail_and_forward_it(domain, bob):
    Forward.objects.create(
        address=tables.Address.objects.get(local_part="bob"), target="bob@elsewhere.example"
    )
    found = find("bob@hamburger.test")
    assert boxes(found) == [bob.pk]
    assert found.remotes[0].address == "bob@elsewhere.example"


def test_aliases_in_a_circle_are_looping(domain):
    add(domain, "a", "b@hamburger.test")
    add(domain, "b", "a@hamburger.test")
    assert isinstance(find("a@hamburger.test"), Looping)


@pytest.mark.parametrize(("depth", "arrives"), [(10, True), (11, False)])
def test_aliases_are_followed_ten_deep(domain, bob, depth, arrives):
    for number in range(depth):
        target = "bob" if number == 0 else f"a{number - 1}"
        add(domain, f"a{number}", f"{target}@hamburger.test")
    found = find(f"a{depth - 1}@hamburger.test")
    assert isinstance(found, Resolved if arrives else Looping)


def test_what_is_disabled_takes_no_mail(domain, bob):
    Mailbox.objects.update(is_enabled=False)
    assert find("bob@hamburger.test") == Disabled("mailbox")
    Domain.objects.update(is_enabled=False)
    assert find("bob@hamburger.test") == Disabled("domain")
    assert find("nobody@hamburger.test") == Disabled("domain")


def test_postmaster_is_always_there_and_has_no_quota(domain, bob):
    system = Mailbox.objects.create(created_at=NOW, is_system=True, quota_bytes=1)
    assert boxes(find("postmaster@hamburger.test")) == [system.pk]
    assert boxes(resolve.resolve(forward_path=Address("Postmaster", ""))) == [system.pk]
    add(domain, "postmaster", mailbox=bob)
    found = find("PostMaster@hamburger.test")
    assert boxes(found) == [bob.pk]
    assert found.mailboxes[0].quota_bytes is None


def test_the_domains_quota_stands_in(domain, bob):
    Domain.objects.update(default_quota_bytes=77)
    Mailbox.objects.update(quota_bytes=None)
    assert find("bob@hamburger.test").mailboxes[0].quota_bytes == 77


def test_only_positive_answers_are_kept(bob, domain, django_assert_num_queries):
    resolve.forget()
    path = parse_forward_path("bob@hamburger.test")
    resolve.resolve_cached(forward_path=path)
    with django_assert_num_queries(0):
        assert boxes(resolve.resolve_cached(forward_path=path)) == [bob.pk]
    new = parse_forward_path("new@hamburger.test")
    assert isinstance(resolve.resolve_cached(forward_path=new), Unknown)
    add(domain, "new", mailbox=bob)
    assert boxes(resolve.resolve_cached(forward_path=new)) == [bob.pk]


def test_postmaster_has_no_quota_behind_an_alias_either(domain, bob):
    add(domain, "postmaster", "bob@hamburger.test")
    assert find("postmaster@hamburger.test").mailboxes[0].quota_bytes is None
    assert find("bob@hamburger.test").mailboxes[0].quota_bytes == 1000


def test_postmaster_falls_back_to_the_system_mailbox(domain, bob):
    system = Mailbox.objects.create(created_at=NOW, is_system=True)
    add(domain, "postmaster", "bob@hamburger.test")
    Mailbox.objects.filter(pk=bob.pk).update(is_enabled=False)
    assert boxes(find("postmaster@hamburger.test")) == [system.pk]
    Domain.objects.update(is_enabled=False)
    assert find("postmaster@hamburger.test") == Disabled("domain")
