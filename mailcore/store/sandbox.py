"""Runs `extract` and `picture` in a child process limited in memory, CPU and time (G11).

The child has no secrets, no database and no open files; it may allocate 256 MiB, a message may
take 5 s of CPU in it and 10 s of time. When it dies or hangs it is killed and the next message
gets a new one. It leaves by itself after 60 idle seconds. Knows no Django: octets in, values out.

Both directions carry frames of a 4-octet length and a payload; what comes back is JSON, never
pickle, so that a child that was taken over has nothing to offer but wrong text.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import resource
import select
import struct
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from mailcore.store.extract import Body, Extracted, extract, render
from mailcore.store.picture import Drawn, redraw

MEMORY_BYTES = 256 * 2**20
PICTURE_MEMORY_BYTES = 640 * 2**20  # 25 megapixels, twice, and the decoder
CPU_S = 5
WALL_S = 10.0
IDLE_S = 60.0
PREVIEW_PX = 480
FRAME_BYTES = 128 * 2**20

_LENGTH = struct.Struct(">cI")
_ROOT = Path(__file__).resolve().parent.parent.parent
_CHILD = (
    f"import sys; sys.path.insert(0, {str(_ROOT)!r});"
    "from mailcore.store import sandbox; sandbox.serve(memory_bytes=int(sys.argv[1]))"
)


@dataclass(frozen=True, slots=True)
class Failed:
    """The message could not be read; `counts` unless it was not even tried."""

    reason: str
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was drawn anew."""

    content_type: str
    octets: bytes


class Sandbox:
    """One child at a time, started when it is needed. Safe for threads: one message at a time."""

    def __init__(self, *, wall_s: float = WALL_S, memory_bytes: int = MEMORY_BYTES) -> None:
        self._wall_s = wall_s
        self._memory_bytes = memory_bytes
        self._child: subprocess.Popen[bytes] | None = None
        self._busy = threading.Lock()

    def extract(self, raw: bytes, *, wait_s: float = -1) -> Extracted | Failed:
        """Return what is in a message. `wait_s` bounds the wait for another thread's message."""
        value = self._ask(b"a", raw, wait_s=wait_s)
        return value if isinstance(value, Failed) else Extracted.from_json(value)

    def render(
        self, raw: bytes, *, view: str, image_mode: str = "blocked", wait_s: float = -1
    ) -> Body | Failed:
        """Return only the 'html' or the 'text' body of a message."""
        want = b"t" if view == "text" else b"h" if image_mode == "blocked" else b"i"
        value = self._ask(want, raw, wait_s=wait_s)
        return value if isinstance(value, Failed) else Body(**value)

    def picture(
        self, octets: bytes, *, small: bool = False, wait_s: float = -1
    ) -> Picture | Failed:
        """Return a picture drawn anew, `small` for a preview. Wants PICTURE_MEMORY_BYTES."""
        value = self._ask(b"q" if small else b"p", octets, wait_s=wait_s)
        if isinstance(value, Failed):
            return value
        return Picture(value["content_type"], base64.b64decode(value["data"]))

    def close(self) -> None:
        """Let the child go. A later call starts another."""
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(OSError):
            _stdin(child).close()
        child.kill()
        child.wait()
        _stdout(child).close()

    def _ask(self, want: bytes, raw: bytes, *, wait_s: float) -> dict[str, Any] | Failed:
        if not self._busy.acquire(timeout=wait_s):
            return Failed("busy", counts=False)
        try:
            return self._exchange(want, raw)
        finally:
            self._busy.release()

    def _exchange(self, want: bytes, raw: bytes) -> dict[str, Any] | Failed:
        try:
            child = self._ready_child()
        except OSError as error:
            return Failed(repr(error), counts=False)
        watchdog = threading.Timer(self._wall_s, child.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            _send(_stdin(child), want, raw)
            reply = _receive(_stdout(child))
        except OSError as error:
            reply = None
            reason = repr(error)
        else:
            reason = f"child ended: {child.poll()}"
        finally:
            watchdog.cancel()
        if reply is None:
            self.close()
            return Failed(reason)
        kind, payload = reply
        if kind == b"e":
            self.close()
            return Failed(payload.decode(errors="replace")[:200])
        value: dict[str, Any] = json.loads(payload)
        return value

    def _ready_child(self) -> subprocess.Popen[bytes]:
        """Return a child that waits for a message: one that left while idle is replaced."""
        child = self._child
        if child is not None and child.poll() is None:
            readable, _, _ = select.select([_stdout(child)], [], [], 0)
            if not readable:
                return child
        self.close()
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-c", _CHILD, str(self._memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the parent: it ends the child itself
        )
        return self._child


def serve(*, memory_bytes: int) -> None:
    """Answer messages until stdin ends or nothing comes for a while: the child's main function."""
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    _limit_resources(memory_bytes)
    while select.select([requests], [], [], IDLE_S)[0]:
        request = _receive(requests)
        if request is None:
            return
        _allow_cpu()
        want, raw = request
        try:
            payload = json.dumps(asdict(_answer(want, raw))).encode()
        except Exception as error:  # noqa: BLE001 - the top of the process; the parent logs it
            _send(replies, b"e", repr(error)[:200].encode(errors="replace"))
            return
        _send(replies, b"r", payload)


def _answer(want: bytes, octets: bytes) -> Extracted | Body | Drawn:
    if want == b"a":
        return extract(octets)
    if want in (b"p", b"q"):
        return redraw(octets, side=PREVIEW_PX if want == b"q" else 0)
    return render(
        octets,
        view="text" if want == b"t" else "html",
        image_mode="proxied" if want == b"i" else "blocked",
    )


def _limit_resources(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    with contextlib.suppress(OSError):
        os.nice(5)  # deliveries come first


def _allow_cpu() -> None:
    """Let the kernel end the process CPU_S seconds of CPU from now, inside C code too."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + CPU_S + 1, hard))


def _send(stream: IO[bytes], kind: bytes, payload: bytes) -> None:
    stream.write(_LENGTH.pack(kind, len(payload)))
    stream.write(payload)
    stream.flush()


def _receive(stream: IO[bytes]) -> tuple[bytes, bytes] | None:
    """Return the next frame, None when the other side has ended or says nonsense."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    kind, length = _LENGTH.unpack(head)
    if length > FRAME_BYTES:
        return None
    payload = stream.read(length)
    return (kind, payload) if len(payload) == length else None


def _stdin(child: subprocess.Popen[bytes]) -> IO[bytes]:
    assert child.stdin is not None
    return child.stdin


def _stdout(child: subprocess.Popen[bytes]) -> IO[bytes]:
    assert child.stdout is not None
    return child.stdout
