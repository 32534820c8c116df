"""store.derive, store.sandbox and store.rendering: what is found in a message, whatever it is."""

import contextlib
from dataclasses import replace

import pytest
from django.db import connection

from mailcore.models.blob import Content, RenderedBody
from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.models.search import SearchEntry
from mailcore.search.words import split
from mailcore.store import derive, read
from mailcore.store.extract import extract
from mailcore.store.sandbox import Failed, Sandbox
from tests.support.deliveries import make_mailbox, make_message
from tests.support.mail_builders import derive_all, folder, opened, sandbox, store

pytestmark = pytest.mark.django_db

MIXED = (
    b"From: =?utf-8?q?Bego=C3=B1a?= <b@outside.example>\r\n"
    b"To: Bob <bob@hamburger.test>\r\nReply-To: team@outside.example\r\n"
    b"Subject: Recetas\r\nMessage-ID: <mixed@m.test>\r\n"
    b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
    b'--x\r\nContent-Type: multipart/alternative; boundary="y"\r\n\r\n'
    b"--y\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHola, camar\xc3\xb3n.\r\n"
    b"--y\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b'<p>Hola <b>camar\xc3\xb3n</b><img src="http://t.example/x.png"><script>x()</script></p>\r\n'
    b"--y--\r\n"
    b"--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment;"
    b' filename="receta.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--x--\r\n'
)


class _Broken(Sandbox):
    """A sandbox whose child dies on every message, or on those that hold a word."""

    def __init__(self, word: bytes = b"") -> None:
        super().__init__()
        self._word = word

    def extract(self, raw, *, wait_s=-1):
        return Failed("child ended: -9") if self._word in raw else extract(bytes(raw))


def _words(word: str) -> list[int]:
    """Return the messages that the index finds, asked as search will ask it."""
    statement = {
        "sqlite": "SELECT rowid FROM mailcore_searchwords WHERE mailcore_searchwords MATCH %s",
        "postgresql": "SELECT message_id FROM mailcore_searchentry WHERE tsv @@ %s::tsquery",
    }[connection.vendor]
    words = split(word)
    text = {"sqlite": f'"{" ".join(words)}"', "postgresql": " <-> ".join(words)}
    with connection.cursor() as cursor:
        cursor.execute(statement, [text[connection.vendor]])
        return [row[0] & 0x7FFFFFFF for row in cursor]


def test_derivation_fills_structure_preview_words_and_body():
    mailbox = make_mailbox()
    (message_id,) = store(MIXED, mailbox=mailbox)
    assert derive_all() == 1
    view = opened(mailbox, message_id)
    assert (view.state, view.preview, view.has_attachment) == ("ready", "Hola, camarón.", True)
    assert view.to == (("Bob", "bob@hamburger.test"),)
    assert view.reply_to == (("", "team@outside.example"),)
    assert (view.body_part, view.html_part) == ("1.1", "1.2")
    assert [(part.part, part.name) for part in view.attachments] == [("2", "receta.pdf")]
    assert _words("camaron") == _words("receta.pdf") == _words("Begoña") == [view.id]


def test_the_paper_clip_reaches_the_list_with_a_modseq():
    mailbox = make_mailbox()
    store(MIXED, mailbox=mailbox)
    before = Mailbox.objects.get(pk=mailbox.pk).modseq
    derive_all()
    message = Message.objects.get()
    assert (message.has_attachment, message.modseq) == (True, before + 1)
    assert folder(mailbox).highest_modseq == before + 1


def test_the_body_is_sanitised_and_counts_blocked_images():
    mailbox = make_mailbox()
    (message_id,) = store(MIXED, mailbox=mailbox)
    derive_all()
    view = opened(mailbox, message_id)
    shown = read.rendered_body(message=view)
    assert (shown.kind, shown.blocked_count) == ("html", 1)
    assert "<b>camarón</b>" in shown.html
    assert "script" not in shown.html


def test_parts_and_raw_octets_are_read_back():
    mailbox = make_mailbox()
    (message_id,) = store(MIXED, mailbox=mailbox)
    derive_all()
    view = opened(mailbox, message_id)
    assert read.part_bytes(message=view, part="2", max_bytes=100) == b"%PDF-1.4\n"
    assert read.part_bytes(message=view, part="2", max_bytes=4) == b"%PDF"
    assert read.raw(message=view) == b"Delivered-To: %d\r\n" % mailbox.pk + MIXED
    with pytest.raises(KeyError):
        read.part_bytes(message=view, part="3", max_bytes=4)


def test_parts_of_a_message_in_a_file_are_sliced(settings):
    settings.BLOB_INLINE_MAX = 100
    mailbox = make_mailbox()
    (message_id,) = store(MIXED, mailbox=mailbox)
    derive_all()
    view = opened(mailbox, message_id)
    assert Content.objects.get().blob.key
    assert read.part_bytes(message=view, part="2", max_bytes=100) == b"%PDF-1.4\n"


