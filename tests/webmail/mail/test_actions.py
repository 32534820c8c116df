"""Changes: what each button does, to what, for whom, and how it is undone."""

import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from mailcore.models.message import Message
from mailcore.store import labels
from tests.support.people import give_access
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import act_url, folder_url, thread_url


def _message(message_id) -> Message:
    return Message.objects.select_related("folder", "thread").get(public_id=message_id)


def _post(client, person, ids, *, verb, value="", **more):
    threads = [str(_message(public_id).thread.public_id) for public_id in ids]
    data = {
        "thread": threads,
        "folder": str(person.folder().public_id),
        "next": folder_url(person),
        verb: value,
        **more,
    }
    return client.post(act_url(person), data)


@pytest.mark.parametrize(
    ("verb", "role"),
    [("archive", "archive"), ("trash", "trash"), ("spam", "junk"), ("inbox", "inbox")],
)
def test_a_button_moves_the_conversation_to_its_folder(web, alice, verb, role):
    ids = deliver(alice, 2, thread=True)
    response = _post(web, alice, ids[:1], verb=verb)
    assert (response.status_code, response["Location"]) == (303, folder_url(alice))
    assert {_message(public_id).folder.role for public_id in ids} == {role}


@pytest.mark.parametrize(
    ("verb", "field", "value"),
    [("read", "is_seen", True), ("star", "is_flagged", True)],
)
def test_flags_are_set_and_taken_back(web, alice, verb, field, value):
    ids = deliver(alice)
    _post(web, alice, ids, verb=verb)
    assert getattr(_message(ids[0]), field) is value
    _post(web, alice, ids, verb=f"un{verb}")
    assert getattr(_message(ids[0]), field) is not value


def test_a_button_with_a_value_acts_on_that_conversation_alone(web, alice):
    first, second = deliver(alice, 2)
    only = str(_message(second).thread.public_id)
    _post(web, alice, [first], verb="archive", value=only)
    assert _message(first).folder.role == "inbox"
    assert _message(second).folder.role == "archive"


def test_a_conversation_is_changed_only_in_the_folder_shown(web, alice):
    here = deliver(alice, 1, thread=True)[0]
    elsewhere = deliver(alice, 1, thread=True, role="sent")[0]
    Message.objects.filter(public_id=elsewhere).update(thread=_message(here).thread)
    _post(web, alice, [here], verb="archive")
    assert _message(elsewhere).folder.role == "sent"


def test_one_message_can_be_moved_to_a_folder(web, alice):
    message = deliver(alice)[0]
    target = alice.folder("archive").public_id
    web.post(act_url(alice), {"message": str(message), "move": str(target), "next": "/"})
    assert _message(message).folder.role == "archive"


def test_a_move_into_a_folder_of_another_mailbox_is_404(web, alice, mallory):
    ids = deliver(alice)
    response = _post(web, alice, ids, verb="move", value=str(mallory.folder().public_id))
    assert response.status_code == 404
    assert _message(ids[0]).folder.role == "inbox"


def test_undo_brings_the_message_back(web, alice):
    ids = deliver(alice)
    _post(web, alice, ids, verb="trash")
    page = web.get(folder_url(alice)).content.decode()
    operation = re.search(r'name="operation" value="([0-9a-f-]{36})"', page)
    assert operation is not None
    assert "1 message moved to Trash" in page
    undo = reverse("mail:undo", args=[alice.box])
    web.post(undo, {"operation": operation[1], "next": folder_url(alice)})
    assert _message(ids[0]).folder.role == "inbox"
    assert "Undone." in web.get(folder_url(alice)).content.decode()


def test_a_second_undo_says_so(web, alice):
    undo = reverse("mail:undo", args=[alice.box])
    web.post(undo, {"operation": str(uuid4()), "next": folder_url(alice)})
    assert "can no longer be undone" in web.get(folder_url(alice)).content.decode()
    assert web.post(undo, {"operation": "nonsense"}).status_code == 400


