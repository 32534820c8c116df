"""One batch on its way: its targets in order, one SMTP transaction, an ending per recipient.

RFC 5321, 4.5.4.1 and 5.1. A connection that broke before the final dot leads to the next target;
one that broke after it does not: the peer may have taken the message, so it waits for the next
try. Decides nothing about retries and holds no queue.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from mailcore import conf, dial
from mailcore.delivery.hosts import MarkedHosts
from mailcore.delivery.leases import Claimed
from mailcore.delivery.outcomes import Outcomes
from mailcore.delivery.routes import Route, Target
from mailcore.queue.claim import Batch, ClaimedRecipient
from mailcore.queue.outcome import Ending, Start
from mailcore.smtp.client import Client, ConnectFailed, Login, Tls, Transaction
from mailcore.smtp.envelope import ForwardPath
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Deferred, Failed, Result

log = logging.getLogger("mailcore.delivery")

MESSAGES_PER_CONNECTION = 100
_FORBIDDEN = Reply(550, "5.4.4", "The domain's mail host has no public address")
FAULT = Reply(451, "4.3.0", "A fault of ours, the message will be tried again")
_CLOSING = 421
_TLS_CHARS = 60


class OpenClient(Protocol):
    """`smtp.client.Client.open`, or what behaves like it."""

    async def __call__(
        self,
        *,
        host: str,
        ip: str,
        port: int,
        helo: str,
        allow: conf.Networks,
        tls: Tls,
        login: Login | None,
    ) -> Client: ...


@dataclass(slots=True, eq=False)
class Connection:
    """An open connection and where it leads."""

    client: Client
    target: Target

    @property
    def is_worn(self) -> bool:
        """Whether it has carried so much that a new one is due."""
        return self.client.message_count >= MESSAGES_PER_CONNECTION

    @property
    def is_broken(self) -> bool:
        """Whether it ended though the host would have taken more (RFC 9422 limits are no fault)."""
        limit = self.client.extensions.message_limit
        is_full = 0 < limit <= self.client.message_count
        return not self.client.is_usable and not is_full


@dataclass(slots=True, eq=False)
class Job:
    """A batch with its octets, where it may go, and what has become of it so far.

    `attempt_ids` belong to the attempts at `begun`, one for each of `waiting`. `told` are the
    endings of the last target that did not answer: final ones, unless another target is tried.
    """

    claimed: Claimed
    content: bytes
    route: Route
    targets: Sequence[Target]
    waiting: list[ClaimedRecipient]
    begun: Target | None = None
    attempt_ids: list[int] = field(default_factory=list)
    told: list[Ending] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    result: Deferred | Failed | None = None
    tried: bool = False
    has_reached_host: bool = False

    def note(self, result: Deferred | Failed) -> None:
        """Keep why a target did not do; one that may do later counts more than one that cannot."""
        if not (isinstance(self.result, Deferred) and isinstance(result, Failed)):
            self.result = result


class Outbound:
    """Sends jobs; what it needs comes in. Shares nothing between jobs but the marked hosts."""

    def __init__(
        self, *, open_client: OpenClient, outcomes: Outcomes, hosts: MarkedHosts, helo: str
    ) -> None:
        self._open_client = open_client
        self._outcomes = outcomes
        self._hosts = hosts
        self._helo = helo

    def first(self, targets: Sequence[Target]) -> Target | None:
        """Return the first target that is not marked."""
        return next((one for one in targets if self._hosts.reply_of(one) is None), None)

    async def send(self, job: Job, connection: Connection | None) -> Connection | None:
        """Send a job, over `connection` if it leads to the right place; fill `job.endings`.

        Returns a connection that can carry more, or None. Raises DatabaseError.
        """
        for target in job.targets:
            if not job.waiting or not self._may_go_on(job):
                break
            if (reply := self._hosts.reply_of(target)) is not None:
                job.note(Deferred(reply))
                continue
            connection = await self._try(job, target, connection)
        self._give_up(job)
        return connection

    async def close(self, connection: Connection | None) -> None:
        """Say QUIT, if there is anybody to say it to."""
        if connection is None:
            return
        if connection.client.is_usable:
            await connection.client.quit()
        else:
            connection.client.abort()

    def _may_go_on(self, job: Job) -> bool:
        is_ours = job.claimed.may_send_dot(at=time.monotonic())
        return is_ours and self._outcomes.are_stored()

    async def _begin(self, job: Job, target: Target) -> None:
        """Write the attempts at a target, unless that is done; close those at the last one."""
        if job.told:
            await self._outcomes.go_on(job.told)
            job.told = []
        if job.begun != target:
            starts = [Start(one.id, target.host, target.ip) for one in job.waiting]
            job.attempt_ids = await self._outcomes.begin(starts)
            job.begun = target

    async def _try(
        self, job: Job, target: Target, connection: Connection | None
    ) -> Connection | None:
        """Try one target; over a connection of its own when a kept one turns out to be dead."""
        await self._begin(job, target)
        job.tried = True
        began_at = time.monotonic()
        if connection is not None and (connection.target != target or connection.is_worn):
            await self.close(connection)
            connection = None
        if connection is not None:
            results = await self._transact(job, connection)
            if not connection.is_broken or job.claimed.has_sent_dot or not self._may_go_on(job):
                return self._settle(job, connection, results, began_at)
            # It was idle too long for the peer: that says nothing about this message.
            connection.client.abort()
        opened = await self._open(job, target, began_at)
        if opened is None:
            return None
        results = await self._transact(job, opened)
        return self._settle(job, opened, results, began_at)

    async def _open(self, job: Job, target: Target, began_at: float) -> Connection | None:
        try:
            client = await self._open_client(
                host=target.host,
                ip=target.ip,
                port=target.port,
                helo=self._helo,
                allow=conf.outbound_allow_networks(),
                tls=job.route.tls,
                login=job.route.login,
            )
        except ConnectFailed as error:
            if error.blames_host:
                self._hosts.mark(target, error.reply)
            self._note_unreached(job, target, Deferred(error.reply), began_at, error.dialogue)
            return None
        except dial.Forbidden:
            self._note_unreached(job, target, Failed(_FORBIDDEN), began_at)
            return None
        return Connection(client, target)

    async def _transact(self, job: Job, connection: Connection) -> Sequence[Result]:
        batch = job.claimed.batch
        transaction = Transaction(
            reverse_path=batch.reverse_path,
            forward_paths=tuple(_forward_path(one) for one in job.waiting),
            content=job.content,
            smtputf8=batch.smtputf8,
            body_8bit=batch.body_8bit or None,
            ret=batch.ret,
            envid=batch.envid,
        )
        job.claimed.abort = connection.client.abort
        try:
            return await connection.client.send(
                transaction, before_dot=partial(self._before_dot, job)
            )
        finally:
            job.claimed.abort = None

    async def _before_dot(self, job: Job) -> bool:
        if not self._may_go_on(job):
            return False
        job.claimed.has_sent_dot = True
        return True

    def _settle(
        self, job: Job, connection: Connection, results: Sequence[Result], began_at: float
    ) -> Connection | None:
        """Divide the recipients into those that are through and those for the next target."""
        client, target = connection.client, connection.target
        broke = connection.is_broken and not job.claimed.has_sent_dot
        describe = partial(
            _ending, job.claimed.batch, target, began_at, client.take_dialogue(), client
        )
        waiting: list[ClaimedRecipient] = []
        for one, attempt_id, result in zip(job.waiting, job.attempt_ids, results, strict=True):
            ending = describe(one, attempt_id, result)
            if broke and isinstance(result, Deferred):
                waiting.append(one)
                job.told.append(ending)
                job.note(result)
            else:
                job.endings.append(ending)
        job.waiting, job.begun, job.attempt_ids = waiting, None, []
        for result in results:
            if broke and result.reply.code == _CLOSING:
                self._hosts.mark(target, result.reply)
        job.has_reached_host = not broke
        return connection if client.is_usable else None

    def _note_unreached(
        self,
        job: Job,
        target: Target,
        result: Deferred | Failed,
        began_at: float,
        dialogue: str = "",
    ) -> None:
        job.note(result)
        describe = partial(_ending, job.claimed.batch, target, began_at, dialogue, None)
        pairs = zip(job.waiting, job.attempt_ids, strict=True)
        job.told = [describe(one, attempt_id, result) for one, attempt_id in pairs]
        job.begun, job.attempt_ids = None, []

    def _give_up(self, job: Job) -> None:
        """End who still waits, with the attempt that was the last, if there was one."""
        if not job.waiting:
            return
        result = job.result or Deferred(FAULT)
        told = {ending.recipient.id: ending for ending in job.told}
        begun = dict(zip((one.id for one in job.waiting), job.attempt_ids, strict=False))
        for one in job.waiting:
            plain = Ending(job.claimed.batch, one, begun.get(one.id), result)
            job.endings.append(replace(told.get(one.id, plain), result=result))
        job.waiting, job.told = [], []


def _forward_path(recipient: ClaimedRecipient) -> ForwardPath:
    notify = tuple(recipient.notify.split(",")) if recipient.notify else ()
    return ForwardPath(recipient.forward_path, notify, recipient.orcpt)


def _ending(
    batch: Batch,
    target: Target,
    began_at: float,
    dialogue: str,
    client: Client | None,
    recipient: ClaimedRecipient,
    attempt_id: int,
    result: Result,
) -> Ending:
    return Ending(
        batch=batch,
        recipient=recipient,
        attempt_id=attempt_id,
        result=result,
        host=target.host,
        ip=target.ip,
        tls=_tls(client),
        dialogue=dialogue,
        duration_ms=int((time.monotonic() - began_at) * 1000),
        relayed_dsn=client is not None and client.extensions.dsn,
    )


def _tls(client: Client | None) -> str:
    if client is None:
        return ""
    if client.tls is None:
        return f"none: {client.tls_failure}"[:_TLS_CHARS] if client.tls_failure else ""
    return f"{client.tls.version} {client.tls.cipher}"[:_TLS_CHARS]
