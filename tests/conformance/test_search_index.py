"""One suite for the word index of both databases: what each search finds, and what it never does.

Runs on the database of the run: SQLite, and PostgreSQL where TEST_DATABASE_URL names one.
"""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage

import pytest

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.models.message import Keyword, Label, Message
from mailcore.search.query import parse
from mailcore.store import search
from tests.support.deliveries import NOW, make_mailbox
from tests.support.mail_builders import derive_all, store

pytestmark = pytest.mark.django_db

ME = ["bob@hamburger.test"]


def letter(subject: str, text: str, **headers: str) -> EmailMessage:
    message = EmailMessage()
    fields = {"From": "Carol <carol@outside.example>", "To": "Bob <bob@hamburger.test>"}
    named = {name.strip("_").replace("_", "-").title(): value for name, value in headers.items()}
    for name, value in (fields | named | {"Subject": subject}).items():
        message[name] = value
    message.set_content(text)
    return message


def deliver(
    mailbox: Mailbox, message: EmailMessage, *, days: float = 1, role: str = "inbox"
) -> None:
    store(bytes(message), mailbox=mailbox, at=NOW - timedelta(days=days), role=role)


WORDS = {
    "jose": ["Café", "Capital"],
    "JOSÉ": ["Café", "Capital"],
    "cafe": ["Café"],
    "jamon": ["Café"],
    "strasse": ["漢字"],
    "lodz": ["漢字"],
    "СМЫСЛ": ["漢字"],
    "東京": ["漢字"],
    "京東": [],
    "字": ["漢字"],
    "other": ["Other plans"],  # the other mailbox's word is in no mail of this one
    "hous": [],
    "hous*": ["Plans", "Other plans"],
    "work*": ["Other plans"],
    "green house": ["Plans", "Other plans"],
    '"green house"': ["Plans"],
    '"house green"': [],
    '"plans we"': [],  # no phrase reaches from one field into the next
    '"green hous"': [],
    "green -street": ["Other plans"],
    'green -"green house"': ["Other plans"],
    "-mine": [],
    "street OR jamon": ["Café", "Plans"],
    "(jose -maria) OR street": ["Café", "Plans"],
    "-(jose OR green) -own -cc -file -menu": ["漢字"],
}
FIELDS = {
    "cocina.test": ["Café"],
    "jose@cocina.test": ["Café"],
    "nunez": ["Café"],
    "from:jose": ["Café"],
    "from:cocina.test": ["Café"],
    "from:jose@cocina.test": ["Café"],
    "from:ose@cocina.test": [],
    "from:coc*": ["Café"],
    'from:"jose nunez"': ["Café"],
    "from:me": ["Mine"],
    "to:me street": ["Plans"],
    "-to:me": ["Mine", "Copy"],
    "to:diana": [],
    "cc:diana": ["Copy"],
    "cc:diana@crepes.test": ["Copy"],
    "bcc:diana": [],
    "subject:plans": ["Plans", "Other plans"],
    "subject:green": [],
    "body:plans": [],
    "body:green": ["Plans", "Other plans"],
    "body:hous*": ["Plans", "Other plans"],
    'body:"green house"': ["Plans"],
    "factura": ["Invoice"],
    "filename:pdf": ["Invoice"],
    "filename:factura-marzo.pdf": ["Invoice"],
}
OPERATORS = {
    "filename:see": [],
    "list:recetas": ["Invoice"],
    "list:recetas.hamburger.test": ["Invoice"],
    "has:attachment": ["Invoice"],
    "has:pdf": ["Invoice"],
    "has:image": [],
    "pdf -has:pdf": [],
    "has:link": ["Link"],
    "in:sent": ["Mine"],
    "in:trash": ["Bin"],
    "green in:anywhere": ["Bin", "Plans", "Other plans"],
    "in:trash OR subject:plans": ["Bin", "Plans", "Other plans"],
    "in:nowhere": [],
    "-in:inbox": ["Mine"],
    "newer_than:4d -from:me": ["Café", "Capital", "Plans"],
    "older_than:1y": ["Invoice", "Link"],
    "before:2026-11-18 after:2026-09-01": ["漢字", "Other plans"],
    "on:2026-11-18": ["Plans"],
    "larger:1G": [],
    "smaller:1G has:attachment": ["Invoice"],
    "is:unread in:sent": [],
    "is:starred": ["Capital"],
    "-is:starred jose": ["Café"],
    "is:starred OR street": ["Capital", "Plans"],
    "(is:starred jose) OR (street -is:starred)": ["Capital", "Plans"],
    "label:Recetas": ["Plans"],
    "label:recétas": ["Plans"],
    "label:nope": [],
    "has:userlabel": ["Plans"],
    "msgid:one@m.test": [],
    "auth:pass": [],
    ":-) jose": ["Café", "Capital"],
    ":-)": [],
}


