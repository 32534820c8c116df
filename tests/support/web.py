"""The web process as `serve` runs it, gunicorn's ASGI worker, on the database of the test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.brokers import child_environment
from tests.support.servers import free_port, wait_for_port
from tests.support.sources import ROOT

_STOP_S = 10.0


def build(directory: Path) -> None:
    """Build static files and catalogues below `directory`, once for many runs."""
    command = [sys.executable, str(ROOT / "manage.py"), "build_assets", "--verbosity", "0"]
    environment = child_environment(directory) | {"DATABASE_URL": f"sqlite:///{directory}/none"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


@contextmanager
def running_web(directory: Path, **more: str) -> Iterator[str]:
    """Run the web process on what `build` made in `directory`; give its URL.

    `more` is environment.
    """
    port = free_port()
    url = f"http://localhost:{port}"
    environment = child_environment(directory) | {"PUBLIC_URL": url} | more
    words = ["--worker-class", "asgi", "--asgi-lifespan", "off", "--no-control-socket"]
    words += ["--graceful-timeout", "1", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    command = [sys.executable, "-m", "gunicorn", *words, "webmail.asgi:application"]
    with (directory / "web.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        try:
            wait_for_port(port)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
