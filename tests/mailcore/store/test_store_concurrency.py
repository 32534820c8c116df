"""Deliveries, people, derivation and sweeps at the same time: no deadlock, nothing disagrees."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest
from django.db import connection

from mailcore.models.blob import Content
from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.store import derive, expunge, flags, move, sweep
from mailcore.store.deliver import Stored, deliver_batch
from mailcore.store.verify import verify
from tests.support.deliveries import NOW, make_delivery, make_mailbox, make_message
from tests.support.mail_builders import derive_all, sandbox

ROUNDS = 25


def _deliver(boxes: list[Mailbox], random: Random) -> None:
    raws = [make_message(message_id=f"{random.randint(0, 20)}@m.test") for _ in range(5)]
    batch = [make_delivery(raw, *boxes, keyed=False, role="trash") for raw in raws]
    for result in deliver_batch(batch, now=NOW):
        stored = result if isinstance(result, Stored | Exception) else result.result(timeout=30)
        assert isinstance(stored, Stored), stored


def _act(boxes: list[Mailbox], random: Random) -> None:
    box = random.choice(boxes)
    ids = list(Message.objects.order_by("?").values_list("public_id", flat=True)[:20])
    kind = random.randint(0, 3)
    if kind == 0:
        flags.set_seen(mailbox=box, message_ids=ids, value=random.random() < 0.5)
    elif kind == 1:
        move.to_role(mailbox=box, message_ids=ids, role=random.choice(["archive", "trash"]))
    else:
        expunge.destroy(mailbox=box, message_ids=ids[:10])


def _sweep(boxes: list[Mailbox], random: Random) -> None:
    sweep.collect_contents(now=NOW + timedelta(hours=25))


@pytest.mark.django_db(transaction=True)
def test_all_at_once_leaves_a_store_that_agrees_with_itself():
    boxes = [make_mailbox(name="a"), make_mailbox(name="b")]

    def repeat(deed: Callable[[list[Mailbox], Random], None], seed: int) -> None:
        random = Random(seed)
        try:
            for _ in range(ROUNDS):
                deed(boxes, random)
        finally:
            connection.close()

    with sandbox() as limited, ThreadPoolExecutor(max_workers=6) as threads:

        def derive_some(_: list[Mailbox], __: Random) -> None:
            derive.derive_next(sandbox=limited)

        deeds = (_deliver, _deliver, _act, _act, _sweep, derive_some)
        lives = [threads.submit(repeat, deed, seed) for seed, deed in enumerate(deeds)]
        for life in lives:
            life.result(timeout=100)
    derive_all()
    assert verify() == []
    assert set(Content.objects.values_list("parse_state", flat=True)) <= {"ready"}