def test_a_reader_who_is_quicker_gets_it_on_demand():
    mailbox = make_mailbox()
    (message_id,) = store(MIXED, mailbox=mailbox)
    view = opened(mailbox, message_id)
    derive.close()
    assert (view.state, view.preview) == ("ready", "Hola, camarón.")


def test_a_body_that_was_swept_is_rendered_again():
    mailbox = make_mailbox()
    (message_id,) = store(MIXED, mailbox=mailbox)
    derive_all()
    RenderedBody.objects.all().delete()
    view = opened(mailbox, message_id)
    shown = read.rendered_body(message=view)
    text = read.rendered_body(message=view, view="text")
    derive.close()
    assert "<b>camarón</b>" in shown.html
    assert (text.kind, "Hola, camarón." in text.html) == ("text", True)
    assert sorted(RenderedBody.objects.values_list("part", flat=True)) == ["html", "text"]


def test_a_second_copy_is_indexed_without_parsing():
    alice, bob = make_mailbox(name="alice"), make_mailbox(name="bob")
    store(MIXED, mailbox=alice)
    derive_all()
    store(MIXED, mailbox=bob)
    assert derive.derive_next(sandbox=_Broken()) == 1
    assert len(_words("camaron")) == 2
    assert Content.objects.get().parse_state == "ready"


def test_a_message_that_breaks_the_parser_twice_is_shown_as_raw_text():
    mailbox = make_mailbox()
    (message_id,) = store(make_message(message_id="b@m.test", body="boom <b>"), mailbox=mailbox)
    (other,) = store(make_message(message_id="c@m.test", body="fine"), mailbox=mailbox)
    broken = _Broken(b"boom")
    rounds = 0
    while derive.derive_next(sandbox=broken):
        rounds += 1
    view = opened(mailbox, message_id)
    shown = read.rendered_body(message=view)
    assert rounds == 2
    assert (view.state, shown.notice) == ("unreadable", "unreadable")
    assert "boom &lt;b&gt;" in shown.html
    assert opened(mailbox, other).state == "ready"
    assert SearchEntry.objects.count() == 2


def test_tries_that_never_finished_end_too():
    mailbox = make_mailbox()
    store(MIXED, mailbox=mailbox)
    Content.objects.update(parse_attempts=derive.ATTEMPTS_MAX)
    assert derive_all() == 1
    assert Content.objects.get().parse_state == "unreadable"


def test_a_sandbox_that_could_not_be_asked_does_not_count():
    class Busy(Sandbox):
        def extract(self, raw, *, wait_s=-1):
            return Failed("busy", counts=False)

    mailbox = make_mailbox()
    store(MIXED, mailbox=mailbox)
    assert derive.derive_next(sandbox=Busy()) == 0
    content = Content.objects.get()
    assert (content.parse_state, content.parse_attempts) == ("pending", 0)


def test_a_child_that_hangs_is_killed_and_the_next_message_gets_a_new_one():
    with sandbox(wall_s=0.001) as hasty:
        assert isinstance(hasty.extract(MIXED * 2000), Failed)
        hasty._wall_s = 10.0
        found = hasty.extract(MIXED)
    assert not isinstance(found, Failed)
    assert found.preview == "Hola, camarón."


def test_memory_of_the_child_is_limited():
    with contextlib.closing(Sandbox(memory_bytes=100 * 2**20)) as small:
        assert isinstance(small.extract(b"Subject: x\r\n\r\n" + b"y" * 90 * 2**20), Failed)
        found = small.extract(MIXED)
    assert not isinstance(found, Failed)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        b"Subject: \xff\xfe\r\n\r\n\x00\xed\xa0\x80",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 5000,
        b"Subject: " + b"=?utf-8?q?=00=ED=A0=80?= " * 200 + b"\r\n\r\nx",
        b"Content-Type: text/html\r\n\r\n" + b"<div>" * 50_000,
        b"\r\n" + b"\xf0\x9f\x98\x80word " * 60_000,
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
        + (
            b"--a\r\nContent-Type: text/html\r\n\r\n"
            + b"<p style='width:9px'>w</p>" * 70_000
            + b"\r\n"
        )
        * 10,
    ],
)
def test_hostile_octets_are_derived_and_stored(raw):
    mailbox = make_mailbox()
    (message_id,) = store(raw, mailbox=mailbox)
    assert derive_all() == 1
    view = opened(mailbox, message_id)
    assert view.state == "ready"
    assert isinstance(read.rendered_body(message=view).html, str)


def test_values_that_the_database_refuses_do_not_stop_the_others():
    class Careless(Sandbox):
        def extract(self, raw, *, wait_s=-1):
            found = extract(bytes(raw))
            return replace(found, preview="\0") if b"boom" in raw else found

    mailbox = make_mailbox()
    bodies = ["boom", "fine"]
    store(*(make_message(message_id=f"{b}@m.test", body=b) for b in bodies), mailbox=mailbox)
    while derive.derive_next(sandbox=Careless()):
        pass
    states = set(Content.objects.values_list("preview", "parse_state"))
    refused = ("", "unreadable") if connection.vendor == "postgresql" else ("\0", "ready")
    assert states == {refused, ("fine", "ready")}
