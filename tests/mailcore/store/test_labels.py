"""store.labels: making, naming and colouring labels, and putting them on messages."""

from uuid import uuid4

import pytest

from mailcore.models.directory import Mailbox
from mailcore.models.message import Keyword, Label
from mailcore.store import labels, verify
from mailcore.store.undo import undo
from tests.support.deliveries import make_mailbox
from tests.support.mail_builders import folder, rows, store_small

pytestmark = pytest.mark.django_db


def test_a_label_has_a_bit_of_its_own_and_a_keyword_that_imap_can_name():
    mailbox = make_mailbox()
    first = labels.create(mailbox=mailbox, name="  Año  (nuevo) ", hue=3)
    second = labels.create(mailbox=mailbox, name="日本")
    third = labels.create(mailbox=mailbox, name="Ano [nuevo)")
    assert [row.name for row in labels.list_labels(mailbox=mailbox)] == [
        "Ano [nuevo)",
        "Año (nuevo)",
        "日本",
    ]
    assert (first.bit, second.bit, third.bit, first.hue) == (0, 1, 2, 3)
    assert list(Keyword.objects.order_by("bit").values_list("name", flat=True)) == [
        "Ano__nuevo",
        "label",
        "Ano_[nuevo",
    ]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\0b", "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused(name):
    with pytest.raises(labels.LabelRefused) as refused:
        labels.create(mailbox=make_mailbox(), name=name)
    assert refused.value.reason == "name"


def test_two_labels_of_a_mailbox_differ_by_more_than_letter_case():
    mailbox, other = make_mailbox(), make_mailbox(name="other")
    work = labels.create(mailbox=mailbox, name="Straße")
    home = labels.create(mailbox=mailbox, name="Home")
    labels.create(mailbox=other, name="straße")
    with pytest.raises(labels.LabelRefused) as making:
        labels.create(mailbox=mailbox, name="STRASSE")
    with pytest.raises(labels.LabelRefused) as naming:
        labels.rename(mailbox=mailbox, label_id=home.public_id, name="strasse")
    labels.rename(mailbox=mailbox, label_id=work.public_id, name="STRASSE")
    assert (making.value.reason, naming.value.reason) == ("taken", "taken")


def test_the_sixty_fourth_label_is_refused_and_a_deleted_one_makes_room():
    mailbox = make_mailbox()
    made = [labels.create(mailbox=mailbox, name=f"n{n}") for n in range(63)]
    with pytest.raises(labels.LabelRefused) as refused:
        labels.create(mailbox=mailbox, name="one more")
    labels.delete(mailbox=mailbox, label_id=made[40].public_id)
    assert refused.value.reason == "full"
    assert labels.create(mailbox=mailbox, name="one more").bit == 40


def test_only_messages_that_change_get_a_modseq_and_a_place_in_the_operation():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=3)
    label = labels.create(mailbox=mailbox, name="Work")
    labels.set_label(mailbox=mailbox, message_ids=ids[:1], label_id=label.public_id, value=True)
    before = Mailbox.objects.get(pk=mailbox.pk).modseq
    done = labels.set_label(
        mailbox=mailbox, message_ids=[*ids[:2], uuid4()], label_id=label.public_id, value=True
    )
    assert (done.count, folder(mailbox).highest_modseq) == (1, before + 1)
    assert [row.modseq == before + 1 for row in rows(ids)] == [False, True, False]
    assert [row.keywords for row in rows(ids)] == [1, 1, 0]


def test_the_highest_bit_stays_clear_of_its_neighbours():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=1)
    made = [labels.create(mailbox=mailbox, name=f"n{n}") for n in range(63)]
    for label in made:
        labels.set_label(mailbox=mailbox, message_ids=ids, label_id=label.public_id, value=True)
    top = made[62].public_id
    labels.set_label(mailbox=mailbox, message_ids=ids, label_id=top, value=False)
    assert rows(ids)[0].keywords == 2**62 - 1
    assert len(labels.of_bits(made, rows(ids)[0].keywords)) == 62
    assert verify.verify(with_blobs=False) == []


def test_undo_takes_a_label_off_only_where_it_was_put():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=3)
    label = labels.create(mailbox=mailbox, name="Work").public_id
    labels.set_label(mailbox=mailbox, message_ids=ids[:1], label_id=label, value=True)
    done = labels.set_label(mailbox=mailbox, message_ids=ids, label_id=label, value=True)
    labels.set_label(mailbox=mailbox, message_ids=ids[2:], label_id=label, value=False)
    assert done.operation_id is not None
    undone = undo(mailbox=mailbox, operation_id=done.operation_id, now=None)
    assert undone.count == 1
    assert [row.keywords for row in rows(ids)] == [1, 0, 0]


def test_undo_does_not_touch_a_label_that_took_over_the_bit():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=1)
    old = labels.create(mailbox=mailbox, name="Old").public_id
    done = labels.set_label(mailbox=mailbox, message_ids=ids, label_id=old, value=True)
    labels.delete(mailbox=mailbox, label_id=old)
    new = labels.create(mailbox=mailbox, name="New").public_id
    labels.set_label(mailbox=mailbox, message_ids=ids, label_id=new, value=True)
    assert done.operation_id is not None
    assert undo(mailbox=mailbox, operation_id=done.operation_id).count == 0
    assert rows(ids)[0].keywords == 1


def test_deleting_clears_every_message_in_chunks_and_leaves_other_labels(monkeypatch):
    monkeypatch.setattr(labels, "CHUNK", 2)
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=5)
    gone = labels.create(mailbox=mailbox, name="Gone").public_id
    kept = labels.create(mailbox=mailbox, name="Kept").public_id
    labels.set_label(mailbox=mailbox, message_ids=ids, label_id=gone, value=True)
    labels.set_label(mailbox=mailbox, message_ids=ids[:2], label_id=kept, value=True)
    before = Mailbox.objects.get(pk=mailbox.pk).modseq
    assert labels.delete(mailbox=mailbox, label_id=gone) == 5
    assert [row.keywords for row in rows(ids)] == [2, 2, 0, 0, 0]
    assert sorted({row.modseq for row in rows(ids)}) == [before + 1, before + 2, before + 3]
    assert [label.name for label in Label.objects.all()] == ["Kept"]
    assert verify.verify(with_blobs=False) == []


def test_a_label_of_another_mailbox_is_gone():
    alice, mallory = make_mailbox(name="alice"), make_mailbox(name="mallory")
    ids = store_small(mailbox=mallory, count=1)
    label = labels.create(mailbox=alice, name="Work").public_id
    with pytest.raises(labels.LabelGone):
        labels.set_label(mailbox=mallory, message_ids=ids, label_id=label, value=True)
    for deed in (
        lambda: labels.rename(mailbox=mallory, label_id=label, name="x"),
        lambda: labels.recolour(mailbox=mallory, label_id=label, hue=1),
        lambda: labels.delete(mailbox=mallory, label_id=label),
    ):
        with pytest.raises(labels.LabelGone):
            deed()
