"""The commands that scripts rely on: what they print, change, and how they exit."""

import io
import re

import pytest
from django.core.management import CommandError, call_command

from mailcore.address import parse
from mailcore.directory import resolve
from mailcore.directory.resolve import Resolved
from mailcore.models.directory import Address, Domain, Forward, Mailbox
from mailcore.models.identity import User
from tests.support import people

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def counts() -> list[int]:
    return [table.objects.count() for table in (Address, Domain, Forward, Mailbox, User)]


@pytest.fixture
def stdin(monkeypatch):
    def give(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return give


def test_create_domain():
    assert run("create_domain", "Crepes.TEST") == "domain crepes.test created\n"
    assert Domain.objects.get().name == "crepes.test"


def test_create_mailbox_prints_a_password_that_works():
    people.make_domain()
    out = run("create_mailbox", "bob@hamburger.test", "--quota", "1G")
    password = re.search(r"^password: (\S+)$", out, re.MULTILINE)
    user = User.objects.get(login="bob@hamburger.test")
    assert password is not None
    assert user.check_password(password[1])
    assert Mailbox.objects.get(is_system=False).quota_bytes == 2**30


def test_create_mailbox_reads_a_password_and_does_not_print_it(stdin):
    people.make_domain()
    stdin("s3 cret\nsecond line\n")
    assert run("create_mailbox", "bob@hamburger.test", "--password-stdin") == (
        "mailbox bob@hamburger.test created\n"
    )
    assert User.objects.get(login="bob@hamburger.test").check_password("s3 cret")


def test_create_alias():
    bob = people.make_bob()
    run("create_alias", "team@hamburger.test", "bob@hamburger.test", "x@y.example")
    found = resolve.resolve(forward_path=parse("team@hamburger.test"))
    assert isinstance(found, Resolved)
    assert [target.mailbox_id for target in found.mailboxes] == [bob.mailbox.pk]
    assert [remote.address for remote in found.remotes] == ["x@y.example"]


def test_create_operator(stdin):
    stdin("s3cret\n")
    assert run("create_operator", "root", "--password-stdin") == "operator root created\n"
    user = User.objects.get(login="root")
    assert user.is_operator
    assert user.check_password("s3cret")
    assert "password: " in run("create_operator", "second")


def test_set_password(stdin):
    people.make_bob()
    stdin("changed\n")
    run("set_password", "bob@hamburger.test", "--password-stdin")
    assert User.objects.get(login="bob@hamburger.test").check_password("changed")


@pytest.mark.parametrize(
    "arguments",
    [
        ("create_domain", "hamburger.test"),
        ("create_mailbox", "bob@hamburger.test"),
        ("create_mailbox", "abuse@hamburger.test"),
        ("create_mailbox", "bob@nowhere.test"),
        ("create_alias", "bob@hamburger.test", "x@y.example"),
        ("create_operator", "BOB@hamburger.test"),
        ("set_password", "nobody", "--password-stdin"),
    ],
)
def test_what_exists_or_is_missing_exits_1_with_one_line_and_changes_nothing(arguments, stdin):
    people.make_bob()
    stdin("s3cret\n")
    before = counts()
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 1
    assert "\n" not in str(caught.value)
    assert counts() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("create_domain", "not a domain"),
        ("create_mailbox", "bob"),
        ("create_mailbox", "ana@hamburger.test", "--password-stdin"),
        ("create_alias", "team@hamburger.test", "nonsense"),
        ("create_operator", " "),
        ("set_password", "bob@hamburger.test", "--password-stdin"),
    ],
)
def test_wrong_usage_exits_2_and_changes_nothing(arguments, stdin):
    people.make_bob()
    stdin("\n")
    before = counts()
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 2
    assert counts() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create_alias", "team@hamburger.test"), "TARGET"),
        (("create_mailbox", "ana@hamburger.test", "--quota", "lots"), "not a size"),
        (("set_password", "bob@hamburger.test"), "--password-stdin"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_explained(arguments, message):
    with pytest.raises(CommandError, match=message):
        run(*arguments)
