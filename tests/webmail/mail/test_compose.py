"""Writing without a script: every button, every fault, and who may."""

import gzip
import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from mailcore.directory import resolve
from mailcore.models.message import Draft, DraftAttachment, Message
from mailcore.models.queue import QueuedMessage, QueuedRecipient
from tests.support.deliveries import make_message
from tests.support.mail_builders import store
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import folder_url


@pytest.fixture(autouse=True)
def _ground(settings, tmp_path):
    settings.OUTBOUND_MODE = "capture"
    settings.DATA_DIR = tmp_path
    resolve.forget()
    yield
    resolve.forget()


def compose_url(person) -> str:
    return reverse("mail:compose", args=[person.box])


def fields_of(page: str) -> tuple[str, dict[str, str]]:
    """Return where the form goes and what it would send."""
    form = re.search(r'<form class="compose".*?</form>', page, re.S)
    assert form is not None
    action = re.search(r'action="([^"]+)"', form[0])
    assert action is not None
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        name, value = re.search(r'name="(\w+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="file"' not in tag:
            found[name[1]] = unescape(value[1]) if value else ""
    text = re.search(r'<textarea[^>]*name="text"[^>]*>\n(.*?)</textarea>', form[0], re.S)
    found["text"] = unescape(text[1]) if text else ""
    selected = re.search(r'<option value="([^"]+)" selected', form[0])
    if selected:
        found["sender"] = selected[1]
    return action[1], found


def begin(client, person, **query) -> tuple[str, dict[str, str]]:
    return fields_of(client.get(compose_url(person), query).content.decode())


def _in(person, role: str) -> list[Message]:
    return list(Message.objects.filter(mailbox=person.mailbox, folder__role=role).order_by("pk"))


def test_a_message_is_written_and_sent_after_the_time_for_undo(web, alice, bob):
    url, form = begin(web, alice, next=folder_url(alice))
    form |= {"to": bob.address, "subject": "Plan", "text": "At noon?", "send": ""}
    response = web.post(url, form)
    assert (response.status_code, response["Location"]) == (303, folder_url(alice))
    waiting = QueuedMessage.objects.get()
    assert waiting.not_before is not None
    assert 8 < (waiting.not_before - timezone.now()).total_seconds() <= 10
    assert "Sending in 10 seconds." in web.get(folder_url(alice)).content.decode()


def test_undo_opens_the_message_again_with_every_word(web, alice, bob):
    url, form = begin(web, alice)
    form |= {"to": bob.address, "subject": "Plan", "text": "At noon?", "send": ""}
    web.post(url, form)
    page = web.get(folder_url(alice)).content.decode()
    undo = re.search(r'action="([^"]+/unsend/)"', page)
    assert undo is not None
    response = web.post(undo[1])
    assert (response.status_code, response["Location"]) == (303, url)
    _, again = fields_of(web.get(url).content.decode())
    assert (again["to"], again["subject"], again["text"]) == (bob.address, "Plan", "At noon?")
    assert QueuedRecipient.objects.get().state == "cancelled"
    assert len(_in(alice, "drafts")) == 1
    web.post(url, again | {"send": ""})
    assert QueuedMessage.objects.count() == 2


def test_without_time_for_undo_it_is_there_at_once(web, alice, bob, settings):
    settings.SEND_UNDO = timedelta(0)
    url, form = begin(web, alice)
    form |= {"to": bob.address, "subject": "Now", "text": "x", "send": ""}
    web.post(url, form)
    web.post(url, form)  # a double click
    assert [m.content.subject for m in _in(bob, "inbox")] == ["Now"]
    assert len(_in(alice, "sent")) == 1


@pytest.mark.parametrize(("value", "hour"), [("tomorrow", 8), ("monday", 8)])
def test_it_can_leave_on_another_morning_of_the_person(web, alice, bob, value, hour):
    url, form = begin(web, alice)
    form |= {"to": bob.address, "subject": "Later", "zone": "America/Bogota", "later": value}
    web.post(url, form)
    at = QueuedMessage.objects.get().not_before
    assert at is not None
    assert (at.hour, at.minute) == (hour + 5, 0)
    assert at > timezone.now()
    assert "Will be sent on" in web.get(folder_url(alice)).content.decode()


def test_a_time_of_ones_own_must_be_in_the_next_year(web, alice, bob):
    url, form = begin(web, alice)
    form |= {"to": bob.address, "zone": "UTC", "later": "at", "at": "2020-01-01T10:00"}
    response = web.post(url, form)
    assert response.status_code == 422
    assert "Choose a time in the future" in response.content.decode()
    wanted = (timezone.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    _, form = fields_of(response.content.decode())
    form |= {"to": bob.address, "zone": "UTC", "later": "at", "at": f"{wanted:%Y-%m-%dT%H:%M}"}
    assert web.post(url, form).status_code == 303
    assert QueuedMessage.objects.get().not_before == wanted


def test_saving_keeps_a_draft_in_its_folder_and_it_opens_again(web, alice):
    url, form = begin(web, alice)
    form |= {"to": "half an addr", "subject": "Draft", "text": "words\r\nmore", "save": ""}
    response = web.post(url, form)
    assert (response.status_code, response["Location"]) == (303, url)
    _, again = fields_of(web.get(url).content.decode())
    assert (again["to"], again["text"]) == ("half an addr", "words\nmore")
    assert [m.content.subject for m in _in(alice, "drafts")] == ["Draft"]


def test_a_script_gets_the_new_version_as_json(web, alice):
    url, form = begin(web, alice)
    form |= {"subject": "Auto", "save": ""}
    first = web.post(url, form, headers={"Accept": "application/json"}).json()
    again = {**form, "version": first["version"], "subject": "Auto 2"}
    second = web.post(url, again, headers={"Accept": "application/json"}).json()
    assert (first["version"], second["version"]) == (1, 2)
    assert second["saved"].startswith("Saved at ")
    stale = web.post(url, {**form, "subject": "Old"}, headers={"Accept": "application/json"})
    assert stale.status_code == 409
    assert Draft.objects.get().subject == "Auto 2"


def test_two_windows_are_told_and_nothing_is_lost(web, alice):
    url, form = begin(web, alice)
    web.post(url, form | {"subject": "First", "save": ""})
    web.post(url, form | {"version": "1", "subject": "Second", "save": ""})
    response = web.post(url, form | {"version": "1", "subject": "Mine", "save": ""})
    page = response.content.decode()
    assert response.status_code == 409
    assert "changed in another window" in page
    _, mine = fields_of(page)
    assert mine["subject"] == "Mine"
    web.post(url, mine | {"resolve": "both"})
    assert set(Draft.objects.values_list("subject", flat=True)) == {"Second", "Mine"}
    web.post(url, mine | {"resolve": "theirs"})
    assert Draft.objects.get(public_id=url.split("/")[-2]).subject == "Second"
    web.post(url, mine | {"resolve": "mine"})
    assert Draft.objects.get(public_id=url.split("/")[-2]).subject == "Mine"


def test_files_come_and_go_and_leave_with_the_message(web, alice, bob, settings):
    settings.SEND_UNDO = timedelta(0)
    url, form = begin(web, alice)
    form |= {"to": bob.address, "subject": "Files"}
    files = [
        SimpleUploadedFile("../evil\r\nBcc: x@y.txt", b"one", content_type="text/plain"),
        SimpleUploadedFile("two.html", b"<script>alert(1)</script>", content_type="text/html"),
    ]
    web.post(url, form | {"attach": "", "file": files})
    page = web.get(url).content.decode()
    _, form = fields_of(page)
    first, second = DraftAttachment.objects.order_by("pk")
    assert "\nBcc" not in page
    got = web.get(f"{url}files/{second.public_id}/")
    assert got["Content-Type"] != "text/html"
    assert got["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert got["Content-Disposition"].startswith("attachment")
    web.post(url, form | {"remove": str(first.public_id)})
    assert [file.name for file in DraftAttachment.objects.all()] == ["two.html"]
    web.post(url, form | {"send": ""})
    (message,) = _in(bob, "inbox")
    assert b"two.html" in bytes(message.content.blob.data or b"") or message.size > 300


def test_too_much_is_refused_and_the_form_is_intact(web, alice, settings):
    settings.MESSAGE_SIZE_LIMIT = 10_000
    url, form = begin(web, alice)
    big = SimpleUploadedFile("big.bin", b"x" * 9000)
    response = web.post(url, form | {"subject": "Big", "attach": "", "file": big})
    assert response.status_code == 422
    assert "big.bin does not fit" in response.content.decode()
    _, again = fields_of(response.content.decode())
    assert (again["subject"], again["version"]) == ("Big", "1")
    huge = SimpleUploadedFile("huge.bin", b"x" * 30_000)
    assert web.post(url, form | {"attach": "", "file": huge}).status_code == 400


@pytest.mark.parametrize(
    ("values", "text", "field"),
    [
        ({"to": ""}, "Say whom the message is for.", "c-to"),
        ({"to": "bob@@x"}, "“bob@@x” is not a mail address.", "c-to"),
        ({"cc": "nobody@crepes.test"}, "nobody@crepes.test: That address does not exist", "c-cc"),
        ({"subject": "a\u2028b"}, "characters in this field", "c-subject"),
        ({"subject": "=?utf-8?q?a=0D=0ABcc:_x@y.test?="}, "characters in this field", "c-subject"),
    ],
)
def test_what_cannot_go_is_said_at_its_field_and_every_word_stays(
    web, alice, bob, values, text, field
):
    url, form = begin(web, alice)
    form |= {"to": bob.address, "subject": "S", "text": "Many words", **values, "send": ""}
    response = web.post(url, form)
    page = unescape(response.content.decode())
    assert response.status_code == 422
    assert text in page
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', page)
    assert "Many words</textarea>" in page
    assert not QueuedMessage.objects.exists()


@pytest.mark.parametrize("field", ["to", "cc", "bcc", "subject"])
@pytest.mark.parametrize(
    "value",
    [
        "x@y.test\rBcc: eve@evil.test",
        "x@y.test\nBcc: eve@evil.test",
        "x@y.test\r\nBcc: eve@evil.test",
        "=?utf-8?q?x=0D=0ABcc:_eve@evil.test?= <x@y.test>",
        "x@y.test\u2028Bcc: eve@evil.test",
    ],
    ids=["cr", "lf", "crlf", "words", "u2028"],
)
def test_no_field_of_the_form_makes_another_header(web, alice, bob, settings, field, value):
    settings.SEND_UNDO = timedelta(0)
    url, form = begin(web, alice)
    form |= {"to": bob.address, "subject": "S", "text": "x", field: value, "send": ""}
    web.post(url, form)
    paths = set(QueuedRecipient.objects.values_list("forward_path", flat=True))
    assert paths <= {bob.address, "x@y.test"}
    assert not QueuedRecipient.objects.filter(forward_path__contains="evil").exists()


def test_discard_puts_the_draft_into_trash(web, alice):
    url, form = begin(web, alice, next=folder_url(alice))
    response = web.post(url, form | {"subject": "Away", "discard": ""})
    assert response["Location"] == folder_url(alice)
    assert [m.content.subject for m in _in(alice, "trash")] == ["Away"]
    assert 'name="operation"' in web.get(folder_url(alice)).content.decode()


def test_a_reply_goes_to_the_author_with_the_quote_below(web, alice):
    raw = make_message(
        message_id="q@x.test",
        sender='"Ruiz, Dora" <dora@outside.example>',
        to=f"{alice.address}, eve@outside.example",
        subject="Plan",
        headers=["Cc: Fay <fay@outside.example>"],
        body="One\r\n> Two\r\n",
    )
    (message,) = store(raw, mailbox=alice.mailbox, at=timezone.now())
    _, form = begin(web, alice, reply=str(message))
    assert (form["to"], form["cc"]) == ('"Ruiz, Dora" <dora@outside.example>', "")
    assert (form["subject"], form["kind"], form["source"]) == ("Re: Plan", "reply", str(message))
    assert re.fullmatch(r"\n\nOn .*, Ruiz, Dora wrote:\n> One\n>> Two\n", form["text"]), form[
        "text"
    ]
    _, every = begin(web, alice, reply_all=str(message))
    assert every["to"] == '"Ruiz, Dora" <dora@outside.example>'
    assert every["cc"] == "eve@outside.example, Fay <fay@outside.example>"


def test_a_sent_reply_joins_the_conversation(web, alice, settings):
    settings.SEND_UNDO = timedelta(0)
    (message,) = deliver(alice)
    url, form = begin(web, alice, reply=str(message))
    web.post(url, form | {"send": ""})
    asked, (sent,) = Message.objects.get(public_id=message), _in(alice, "sent")
    assert (asked.is_answered, asked.thread_id) == (True, sent.thread_id)


def test_a_forward_takes_the_chosen_files_along(web, alice, bob, settings):
    settings.SEND_UNDO = timedelta(0)
    attached = "Content-Type: text/plain\r\nContent-Disposition: attachment; filename="
    body = "".join(
        f"--b\r\n{part}\r\n"
        for part in (
            "Content-Type: text/plain\r\n\r\nSee files",
            f"{attached}a.txt\r\n\r\none",
            f"{attached}b.txt\r\n\r\ntwo",
        )
    )
    raw = make_message(
        subject="Papers",
        headers=["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"'],
        body=f"{body}--b--",
    )
    (message,) = store(raw, mailbox=alice.mailbox, at=timezone.now())
    page = web.get(compose_url(alice), {"forward": str(message)}).content.decode()
    url, form = fields_of(page)
    assert form["subject"] == "Fwd: Papers"
    assert "Forwarded message" in form["text"]
    assert "See files" in form["text"]
    parts = re.findall(r'name="part" value="([\d.]+)"', page)
    assert len(parts) == 2
    web.post(url, {**form, "part": parts[1:], "to": bob.address, "send": ""})
    assert [file.name for file in DraftAttachment.objects.all()] == ["b.txt"]
    assert _in(bob, "inbox")[0].content.subject == "Fwd: Papers"
    found = web.get(f"/mail/{alice.mailbox.public_id}/search/", {"q": "is:forwarded"})
    assert str(message) in found.content.decode()


def test_a_mailto_link_fills_in_what_it_may(web, alice):
    link = "mailto:dora%40x.test?cc=eve@x.test&subject=Hi%0D%0ABcc:x&body=a%0Ab&attach=/etc/passwd"
    _, form = begin(web, alice, mailto=link)
    assert (form["to"], form["cc"], form["text"]) == ("dora@x.test", "eve@x.test", "a\nb")
    assert "\n" not in form["subject"]


def test_html_from_a_form_is_cleaned_and_text_is_made_of_it(web, alice, bob, settings):
    settings.SEND_UNDO = timedelta(0)
    url, form = begin(web, alice)
    html = '<p onclick="x">Hi <b>Bob</b><img src="https://t.test/p.gif"><script>x</script></p>'
    web.post(url, form | {"to": bob.address, "html": html, "send": ""})
    draft = Draft.objects.get()
    assert draft.html == "<p>Hi <b>Bob</b></p>"
    assert draft.text == ""


@pytest.mark.parametrize(
    ("text", "is_missing"),
    [
        ("See the attached plan.", True),
        ("Te adjunto el plan", True),
        ("No attachmentless word", False),
        ("Yes.\n> it is attached", False),
        ("Yes.\n-- \nAnexos S.A.\n\nOn Monday: attached", False),
        ("Look\n---------- Forwarded message ----------\nattached", False),
    ],
)
def test_a_file_that_the_words_promise_is_asked_for_once(web, alice, bob, text, is_missing):
    url, form = begin(web, alice)
    form |= {"to": bob.address, "text": text, "send": ""}
    answer = web.post(url, form)
    assert (answer.status_code == 422) == is_missing
    if is_missing:
        page = answer.content.decode()
        assert "You write of an attachment" in page
        assert "Send anyway" in page
        _, again = fields_of(page)
        assert web.post(url, again | {"to": bob.address, "send": ""}).status_code == 303
    assert QueuedMessage.objects.count() == 1


def test_with_a_file_nobody_is_asked(web, alice, bob):
    url, form = begin(web, alice)
    form |= {"to": bob.address, "text": "It is attached", "send": ""}
    file = SimpleUploadedFile("plan.txt", b"x", content_type="text/plain")
    assert web.post(url, {**form, "file": file}).status_code == 303


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
SCRIPT = {"Accept": "application/json"}


def picture(content: bytes = PNG) -> SimpleUploadedFile:
    return SimpleUploadedFile("view.png", content, content_type="image/png")


def test_a_picture_of_the_text_is_sent_by_content_id_and_the_draft_shows_it(web, alice, bob):
    url, form = begin(web, alice)
    form |= {"to": bob.address, "html": "<p>See</p>"}
    answer = web.post(url, form | {"attach": "picture", "file": picture()}, headers=SCRIPT).json()
    assert answer["picture"].startswith(f"{url}files/")
    assert "view.png" not in answer["files"]
    shown = web.get(answer["picture"])
    assert (shown["Content-Type"], shown.content) == ("image/png", PNG)
    html = f'<p>See</p><img src="{answer["picture"]}" alt="view.png"><img src=x>'
    form |= {"version": answer["version"], "html": html, "save": ""}
    web.post(url, form, headers=SCRIPT)
    draft, file = Draft.objects.get(), DraftAttachment.objects.get()
    assert draft.html == f'<p>See</p><img src="cid:{file.content_id}" alt="view.png">'
    assert f'src="{answer["picture"]}"' in unescape(web.get(url).content.decode())
    faulty = web.post(url, form | {"version": "2", "to": "", "send": ""}).content.decode()
    assert f'src="{answer["picture"]}"' in unescape(faulty)


def test_what_is_no_picture_by_its_octets_is_an_attachment(web, alice):
    url, form = begin(web, alice)
    files = {"attach": "picture", "file": picture(b"<svg onload=alert(1)>")}
    answer = web.post(url, form | files, headers=SCRIPT).json()
    assert answer["picture"] == ""
    assert "view.png" in answer["files"]
    assert DraftAttachment.objects.get().content_id == ""


def test_without_the_editor_pictures_become_attachments(web, alice):
    url, form = begin(web, alice)
    files = {"html": "<p>x</p>", "attach": "picture", "file": picture()}
    version = web.post(url, form | files, headers=SCRIPT).json()["version"]
    assert DraftAttachment.objects.get().content_id != ""
    plain = {name: form[name] for name in ("token", "subject")} | {"text": "x", "save": ""}
    answer = web.post(url, plain | {"version": version}, headers=SCRIPT).json()
    assert "view.png" in answer["files"]
    assert DraftAttachment.objects.get().content_id == ""


def test_people_written_to_are_offered(web, alice, bob, client_of, settings):
    settings.SEND_UNDO = timedelta(0)
    url, form = begin(web, alice)
    web.post(url, form | {"to": "Dora Ruiz <dora@x.test>", "send": ""})
    people = reverse("mail:people", args=[alice.box])
    assert web.get(people, {"q": "ru"}).json() == {"people": [["Dora Ruiz", "dora@x.test"]]}
    assert web.get(people, {"q": ""}).json() == {"people": []}
    own = reverse("mail:people", args=[bob.box])
    assert client_of(bob).get(own, {"q": "ru"}).json() == {"people": []}


def test_who_may_only_read_may_not_write(reader, alice):
    assert reader.get(compose_url(alice)).status_code == 403
    url = reverse("mail:draft", args=[alice.box, uuid4()])
    assert reader.post(url, {"send": ""}).status_code == 403


def test_drafts_of_another_mailbox_are_not_there(web, alice, mallory, client_of):
    url, form = begin(web, alice)
    web.post(url, form | {"subject": "Secret", "save": ""})
    draft_id = url.split("/")[-2]
    stranger = client_of(mallory)
    own = reverse("mail:draft", args=[mallory.box, draft_id])
    assert stranger.get(own).status_code == 404
    _, theirs = begin(stranger, mallory)
    assert stranger.post(own, theirs | {"subject": "Mine", "save": ""}).status_code == 404
    assert stranger.post(own + "unsend/").status_code == 404
    assert Draft.objects.get().subject == "Secret"


def test_a_request_that_is_no_form_is_400(web, alice):
    url = reverse("mail:draft", args=[alice.box, uuid4()])
    assert web.post(url, {"send": ""}).status_code == 400
    assert web.post(url, {"token": str(uuid4()), "version": "0"}).status_code == 400
    assert web.get(url).status_code == 404


def test_opening_and_saving_cost_few_queries(web, alice, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        page = web.get(compose_url(alice))
    assert len(gzip.compress(page.content)) < 8 * 1024
    url, form = fields_of(page.content.decode())
    script = {"Accept": "application/json"}
    version = web.post(url, form | {"save": "", "text": "a"}, headers=script).json()["version"]
    with django_assert_max_num_queries(30):
        web.post(url, form | {"save": "", "text": "b", "version": version}, headers=script)
