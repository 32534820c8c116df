"""One sign-in for all doors: the same answer and work for every kind of no."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password

from mailcore.directory import credentials, users
from mailcore.directory.credentials import Busy, Denied, HashingGate
from mailcore.models.identity import AuthThrottle, User
from tests.support import people
from tests.support.people import MADE_AT as NOW
from tests.support.people import PASSWORD

pytestmark = pytest.mark.django_db
HOME = "192.0.2.7"


class CountingGate(HashingGate):
    """A real gate that knows how often it was asked."""

    def __init__(self) -> None:
        super().__init__(running=2, waiting=2, timeout=timedelta(seconds=10))
        self.hashed: list[list[str]] = []

    def check(self, password, encoded):
        self.hashed.append(encoded.split("$")[1:4])
        return super().check(password, encoded)


@pytest.fixture
def bob():
    return people.make_bob()


def enter(login="bob@hamburger.test", password=PASSWORD, *, ip=HOME, at=NOW, **others):
    return credentials.authenticate(login=login, password=password, peer_ip=ip, now=at, **others)


def fail(count: int, *, ip=HOME, at=NOW, login="bob@hamburger.test") -> None:
    """Leave the traces of `count` wrong passwords, without the cost of each."""
    from mailcore.directory import throttle

    for _ in range(count):
        throttle.record_failure(throttle.attempt(login=login, peer_ip=ip, now=at))


@pytest.mark.parametrize(
    "login", ["bob@hamburger.test", "BOB@Hamburger.test", '"bob"@hamburger.test ']
)
def test_login_and_password_open_the_door(bob, login):
    assert enter(login) == bob.user


def test_every_no_is_the_same(bob, django_assert_num_queries):
    alice, carol = people.make_alice(), people.make_person("carol@hamburger.test")
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    User.objects.filter(pk=carol.user.pk).update(password="!")
    fail(50, ip="203.0.113.1", login="dave@hamburger.test")
    gate = CountingGate()
    answers = []
    attempts = [
        ("bob@hamburger.test", "wrong"),
        ("nobody@hamburger.test", PASSWORD),
        ("alice@hamburger.test", PASSWORD),
        ("carol@hamburger.test", PASSWORD),
        ("no\0body\udc80", "\udc80"),
        ("x" * 5000, "x" * 5000),
    ]
    enter("warm", "up")
    for number, (login, password) in enumerate(attempts):
        with django_assert_num_queries(7):
            answers.append(enter(login, password, ip=f"198.{number + 18}.0.1", gate=gate))
    assert answers == [Denied(timedelta(seconds=2))] * len(attempts)
    assert gate.hashed == [["argon2id", "v=19", "m=19456,t=2,p=1"]] * len(attempts)


def test_passwords_are_argon2id_with_19_mib_and_two_passes():
    assert make_password("x").startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_delay_grows_with_the_failures_of_the_account(bob):
    answers = []
    for number in range(5):
        answers.append(enter(password="wrong", ip=f"198.{number + 18}.0.1"))
    assert [answer.delay.total_seconds() for answer in answers] == [2, 4, 8, 15, 15]
    assert enter(at=NOW + timedelta(days=1), password="wrong").delay == timedelta(seconds=2)


def test_ten_failures_a_minute_close_the_door_for_that_minute(bob):
    fail(9)
    assert enter() == bob.user
    AuthThrottle.objects.filter(key__startswith="known").delete()
    fail(1)
    assert isinstance(enter(), Denied)
    assert enter(at=NOW + timedelta(minutes=1)) == bob.user


def test_fifty_failures_a_day_close_the_door_for_that_day(bob):
    for minute in range(10):
        fail(5, at=NOW + timedelta(minutes=minute))
    assert isinstance(enter(at=NOW + timedelta(hours=2)), Denied)
    assert enter(at=NOW + timedelta(days=1)) == bob.user


@pytest.mark.parametrize(
    ("attacker", "same", "count"),
    [
        ("192.0.2.{}", "192.0.2.200", 30),
        ("198.18.{}.1", "198.18.200.1", 90),
        ("2001:db8:0:0::{}", "2001:db8::99", 10),
        ("2001:db8:0:{}::1", "2001:db8:0:99::1", 30),
        ("2001:db8:{}::1", "2001:db8:99::1", 90),
    ],
)
def test_networks_are_counted_as_a_whole(bob, attacker, same, count):
    for number in range(count):
        fail(1, ip=attacker.format(number), login=f"victim{number}@hamburger.test")
    assert isinstance(enter(ip=same), Denied)
    assert enter(ip="203.0.113.9") == bob.user


def test_an_address_that_signed_in_within_30_days_is_never_locked_out(bob):
    assert enter() == bob.user
    later = NOW + timedelta(days=29)
    fail(60, ip="203.0.113.1", at=later)
    fail(60, at=later, login="nobody")
    assert enter(at=later) == bob.user
    assert isinstance(enter(at=later, ip="203.0.113.2"), Denied)
    too_late = later + timedelta(days=31)
    fail(60, ip="203.0.113.1", at=too_late)
    assert isinstance(enter(at=too_late), Denied)


def test_exempt_networks_are_not_counted(bob, settings):
    from ipaddress import ip_network

    settings.LIMITS_EXEMPT_NETWORKS = (ip_network("192.0.2.0/24"),)
    for number in range(60):
        fail(1, login=f"victim{number}")
    assert enter() == bob.user


@pytest.mark.parametrize("ip", ["", "unix:", "::ffff:192.0.2.7"])
def test_odd_client_addresses_are_taken(bob, ip):
    assert enter(ip=ip) == bob.user


def test_a_full_gate_is_busy_and_counts_nothing(bob):
    gate = HashingGate(running=1, waiting=0, timeout=timedelta(seconds=5))
    assert gate._places.acquire(blocking=False)
    assert enter(gate=gate) == Busy()
    assert not AuthThrottle.objects.exists()
    gate._places.release()
    assert enter(gate=gate) == bob.user


def test_who_waits_too_long_is_told_busy():
    gate = HashingGate(running=1, waiting=1, timeout=timedelta(milliseconds=1))
    assert gate.check("x", make_password("x")) is None


def test_at_most_so_many_hash_at_once():
    gate = HashingGate(running=2, waiting=50, timeout=timedelta(seconds=30))
    encoded = make_password("x")
    answers: list[bool | None] = []
    threads = [
        threading.Thread(target=lambda: answers.append(gate.check("x", encoded))) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [True] * 12


def test_sweeping_forgets_what_no_longer_counts(bob):
    from mailcore.directory import throttle

    fail(1)
    enter()
    assert throttle.sweep(now=NOW + timedelta(days=1)) == 0
    assert throttle.sweep(now=NOW + timedelta(days=3)) == 8
    assert throttle.sweep(now=NOW + timedelta(days=31)) == 1


def test_the_password_that_was_set_is_the_one_that_opens(bob):
    users.set_password(login="bob@hamburger.test", password="new one")
    assert isinstance(enter(), Denied)
    assert enter(password="new one") == bob.user
