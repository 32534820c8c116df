"""Every hostile message through every parser, in a process with hard CPU and memory limits."""

import subprocess
import sys
from pathlib import Path

from tests.support.hostile_messages import hostile_messages

ROOT = Path(__file__).parents[3]


def test_there_are_enough_and_their_names_are_unique():
    messages = hostile_messages()
    assert len(messages) >= 150
    assert len({message.name for message in messages}) == len(messages)


def test_no_message_raises_or_exceeds_the_limits_of_the_process():
    command = [sys.executable, "-m", "tests.mailcore.mime.read_all"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(hostile_messages())
