"""Whatever is delivered and done in whatever order, the store agrees with itself afterwards."""

from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.models.message import Message, Tombstone
from mailcore.store import derive, expunge, flags, folder_tree, folders, move, read, sweep, undo
from mailcore.store.sandbox import Sandbox
from mailcore.store.verify import verify
from tests.support.deliveries import NOW, make_mailbox, make_message
from tests.support.mail_builders import sandbox, store

pytestmark = pytest.mark.django_db

STEPS = 60


class _Life:
    """Random deeds on two mailboxes; remembers operations that could be undone."""

    def __init__(self, seed: int, limited: Sandbox) -> None:
        self.random = Random(seed)
        self.boxes = [make_mailbox(name="a"), make_mailbox(name="b")]
        self.sandbox = limited
        self.operations: list[UUID] = []
        self.step = 0

    def live(self) -> None:
        deeds = (self.deliver, self.flag, self.move, self.undo, self.destroy, self.other)
        for self.step in range(STEPS):
            self.random.choices(deeds, weights=(6, 4, 5, 3, 2, 3))[0](
                self.random.choice(self.boxes)
            )

    def some(self, box: Mailbox) -> list[UUID]:
        ids = list(Message.objects.order_by("pk").values_list("public_id", flat=True))
        return self.random.sample(ids, min(len(ids), self.random.randint(0, 6)))

    def deliver(self, box: Mailbox) -> None:
        number = self.random.randint(0, 15)  # some arrive again
        parents = [f"In-Reply-To: <{number - 1}@m.test>"] if number % 2 else []
        raw = make_message(message_id=f"{number}@m.test", subject=f"S {number}", headers=parents)
        role = self.random.choice(["inbox", "inbox", "junk", "sent"])
        at = NOW + timedelta(minutes=self.step)
        store(*[raw] * self.random.randint(1, 3), mailbox=box, at=at, role=role)

    def flag(self, box: Mailbox) -> None:
        value = self.random.random() < 0.6
        change = self.random.choice([flags.set_seen, flags.set_flagged])
        self.remember(change(mailbox=box, message_ids=self.some(box), value=value).operation_id)

    def move(self, box: Mailbox) -> None:
        folder_ids = list(Folder.objects.filter(mailbox=box).values_list("pk", flat=True))
        target = self.random.choice(folder_ids)
        done = move.move(mailbox=box, message_ids=self.some(box), folder_id=target)
        self.remember(done.operation_id)

    def undo(self, box: Mailbox) -> None:
        if self.operations:
            undo.undo(mailbox=box, operation_id=self.random.choice(self.operations))

    def destroy(self, box: Mailbox) -> None:
        expunge.destroy(mailbox=box, message_ids=self.some(box))

    def other(self, box: Mailbox) -> None:
        kind = self.random.randint(0, 3)
        if kind == 0:
            folders.create(mailbox=box, name=f"Folder {self.step}")
        elif kind == 1:
            empty = Folder.objects.filter(mailbox=box, role="", total_count=0).first()
            if empty is not None:
                folder_tree.delete(mailbox=box, folder_id=empty.public_id)
        elif kind == 2:
            derive.derive_next(sandbox=self.sandbox)
        else:
            sweep.run_all(now=NOW + timedelta(days=self.random.choice([0, 31])))

    def remember(self, operation_id: UUID | None) -> None:
        if operation_id is not None:
            self.operations.append(operation_id)


@pytest.fixture(scope="module")
def limited():
    with sandbox() as made:
        yield made


@pytest.mark.parametrize("seed", range(8))
def test_any_life_leaves_a_store_that_agrees_with_itself(seed, limited):
    life = _Life(seed, limited)
    life.live()
    while derive.derive_next(sandbox=limited):
        pass
    assert verify() == []
    assert Tombstone.objects.filter(destroyed=False).exists()
    for box in life.boxes:
        for folder in read.list_folders(mailbox=box):
            page = read.list_conversations(mailbox=box, folder_id=folder.id, limit=200)
            assert sum(row.unseen_count for row in page.rows) == folder.unseen_count
