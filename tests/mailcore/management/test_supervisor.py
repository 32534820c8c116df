"""Parts are started again when they end, and end with the supervisor."""

from __future__ import annotations

import sys
import threading
from functools import partial
from pathlib import Path

from mailcore.management.supervisor import PAUSE_FIRST_S, PAUSE_MOST_S, STABLE_S, Part, Supervisor
from tests.support.waiting import until

_until = partial(until, seconds=20)
SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def _run(supervisor: Supervisor) -> threading.Thread:
    thread = threading.Thread(target=supervisor.run, kwargs={"interval_s": 0.02})
    thread.start()
    return thread


def test_a_part_that_ends_is_started_again(tmp_path):
    runs = tmp_path / "runs"
    code = f"open({str(runs)!r}, 'a').write('x')"
    lines: list[str] = []
    supervisor = Supervisor([Part("short", [sys.executable, "-c", code])], say=lines.append)
    supervisor.start()
    thread = _run(supervisor)
    again = _until(lambda: runs.exists() and len(runs.read_text()) >= 2)
    supervisor.stop()
    thread.join(timeout=20)
    assert again
    assert lines[0] == "short ended (status 0), starting it again in 0.5 s"


def test_stop_ends_every_part_and_its_children():
    part = Part("parent", ["sh", "-c", "sleep 61 & wait"])
    supervisor = Supervisor([part], say=lambda _: None)
    supervisor.start()
    assert part.process
    pid = part.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    assert _until(lambda: children.read_text() != "")
    child = int(children.read_text().split()[0])
    supervisor.stop()
    supervisor.run()
    assert part.process.returncode is not None
    assert _until(lambda: not Path(f"/proc/{child}/exe").exists())


def test_the_pause_doubles_up_to_a_bound_and_starts_over_after_a_long_run():
    part = Part("part", SLEEPER)
    pauses = [part.pause_after_end(now=1.0) for _ in range(9)]
    assert pauses[:3] == [PAUSE_FIRST_S, 2 * PAUSE_FIRST_S, 4 * PAUSE_FIRST_S]
    assert pauses[-1] == PAUSE_MOST_S
    assert part.pause_after_end(now=STABLE_S + 2) == PAUSE_FIRST_S
