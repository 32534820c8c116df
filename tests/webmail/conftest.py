"""Fixtures of the web tests: three people, signed-in clients, and compiled catalogues."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests.support.deliveries import make_message
from tests.support.mail_builders import store
from tests.support.people import Person, give_access, make_person
from webmail.assets.catalogues import compile_catalogues

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session", autouse=True)
def catalogues() -> None:
    """Compile the message catalogues once a run; whitenoise wants its directory to be there."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    compile_catalogues(source=ROOT / "locale", target=settings.LOCALE_DIR)


@pytest.fixture
def alice(db) -> Person:
    return make_person("alice@crepes.test", name="Alice Lefèvre")


@pytest.fixture
def bob(db) -> Person:
    return make_person("bob@crepes.test")


@pytest.fixture
def mallory(db) -> Person:
    return make_person("mallory@hamburger.test")


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person.user)
    return client


@pytest.fixture
def client_of() -> Callable[[Person], Client]:
    return signed_in


@pytest.fixture
def web(alice) -> Client:
    """Alice, signed in."""
    return signed_in(alice)


@pytest.fixture
def reader(alice, bob) -> Client:
    """Bob, who may read Alice's mailbox and change nothing in it."""
    give_access(user=bob.user, mailbox=alice.mailbox, role="read")
    return signed_in(bob)


def deliver(person: Person, count: int = 1, *, thread: bool = False, role: str = "inbox"):
    """Deliver `count` messages, a minute apart: conversations of one, or one of all."""
    ids: list[UUID] = []
    start = timezone.now() - timedelta(days=1)
    for n in range(count):
        raw = make_message(
            message_id=f"{role}{n}@m.test",
            subject="Plan" if thread and n == 0 else "Re: Plan" if thread else f"Number {n}",
            sender=f"Person {n % 3} <p{n % 3}@outside.example>",
            headers=[f"In-Reply-To: <{role}{n - 1}@m.test>"] if thread and n else [],
        )
        ids += store(raw, mailbox=person.mailbox, at=start + timedelta(minutes=n), role=role)
    return ids
