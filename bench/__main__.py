"""`python -m bench --rounds N`: receive, send, find, read; servers in turn, medians and ratios.

Stops all that it started, also at Ctrl-C and SIGTERM. Writes receive.json, send.json,
find.json and read.json under .bench.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import reading, receiving, searchable, sending
from bench.drain import MESSAGES

_RESULTS = Path(__file__).resolve().parent.parent / ".bench"


def main(arguments: list[str]) -> int:
    """Return 0, or 1 when a server failed mail; raises when one lost some or cannot run."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--work", choices=("receive", "find", "send", "read", "all"), default="all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of receiving, at most 10")
    parser.add_argument("--messages", type=int, default=MESSAGES, help="to send in each round")
    parser.add_argument("--mailbox", type=int, default=100_000, help="messages to read among")
    parser.add_argument("--keep", type=Path, help="where read's mailboxes stay for the next time")
    parser.add_argument("--only", default="", help="servers whose name contains this word")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    only, is_good = options.only.lower(), True
    if options.work in {"receive", "all"}:
        seconds = min(options.seconds, 10.0)
        with _directory() as place:
            figures, is_good = receiving.run(
                place, rounds=options.rounds, seconds=seconds, only=only, say=_say
            )
        _keep("receive", figures)
    if options.work in {"find", "all"}:
        with _directory() as place:
            figures = searchable.run(place, rounds=options.rounds, only=only, say=_say)
        _keep("find", figures)
    if options.work in {"send", "all"}:
        with _directory() as place:
            figures = sending.run(
                place, rounds=options.rounds, messages=options.messages, only=only, say=_say
            )
        _keep("send", figures)
    if options.work in {"read", "all"}:
        with _directory() if options.keep is None else _kept(options.keep) as place:
            figures = reading.run(
                place, count=options.mailbox, rounds=options.rounds, only=only, say=_say
            )
        _keep("read", figures)
    return int(not is_good)


@contextmanager
def _directory() -> Iterator[Path]:
    # /var/tmp: /tmp may be in memory. Open to the users that Postfix and PostgreSQL run as.
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir="/var/tmp"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _kept(directory: Path) -> Iterator[Path]:
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    yield directory.resolve()


def _keep(name: str, figures: list[dict[str, object]]) -> None:
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
