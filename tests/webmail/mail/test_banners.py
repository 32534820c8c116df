"""What is told above a message: who is new, who bears another's name, what a link or list is."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailcore.directory import resolve
from mailcore.personal import contacts
from mailcore.store import flags
from tests.support.mail_builders import derive_all, store
from tests.support.parcels import send
from tests.webmail.mail.pages import thread_url
from tests.webmail.mail.test_remote import html_mail

FIRST = "First message from"
BORROWED = "is in your contacts as"
ALPHABETS = "mixes alphabets"


@pytest.fixture(autouse=True)
def _ground():
    resolve.forget()


def page_of(web, alice, raw: bytes) -> str:
    public_id = store(raw, mailbox=alice.mailbox)[0]
    derive_all()
    page: str = web.get(thread_url(alice, public_id)).content.decode()
    return page


def know(alice, name: str, address: str) -> None:
    contacts.remember(user=alice.user, people=[contacts.Person(name, address)], now=timezone.now())


def test_a_first_message_is_told_and_a_second_is_not(web, alice):
    assert FIRST in page_of(web, alice, html_mail("one", sender="Eve <eve@far.example>"))
    again = html_mail("two", sender="Eve <eve@far.example>", head="Message-ID: <2@x>\r\n")
    assert FIRST not in page_of(web, alice, again.replace(b"Sale", b"Other"))


def test_a_contact_is_no_stranger(web, alice):
    know(alice, "Eve", "eve@far.example")
    assert FIRST not in page_of(web, alice, html_mail("one", sender="Eve <EVE@far.example>"))


@pytest.mark.parametrize("way", ["submission", "webmail"])
def test_whom_one_has_written_to_is_no_stranger(web, alice, way):
    """A mail program collects no contacts: the trace knows all the same."""
    send(alice, "eve@far.example", at=timezone.now(), origin=way)
    assert FIRST not in page_of(web, alice, html_mail("one", sender="Eve <eve@far.example>"))


def test_whom_somebody_else_has_written_to_is_one(web, alice, bob):
    send(bob, "eve@far.example", at=timezone.now())
    assert FIRST in page_of(web, alice, html_mail("one", sender="Eve <eve@far.example>"))


@pytest.mark.parametrize("office", ["postmaster@crepes.test", "MAILER-DAEMON@crepes.test"])
def test_our_own_reports_come_from_no_stranger(web, alice, office):
    assert FIRST not in page_of(web, alice, html_mail("one", sender=f"Mail <{office}>"))


@pytest.mark.parametrize("other", ["postmaster@far.example", "eve@crepes.test"])
def test_reports_of_others_and_people_of_ours_may_be_new(web, alice, other):
    assert FIRST in page_of(web, alice, html_mail("one", sender=f"Mail <{other}>"))


def test_mail_to_others_says_nothing_about_this_mailbox(web, alice, bob):
    store(html_mail("one", sender="Eve <eve@far.example>"), mailbox=bob.mailbox)
    assert FIRST in page_of(web, alice, html_mail("two", sender="Eve <eve@far.example>"))


def test_a_contacts_name_with_another_address_is_a_warning(web, alice):
    know(alice, "Carol Danvers", "carol@home.example")
    assert BORROWED not in page_of(web, alice, html_mail("hi", sender="Carol <carol@home.example>"))
    page = page_of(web, alice, html_mail("pay", sender="carol  danvers <carol@evil.example>"))
    assert BORROWED in page
    assert "carol@home.example" in page


def test_somebody_elses_contacts_do_not_count(web, alice, bob):
    know(bob, "Carol Danvers", "carol@home.example")
    page = page_of(web, alice, html_mail("pay", sender="Carol Danvers <carol@evil.example>"))
    assert BORROWED not in page


@pytest.mark.parametrize("domain", ["xn--pypal-4ve.example", "xn--80ak6aa92e.example"])
def test_an_address_that_mixes_alphabets_is_a_warning(web, alice, domain):
    assert ALPHABETS in page_of(web, alice, html_mail("x", sender=f"Pay <a@{domain}>"))


def test_a_link_that_lies_is_told(web, alice):
    lie = "<a href='https://evil.example/'>https://bank.example/</a>"
    assert "A link leads elsewhere" in page_of(web, alice, html_mail(lie))


def test_a_list_is_named_and_its_name_is_only_text(web, alice):
    head = 'List-Id: "><script>x</script> <ann<b>ounce.example>\r\n'
    page = page_of(web, alice, html_mail("x", head="List-Id: News <announce.example>\r\n"))
    assert "Mailing list: announce.example" in page
    page = page_of(web, alice, html_mail("x", head=head))
    assert "<script>x" not in page
    assert "<b>ounce" not in page


def test_hostile_names_stay_text(web, alice):
    know(alice, "<img src=x onerror=alert(1)>", "c@home.example")
    page = page_of(
        web, alice, html_mail("x", sender='"<img src=x onerror=alert(1)>" <e@x.example>')
    )
    assert "<img src=x" not in page


def test_two_lines_are_in_view_and_the_rest_under_details(web, alice):
    html = "<img src='https://x.example/a.png'><a href='https://e.example/'>https://b.example/</a>"
    page = page_of(web, alice, html_mail(html, head="List-Id: <l.example>\r\n"))
    assert "2 more notes" in page
    assert page.index("remote image blocked") < page.index("2 more notes") < page.index("l.example")


def test_five_messages_cost_one_query_more_for_each_new_sender(web, alice):
    def cost(senders: list[str]) -> int:
        head = "In-Reply-To: <root@x.example>\r\n"
        ids = [
            store(html_mail("x", sender=one, head=head), mailbox=alice.mailbox)[0]
            for one in senders
        ]
        derive_all()
        url = thread_url(alice, ids[0])
        with CaptureQueriesContext(connection) as captured:
            web.get(url)
        flags.set_seen(mailbox=alice.mailbox, message_ids=ids, value=True)
        with CaptureQueriesContext(connection) as again:
            web.get(url)
        assert len(again) < len(captured)
        return len(again)

    assert cost(["a@x.example"]) == cost([f"{n}@x.example" for n in range(5)])
