"""A scriptable mail host on loopback: takes mail as a good one does, or misbehaves as told.

    with FakeMta(Script(rcpt={"bob@x.test": "550 5.1.1 No such user"}, dot=[DROP])) as mta:
        ... connect to ("127.0.0.1", mta.port) ...
    mta.messages, mta.violations

A step is what the host does at one stage in place of its usual reply: a reply ("451 4.3.0 Later"),
octets as they are (bytes), or one of DROP, RESET, HANG, DEAF, ENDLESS, OVERLONG, FLOOD, GARBAGE,
Then(reply, DROP). One
step holds for always; a list is gone through once, in turn over all connections, and what
comes after it (or OK) is the usual reply.
"""

from __future__ import annotations

import asyncio
import threading

from tests.support.fake_mta_script import (
    DEAF,
    DROP,
    ENDLESS,
    EXTENSIONS,
    FLOOD,
    GARBAGE,
    HANG,
    OK,
    OVERLONG,
    RESET,
    Act,
    Message,
    Script,
    Step,
    Steps,
    Then,
)
from tests.support.fake_mta_session import NAME, Over, Session, server_context, trusting_context

__all__ = [
    "DEAF", "DROP", "ENDLESS", "EXTENSIONS", "FLOOD", "GARBAGE", "HANG", "NAME", "OK", "OVERLONG",
    "RESET", "FakeMta", "Message", "Script", "Step", "Then", "trusting_context",
]  # fmt: skip

HOST = "127.0.0.1"


class FakeMta:
    """The host, in a thread of its own, from `with` to its end."""

    def __init__(self, script: Script | None = None, *, port: int = 0, name: str = NAME) -> None:
        self.script = script or Script()
        self.name = name
        self.port = port
        self.messages: list[Message] = []
        self.violations: list[str] = []  # of RFC 5321 and 2920 by the client
        self.commands: list[bytes] = []  # lines as they came, of all connections
        self.stages: list[str] = []  # that steps or usual replies were taken at
        self.connection_count = 0
        self.open_count = 0
        self.most_open = 0
        self.sent_octets = 0  # by ENDLESS, OVERLONG and FLOOD
        self.errors: list[BaseException] = []
        self._used: dict[str, int] = {}
        self._sessions: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> FakeMta:
        self._thread.start()
        assert self._ready.wait(20)
        self._raise_errors()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._raise_errors()

    def _raise_errors(self) -> None:
        if self.errors:
            raise self.errors[0]

    # --- asked by tests ---

    @property
    def recipients(self) -> list[str]:
        """The forward-paths of all messages, in order."""
        return [path for message in self.messages for path in message.forward_paths]

    def said(self, verb: str) -> list[str]:
        """Return the command lines that began with `verb`."""
        lines = [line.decode("utf-8", "replace").rstrip("\r\n") for line in self.commands]
        return [line for line in lines if line.upper().startswith(verb)]

    def reply_to_rcpt(self, *steps: Step) -> None:
        """Answer the next RCPT commands so; OK is the usual reply."""
        self._used.pop("rcpt", None)
        self.script.rcpt = list(steps)

    def disconnect_all(self) -> None:
        """Close every connection that is open."""
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._sessions])

    def say_to_all(self, octets: bytes) -> None:
        """Say something on every open connection, unasked."""
        for writer in list(self._writers):
            self._loop.call_soon_threadsafe(writer.write, octets)

    # --- the thread ---

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - shown to the test
            self.errors.append(error)
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        context = server_context() if self.script.implicit_tls else None
        server = await asyncio.start_server(self._accept, HOST, self.port, backlog=512, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._sessions:
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        await asyncio.sleep(0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer, self.connection_count)
        self.connection_count += 1
        task = self._loop.create_task(self._serve(session))
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)

    async def _serve(self, session: Session) -> None:
        self.open_count += 1
        self._writers.add(session.writer)
        self.most_open = max(self.most_open, self.open_count)
        try:
            await session.run()
        except (OSError, EOFError, Over, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001 - shown to the test
            self.errors.append(error)
        finally:
            self.open_count -= 1
            self._writers.discard(session.writer)
            session.writer.transport.abort()

    def next_step(self, stage: str, steps: Steps) -> Step:
        """Return what to do at `stage` now; a list is used up over all connections."""
        self.stages.append(stage)
        step = self.step_at(stage, steps)
        self._used[stage] = self._used.get(stage, 0) + 1
        return step

    def step_at(self, stage: str, steps: Steps) -> Step:
        """Return what `next_step` would, using up nothing."""
        if isinstance(steps, str | bytes | Act | Then):
            return steps
        used = self._used.get(stage, 0)
        return steps[used] if used < len(steps) else OK
