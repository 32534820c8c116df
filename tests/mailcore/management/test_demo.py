"""The demonstration is ordinary data, made once."""

from __future__ import annotations

import stat

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from mailcore.directory.credentials import authenticate
from mailcore.management import demo
from mailcore.management.accounts import password_file
from mailcore.models.blob import Content
from mailcore.models.directory import Domain
from mailcore.models.identity import User
from mailcore.store import read
from mailcore.store.verify import verify
from tests.support.mail_builders import derive_all

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_demonstration_has_two_people_with_mail_in_threads():
    accounts = demo.make(now=timezone.now())
    bob = User.objects.get(login="bob@hamburger.test")
    mailbox = bob.accesses.get().mailbox
    inbox = read.folder_by_role(mailbox=mailbox, role="inbox")
    assert [account.login for account in accounts] == [
        "operator",
        "alice@crepes.test",
        "bob@hamburger.test",
    ]
    assert inbox is not None
    assert inbox.total_count > 15
    page = read.list_conversations(mailbox=mailbox, folder_id=inbox.id)
    assert max(row.message_count for row in page.rows) >= 14
    assert verify() == []


def test_every_message_of_the_demonstration_can_be_read():
    demo.make(now=timezone.now())
    derive_all()
    states = set(Content.objects.values_list("parse_state", flat=True))
    assert states == {"ready"}


def test_passwords_are_kept_for_the_owner_only_and_work():
    accounts = demo.make(now=timezone.now())
    kept = password_file().read_text().splitlines()
    assert stat.S_IMODE(password_file().stat().st_mode) == 0o600
    assert kept == [f"{account.login} {account.password}" for account in accounts]
    found = authenticate(
        login="alice@crepes.test",
        password=accounts[1].password,
        peer_ip="127.0.0.1",
        now=timezone.now(),
    )
    assert isinstance(found, User)


def test_an_installation_with_a_domain_is_left_alone():
    Domain.objects.create(name="ours.example", created_at=timezone.now())
    with pytest.raises(CommandError, match="there is a domain already"):
        call_command("demo")
    assert demo.make_if_empty() == []
    assert User.objects.count() == 0