@pytest.fixture
def mailbox(request: pytest.FixtureRequest) -> Mailbox:
    """A mailbox with letters that differ in one thing each, and another with the same letters."""
    mine, other = make_mailbox(name="mine"), make_mailbox(name="other")
    for box in (other, mine):
        _fill(box)
    derive_all()
    return mine


def _fill(box: Mailbox) -> None:
    n = box.display_name
    deliver(box, letter("Café", f"José comió jamón {n}", from_="José Núñez <jose@cocina.test>"))
    deliver(box, letter("Capital", f"JOSE AND MARIA {n}"), days=2)
    deliver(box, letter("Plans", f"we meet at green house street {n}"), days=3)
    deliver(box, letter("Other plans", f"a house that is green, and a working day {n}"), days=40)
    deliver(box, letter("Copy", f"cc {n}", cc="Diana <diana@crepes.test>", to="x@y.test"), days=100)
    invoice = letter("Invoice", f"see the file {n}", list_id="Recetas <recetas.hamburger.test>")
    name = "Factura-marzo.pdf"
    invoice.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename=name)
    deliver(box, invoice, days=400)
    deliver(box, letter("Link", f"https://crepes.test/menu {n}"), days=500)
    deliver(box, letter("Mine", f"own words {n}", from_=ME[0], to="ana@x.test"), role="sent")
    deliver(box, letter("Bin", f"green rubbish {n}"), role="trash")
    deliver(box, letter("漢字", f"Straße Łódź смысл 東京都 {n}"), days=5)


def found(mailbox: Mailbox, text: str, **more) -> list[str]:
    query = parse(text, language="en", today=NOW.date())
    page = search.search(mailbox=mailbox, query=query, me=ME, now=NOW, **more)
    assert (page.count, page.is_partial) == (len(page.rows), False)
    folders = Folder.objects.filter(mailbox=mailbox).values_list("pk", flat=True)
    assert {row.folder.id for row in page.rows} <= set(folders)
    ids = search.matching_ids(mailbox=mailbox, query=query, me=ME, now=NOW, limit=100)
    assert set(ids) == {row.public_id for row in page.rows}
    return [row.subject for row in page.rows]


@pytest.mark.parametrize("expected", [WORDS, FIELDS, OPERATORS], ids=["words", "fields", "rest"])
def test_each_search_finds_what_it_should(mailbox, expected):
    Message.objects.filter(mailbox=mailbox, folder__role="sent").update(is_seen=True)
    Message.objects.filter(content__subject="Capital").update(is_flagged=True)
    keyword = Keyword.objects.create(mailbox=mailbox, name="recetas", bit=62)
    Label.objects.create(keyword=keyword, name="Recetas")
    Message.objects.filter(content__subject="Plans").update(keywords=1 << 62)
    assert {text: found(mailbox, text) for text in expected} == expected
    backwards = {text: subjects[::-1] for text, subjects in expected.items()}
    assert {text: found(mailbox, text, oldest_first=True) for text in expected} == backwards
