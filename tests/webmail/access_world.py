"""The world of the access matrix: seven people, and something of Alice's at every address."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils import timezone

from mailcore import trace
from mailcore.cards.card import Card
from mailcore.directory import aliases, sign_ins
from mailcore.models.identity import User
from mailcore.models.message import Message
from mailcore.personal import address_book
from mailcore.store import drafts, folders, jobs, labels
from mailcore.store.matching import View
from tests.support.people import MADE_AT, Person, give_access, make_operator, make_person
from tests.support.queued import make_queued
from tests.support.writing import save
from tests.webmail.access_rows import ROLES
from tests.webmail.conftest import deliver


@dataclass(frozen=True, slots=True)
class World:
    """Signed-in clients by role, and the ids that stand in the brackets of routes."""

    clients: dict[str, Client]
    alice: Person
    arguments: dict[str, dict[str, str]]

    def path(self, route: str) -> str:
        """Return the address of a route with ids of what is Alice's."""
        place = next((one for one in ("console", "settings") if route.startswith(one)), "mail")
        path = f"/{route}"
        for name, value in self.arguments[place].items():
            path = path.replace(f"<{name}>", value)
        return path


def make_world() -> World:
    """Make everybody and everything."""
    alice = make_person("alice@crepes.test", name="Alice Secretaria")
    reader, sender = make_person("reader@crepes.test"), make_person("sender@crepes.test")
    give_access(user=reader.user, mailbox=alice.mailbox, role="read")
    give_access(user=sender.user, mailbox=alice.mailbox, role="send")
    bob = make_person("bob@crepes.test")
    operator = make_operator("admin")
    users: dict[str, User | None] = {
        "anonymous": None,
        "owner": alice.user,
        "read": reader.user,
        "send": sender.user,
        "neighbour": bob.user,
        "stranger": make_person("mallory@hamburger.test").user,
        "operator": operator,
    }
    arguments = {
        "mail": _in_mailbox(alice),
        "settings": _in_settings(alice),
        "console": _in_console(alice, bob),
    }
    return World({role: _client(users[role]) for role in ROLES}, alice, arguments)


def _client(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def _in_mailbox(alice: Person) -> dict[str, str]:
    message = Message.objects.select_related("thread").get(public_id=deliver(alice)[0])
    draft = save(alice, subject="Secretaria")
    drafts.add_file(
        draft=draft, name="a.txt", content_type="text/plain", content=b"Secretaria", now=MADE_AT
    )
    found = drafts.find(mailbox=alice.mailbox, draft_id=draft.id)
    assert found is not None
    tracked = make_queued("secretaria@outside.example", reverse_path=alice.address)[0]
    tracked.message.mailbox, tracked.message.sent_message = alice.mailbox, message
    tracked.message.save()
    card = Card(name="Secretaria", addresses=("secretaria@outside.example",))
    return {
        "uuid:contact_id": str(address_book.save(user=alice.user, contact_id=None, card=card)),
        "str:kind": "csv",
        "uuid:mailbox_id": str(alice.box),
        "uuid:label_id": str(labels.create(mailbox=alice.mailbox, name="Secretaria").public_id),
        "uuid:job_id": str(
            jobs.accept(mailbox=alice.mailbox, view=View(), kind="is_seen", verb="")
        ),
        "uuid:folder_id": str(alice.folder().public_id),
        "uuid:thread_id": str(message.thread.public_id),
        "uuid:message_id": str(message.public_id),
        "uuid:draft_id": str(draft.id),
        "uuid:file_id": str(found.files[0].id),
        "uuid:recipient_id": str(tracked.public_id),
        "uuid:public_id": str(tracked.message.public_id),
        "str:part": "1",
        "str:token": "forged",
    }


def _in_settings(alice: Person) -> dict[str, str]:
    elsewhere = SessionStore()
    elsewhere.create()
    key = elsewhere.session_key or ""
    now = timezone.now()
    sign_ins.begin(user_id=alice.user.pk, session_key=key, peer_ip="", agent="", now=now)
    (signed_in,) = sign_ins.list_sign_ins(user=alice.user, now=now)
    return {
        "uuid:sign_in_id": str(signed_in.public_id),
        "uuid:mailbox_id": str(alice.box),
        "uuid:folder_id": str(folders.create(mailbox=alice.mailbox, name="Secretaria")),
        "uuid:label_id": str(labels.create(mailbox=alice.mailbox, name="Of Secretaria").public_id),
    }


def _in_console(alice: Person, bob: Person) -> dict[str, str]:
    alias = aliases.create_alias(address="team@crepes.test", targets=[alice.address], now=MADE_AT)
    kept = make_queued("far@outside.example", reverse_path=alice.address, state="captured")[0]
    trace_id = uuid4()
    told = trace.Entry(trace_id, timezone.now(), "connected", peer="192.0.2.1")
    trace.record([told])
    return {
        "uuid:domain_id": str(alias.domain.public_id),
        "uuid:mailbox_id": str(alice.box),
        "uuid:address_id": str(alias.public_id),
        "uuid:user_id": str(bob.user.public_id),
        "uuid:message_id": str(kept.message.public_id),
        "uuid:trace_id": str(trace_id),
    }
