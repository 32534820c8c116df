"""Names and signatures: kept for each own address, and put where one writes."""

import pytest
from django.urls import reverse

from mailcore.directory import aliases, changing, own
from mailcore.models.directory import Address
from mailcore.models.identity import Identity
from tests.support.people import MADE_AT
from tests.webmail.conftest import deliver
from tests.webmail.mail.test_compose import begin

URL = "/settings/identities/"


@pytest.fixture
def two(alice):
    """Return Alice's addresses: her own, and an alias that leads to it."""
    aliases.create_alias(address="team@crepes.test", targets=[alice.address], now=MADE_AT)
    return own.addresses(user=alice.user, first=alice.mailbox)


def data_of(*people) -> dict[str, str]:
    pairs = [(f"name_{one.address_id}", name) for one, name, _ in people]
    pairs += [(f"signature_{one.address_id}", text) for one, _, text in people]
    return dict(pairs)


def test_each_address_has_its_name_and_signature(web, alice, two):
    first, second = two
    data = data_of((first, "", "Alice\r\n<b>Chef</b>"), (second, "The team", ""))
    assert web.post(URL, data).status_code == 303
    page = web.get(URL).content.decode()
    assert "&lt;b&gt;Chef&lt;/b&gt;" in page
    assert 'value="The team"' in page
    names = [one.name for one in own.addresses(user=alice.user, first=alice.mailbox)]
    assert names == ["Alice Lef\u00e8vre", "The team"]


def test_a_new_message_ends_with_the_signature(web, alice, two):
    web.post(URL, data_of((two[0], "", "Alice\nChef"), (two[1], "", "Us")))
    _, form = begin(web, alice)
    assert form["text"] == "\n\n-- \nAlice\nChef"
    assert 'data-signature="Us"' in web.get(f"/mail/{alice.box}/compose/").content.decode()


@pytest.mark.parametrize("how", ["reply", "forward"])
def test_an_answer_has_the_signature_above_the_quote(web, alice, two, how):
    web.post(URL, data_of((two[0], "", "Alice"), (two[1], "", "")))
    (message,) = deliver(alice)
    _, form = begin(web, alice, **{how: str(message)})
    assert form["text"].startswith("\n\n-- \nAlice\n\n")
    assert len(form["text"]) > len("\n\n-- \nAlice\n\n") + 20


def test_an_address_that_goes_takes_its_signature_along(web, alice, two):
    web.post(URL, data_of((two[0], "", ""), (two[1], "", "Us")))
    assert [one.signature for one in Identity.objects.all()] == ["Us"]
    row = Address.objects.get(pk=two[1].address_id)
    assert changing.delete_address(public_id=row.public_id) == "team@crepes.test"
    assert not Identity.objects.exists()


def test_too_long_a_signature_is_said_at_its_address(web, two):
    data = data_of((two[0], "", "x" * 2001), (two[1], "", ""))
    answer = web.post(URL, data)
    assert answer.status_code == 422
    assert "alice@crepes.test, Signature</a>" in answer.content.decode()
    assert not Identity.objects.exists()


def test_fields_of_other_addresses_are_passed_over(web, alice, bob):
    (theirs,) = own.addresses(user=bob.user)
    web.post(URL, data_of((theirs, "Alice was here", "x")))
    assert not Identity.objects.filter(address_id=theirs.address_id).exists()


def test_who_has_no_mailbox_has_no_identity(client, bob):
    client.force_login(bob.user)
    bob.user.accesses.all().delete()
    assert "You have no address to write from." in client.get(URL).content.decode()


def test_the_page_is_for_people_who_are_signed_in_and_costs_few_queries(
    web, client, two, django_assert_max_num_queries
):
    assert client.get(URL).status_code == 302
    assert web.delete(URL).status_code == 405
    with django_assert_max_num_queries(8):
        page = web.get(reverse("settings:identities")).content.decode()
    assert "style=" not in page
