"""The pages on which owners make, name, colour and delete labels."""

import pytest
from django.urls import reverse

from mailcore.models.message import Message
from mailcore.store import labels
from tests.support.people import give_access
from tests.webmail.conftest import deliver, signed_in


def _list(person) -> str:
    return reverse("settings:labels", args=[person.box])


def _at(name, person, label_id) -> str:
    return reverse(f"settings:{name}", args=[person.box, label_id])


def _labels(person) -> list[tuple[str, int]]:
    return [(row.name, row.hue) for row in labels.list_labels(mailbox=person.mailbox)]


def test_a_label_is_made_changed_and_deleted(web, alice):
    web.post(_list(alice), {"name": "Work", "hue": "3"})
    made = labels.list_labels(mailbox=alice.mailbox)[0].public_id
    ids = deliver(alice, 1)
    labels.set_label(mailbox=alice.mailbox, message_ids=ids, label_id=made, value=True)
    web.post(_at("label", alice, made), {"name": "Job", "hue": "7"})
    assert _labels(alice) == [("Job", 7)]
    answer = web.post(_at("delete_label", alice, made), follow=True)
    assert "1 message had this label" in answer.content.decode()
    assert (_labels(alice), Message.objects.get().keywords) == ([], 0)


@pytest.mark.parametrize(
    "data", [{"name": "", "hue": "1"}, {"name": "ok", "hue": "12"}, {"name": "WORK", "hue": "1"}]
)
def test_what_cannot_be_is_refused(web, alice, data):
    labels.create(mailbox=alice.mailbox, name="Work")
    answer = web.post(_list(alice), data)
    assert answer.status_code == 422
    assert _labels(alice) == [("Work", 0)]


def test_a_hostile_name_is_text_and_a_colour_has_no_style(web, alice):
    web.post(_list(alice), {"name": '"><img src=x>', "hue": "1"})
    text = web.get(_list(alice)).content.decode()
    assert "<img src=x" not in text
    assert "style=" not in text


def test_the_sixty_fourth_label_is_refused_in_words(web, alice):
    for number in range(63):
        labels.create(mailbox=alice.mailbox, name=f"L{number}")
    answer = web.post(_list(alice), {"name": "More", "hue": "1"})
    assert "at most 63" in answer.content.decode()


def test_a_stranger_and_a_delegate_change_nothing(alice, bob, mallory):
    give_access(user=bob.user, mailbox=alice.mailbox, role="send")
    made = labels.create(mailbox=alice.mailbox, name="Work").public_id
    for client, status in ((signed_in(bob), 403), (signed_in(mallory), 404)):
        data = {"name": "x", "hue": "1"}
        assert client.post(_at("label", alice, made), data).status_code == status
        assert client.post(_at("delete_label", alice, made)).status_code == status
    assert _labels(alice) == [("Work", 0)]
