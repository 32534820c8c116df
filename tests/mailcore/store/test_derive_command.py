"""The `derive` command: it drains, ends cleanly, and a kill loses nothing."""

import os
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import connection

from mailcore.models.blob import Content
from tests.support.deliveries import make_mailbox
from tests.support.mail_builders import store_small
from tests.support.sources import ROOT


@pytest.mark.django_db
def test_once_derives_all_that_waits(capsys):
    mailbox = make_mailbox()
    store_small(mailbox=mailbox, count=60)
    call_command("derive", "--once")
    assert capsys.readouterr().out == "60 derived\n"
    assert not Content.objects.filter(parsed_at=None).exists()


def _start() -> subprocess.Popen[bytes]:
    """Start the command on the database of this test."""
    name = connection.settings_dict["NAME"]
    url = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        url = urlsplit(os.environ["TEST_DATABASE_URL"])._replace(path=f"/{name}").geturl()
    command = [sys.executable, "manage.py", "derive"]
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "webmail.settings"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


def _wait_until_derived(seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not Content.objects.filter(parsed_at=None).exists():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.django_db(transaction=True)
def test_the_process_picks_up_after_a_kill_and_ends_on_sigterm():
    mailbox = make_mailbox()
    store_small(mailbox=mailbox, count=200)
    first = _start()
    time.sleep(1.0)
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=10)
    second = _start()
    try:
        assert _wait_until_derived()
        assert set(Content.objects.values_list("parse_state", flat=True)) == {"ready"}
        second.send_signal(signal.SIGTERM)
        assert second.wait(timeout=15) == 0
    finally:
        second.kill()
        second.wait()
