"""Addresses of pages in a person's mailbox, for tests."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse

from mailcore.models.message import Message
from tests.support.people import Person


def folder_url(person: Person, role: str = "inbox") -> str:
    return reverse("mail:folder", args=[person.box, person.folder(role).public_id])


def thread_url(person: Person, message_id: UUID, *, role: str = "inbox") -> str:
    thread = Message.objects.get(public_id=message_id).thread
    base = reverse("mail:thread", args=[person.box, thread.public_id])
    return f"{base}?in={person.folder(role).public_id}"


def message_url(person: Person, message_id: UUID, name: str, *more: str) -> str:
    return reverse(f"mail:{name}", args=[person.box, message_id, *more])


def act_url(person: Person) -> str:
    return reverse("mail:act", args=[person.box])
