"""`manage.py serve` as a person runs it: prepares, answers, and stops without leaving anything."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import free_port, wait_for_port
from tests.support.sources import ROOT, environment_variables
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(170)]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: v for name, v in os.environ.items() if name not in environment_variables()}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    web, smtp = free_port(), free_port()
    return kept | {
        "DATA_DIR": str(tmp_path / "var"),
        "WEB_LISTEN": f"127.0.0.1:{web}",
        "SMTP_LISTEN": f"127.0.0.1:{smtp}",
        "SUBMISSION_LISTEN": f"127.0.0.1:{free_port()}",
        "SUBMISSIONS_LISTEN": f"127.0.0.1:{free_port()}",
        "PUBLIC_URL": f"http://127.0.0.1:{web}",
        "LOG_LEVEL": "WARNING",
    }


def _port(environment: dict[str, str], name: str) -> int:
    return int(environment[name].rpartition(":")[2])


@pytest.fixture
def serve(environment) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for_port(_port(environment, "WEB_LISTEN"), seconds=90)
        wait_for_port(_port(environment, "SMTP_LISTEN"), seconds=60)
        yield process
    finally:
        process.kill()
        process.communicate()


def _children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _get(environment: dict[str, str], path: str) -> int:
    url = environment["PUBLIC_URL"] + path
    with urllib.request.urlopen(url, timeout=20) as answer:
        return int(answer.status)


def _all_gone(pids: list[int]) -> bool:
    return until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in pids), seconds=30)


def test_serve_answers_then_stops_on_sigterm_without_strays(serve, environment):
    parts = _children(serve.pid)
    workers = [child for part in parts for child in _children(part)]
    assert _get(environment, "/healthz") == 200
    assert _get(environment, "/readyz") == 200
    serve.send_signal(signal.SIGTERM)
    output, _ = serve.communicate(timeout=60)
    assert serve.returncode == 0, output
    assert output.splitlines()[-1] == "casilla: stopped"
    assert "sign in as bob@hamburger.test  password " in output
    assert f"casilla: submission on {environment['SUBMISSION_LISTEN']}\n" in output
    assert f"casilla: submission over TLS on {environment['SUBMISSIONS_LISTEN']}\n" in output
    assert len(parts) == 4
    assert _all_gone(parts + workers)


def test_a_killed_supervisor_takes_its_parts_along(serve):
    parts = _children(serve.pid)
    serve.kill()
    assert len(parts) == 4
    assert _all_gone(parts)


def test_a_port_in_use_is_one_line_before_anything_starts(environment, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", _port(environment, "SMTP_LISTEN")))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    port = _port(environment, "SMTP_LISTEN")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"CommandError: port {port} on 127.0.0.1 is in use: set SMTP_LISTEN to another"
    ]
    assert not (tmp_path / "var" / "casilla.sqlite3").exists()
