"""A host that turned us away is left alone for five minutes, address and port."""

from __future__ import annotations

from mailcore.delivery.hosts import MarkedHosts
from mailcore.delivery.routes import Target
from mailcore.smtp.reply import Reply

TARGET = Target("mx.remote.test", "192.0.2.1", 25)
CLOSING = Reply(421, "4.7.0", "Too many connections")


class Seconds:
    """A monotonic clock."""

    def __init__(self) -> None:
        self.value = 1000.0

    def __call__(self) -> float:
        return self.value


def test_a_mark_ends_after_five_minutes():
    clock = Seconds()
    hosts = MarkedHosts(clock=clock)
    hosts.mark(TARGET, CLOSING)
    clock.value += 299
    assert hosts.reply_of(TARGET) == CLOSING
    clock.value += 2
    assert hosts.reply_of(TARGET) is None


def test_a_mark_is_about_one_address_and_port():
    hosts = MarkedHosts(clock=Seconds())
    hosts.mark(TARGET, CLOSING)
    assert hosts.reply_of(Target("mx.remote.test", "192.0.2.2", 25)) is None
    assert hosts.reply_of(Target("mx.remote.test", "192.0.2.1", 2525)) is None
    assert hosts.reply_of(Target("other.test", "192.0.2.1", 25)) == CLOSING
