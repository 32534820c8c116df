"""The pages on which owners make, name, nest, order and delete folders."""

import re

from django.urls import reverse

from mailcore.models.folder import Folder
from mailcore.store import folders, move
from tests.support.people import give_access
from tests.webmail.conftest import deliver, signed_in

LIST = "settings:folders"


def _list(person) -> str:
    return reverse(LIST, args=[person.box])


def _at(name, person, folder_id) -> str:
    return reverse(f"settings:{name}", args=[person.box, folder_id])


def _names(person) -> list[str]:
    rows = Folder.objects.filter(mailbox=person.mailbox, role="")
    return sorted(f"{row.parent.name}/{row.name}" if row.parent else row.name for row in rows)


def test_a_folder_is_made_inside_another(web, alice):
    outer = folders.create(mailbox=alice.mailbox, name="Outer")
    data = {"name": " Man\u0303ana ", "parent": str(outer)}
    answer = web.post(_list(alice), data, follow=True)
    assert _names(alice) == ["Outer", "Outer/Ma\u00f1ana"]
    assert "data-toast" in answer.content.decode()


def test_names_that_cannot_be_are_refused_beside_the_field(web, alice):
    folders.create(mailbox=alice.mailbox, name="Taken")
    for name in ("a/b", "inbox", "Taken", "x" * 256, "a\x07b"):
        answer = web.post(_list(alice), {"name": name})
        assert answer.status_code == 422, name
        assert 'id="id_name_error"' in answer.content.decode()
    assert _names(alice) == ["Taken"]


def test_hostile_names_are_text(web, alice):
    web.post(_list(alice), {"name": "<script>alert(1)<\u2215script>"})
    text = web.get(_list(alice)).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_folder_is_renamed_and_nested_but_not_offered_its_own_inside(web, alice):
    outer = folders.create(mailbox=alice.mailbox, name="Outer")
    inner = folders.create(mailbox=alice.mailbox, name="Inner", parent_id=outer)
    other = folders.create(mailbox=alice.mailbox, name="Other")
    page = web.get(_at("folder", alice, outer)).content.decode()
    assert re.findall(r'<option value="([^"]+)"', page) == [str(other)]
    answer = web.post(_at("folder", alice, outer), {"name": "Outer", "parent": str(inner)})
    assert answer.status_code == 422
    web.post(_at("folder", alice, outer), {"name": "Renamed", "parent": str(other)})
    assert _names(alice) == ["Other", "Other/Renamed", "Renamed/Inner"]


def test_order_changes_by_buttons(web, alice):
    made = [folders.create(mailbox=alice.mailbox, name=name) for name in ("A", "B")]
    answer = web.post(_at("shift_folder", alice, made[1]), {"up": ""}, follow=True)
    text = answer.content.decode()
    assert text.index(str(made[1])) < text.index(str(made[0]))


def test_deleting_says_what_goes_and_puts_it_into_trash(web, alice):
    made = folders.create(mailbox=alice.mailbox, name="Old")
    ids = deliver(alice, 2)
    pk = Folder.objects.get(public_id=made).pk
    move.move(mailbox=alice.mailbox, message_ids=ids, folder_id=pk)
    assert "2 messages go to Trash." in web.get(_at("folder", alice, made)).content.decode()
    answer = web.post(_at("delete_folder", alice, made), follow=True)
    assert "2 messages were moved to Trash" in answer.content.decode()
    assert (_names(alice), alice.folder("trash").total_count) == ([], 2)


def test_folders_with_a_task_are_not_there(web, alice):
    trash = alice.folder("trash").public_id
    assert web.get(_at("folder", alice, trash)).status_code == 404
    web.post(_at("delete_folder", alice, trash))
    assert alice.folder("trash").public_id == trash


def test_who_may_send_for_a_mailbox_does_not_change_its_folders(alice, bob):
    give_access(user=bob.user, mailbox=alice.mailbox, role="send")
    made = folders.create(mailbox=alice.mailbox, name="Old")
    client = signed_in(bob)
    assert client.get(_list(alice)).status_code == 403
    assert client.post(_at("delete_folder", alice, made)).status_code == 403
    assert _names(alice) == ["Old"]
    assert client.get(reverse("settings:choose_folders")).headers["Location"] == _list(bob)


def test_the_list_costs_the_same_for_one_folder_and_for_many(
    web, alice, django_assert_max_num_queries
):
    for number in range(30):
        folders.create(mailbox=alice.mailbox, name=f"F{number}")
    with django_assert_max_num_queries(5):
        web.get(_list(alice))