def test_deleting_for_good_asks_first(web, alice):
    message = deliver(alice, role="trash")[0]
    page = web.post(act_url(alice), {"message": str(message), "destroy": "", "next": "/mail/"})
    assert page.status_code == 200
    assert "Delete for good?" in page.content.decode()
    assert Message.objects.filter(public_id=message).exists()


def test_deleting_for_good_works_in_trash_and_offers_no_undo(web, alice):
    message = deliver(alice, role="trash")[0]
    data = {"message": str(message), "destroy": "", "sure": "1", "next": folder_url(alice)}
    web.post(act_url(alice), data)
    assert not Message.objects.filter(public_id=message).exists()
    assert 'name="operation"' not in web.get(folder_url(alice)).content.decode()


def test_a_request_without_a_verb_is_400(web, alice):
    assert web.post(act_url(alice), {"thread": str(uuid4())}).status_code == 400


def test_nothing_selected_is_a_toast(web, alice):
    web.post(act_url(alice), {"archive": "", "next": folder_url(alice)})
    assert "Nothing is selected." in web.get(folder_url(alice)).content.decode()


def test_ids_that_are_none_are_passed_over(web, alice):
    data = {"archive": "", "message": ["x", str(uuid4())], "next": folder_url(alice)}
    assert web.post(act_url(alice), data).status_code == 303


def test_next_leads_nowhere_else(web, alice):
    response = web.post(act_url(alice), {"archive": "", "next": "https://evil.example/"})
    assert response["Location"] == "/"
    response = web.post(act_url(alice), {"star": "", "here": "https://evil.example/"})
    assert response["Location"] == "/"


def test_what_moves_nothing_leaves_the_conversation_open(web, alice):
    (message,) = deliver(alice)
    here = thread_url(alice, message)
    page = web.get(here).content.decode()
    assert f'name="here" value="{escape(here)}"' in page
    label = labels.create(mailbox=alice.mailbox, name="Work")
    ids = {"label": str(label.public_id), "unlabel": str(label.public_id)}
    for verb in ("star", "unstar", "label", "unlabel", "unmute"):
        answer = _post(web, alice, [message], verb=verb, value=ids.get(verb, ""), here=here)
        assert (verb, answer["Location"]) == (verb, here)
    for verb in ("unread", "archive"):
        answer = _post(web, alice, [message], verb=verb, here=here)
        assert answer["Location"] == folder_url(alice)


def test_a_reader_changes_nothing(reader, alice):
    ids = deliver(alice)
    response = _post(reader, alice, ids, verb="archive")
    assert response.status_code == 403
    assert _message(ids[0]).folder.role == "inbox"


def test_a_delegate_who_may_send_may_change(client_of, alice, bob):
    give_access(user=bob.user, mailbox=alice.mailbox, role="send")
    ids = deliver(alice)
    assert _post(client_of(bob), alice, ids, verb="archive").status_code == 303
    assert _message(ids[0]).folder.role == "archive"


def test_a_stranger_gets_404_and_changes_nothing(client_of, alice, mallory):
    ids = deliver(alice)
    stranger = client_of(mallory)
    assert _post(stranger, alice, ids, verb="trash").status_code == 404
    data = {"message": str(ids[0]), "trash": "", "next": "/"}
    stranger.post(act_url(mallory), data)
    assert _message(ids[0]).folder.role == "inbox"


def test_nobody_is_sent_to_sign_in(client, alice):
    ids = deliver(alice)
    assert _post(client, alice, ids, verb="trash").status_code == 302
    assert _message(ids[0]).folder.role == "inbox"


def test_without_a_csrf_token_nothing_happens(alice):
    ids = deliver(alice)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice.user)
    response = _post(strict, alice, ids, verb="trash")
    assert response.status_code == 403
    assert response["X-Csrf-Failure"] == "1"
    assert _message(ids[0]).folder.role == "inbox"


def test_getting_is_405(web, alice):
    assert web.get(act_url(alice)).status_code == 405
    assert web.get(reverse("mail:undo", args=[alice.box])).status_code == 405
