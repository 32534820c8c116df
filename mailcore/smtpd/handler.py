"""From the wire to the mail system: one question per MAIL and RCPT, one hand-over per DATA.

Translates what services raise into replies, in one place. An unknown exception is logged with its
traceback and becomes 451 4.3.0: never 250, never 5yz, no word about our code.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

from mailcore.delivery.inbound import Incoming, Outcome, Receipt
from mailcore.errors import Refused
from mailcore.smtp.reply import Reply
from mailcore.smtpd import replies
from mailcore.smtpd.context import Context

log = logging.getLogger("mailcore.smtpd")


def check_sender(
    context: Context, *, reverse_path: str, declared_size: int | None, smtputf8: bool
) -> Reply:
    """Return the reply to MAIL FROM."""
    if declared_size is not None and declared_size > context.limits.message_octets:
        return replies.TOO_LARGE
    try:
        context.backend.check_sender(
            reverse_path=reverse_path, declared_size=declared_size, smtputf8=smtputf8
        )
    except Exception as error:  # noqa: BLE001 - the top of the adapter
        return _reply_to(error)
    return replies.SENDER_OK


async def ask_about(question: Awaitable[None], reply: Reply) -> Reply:
    """Return `reply`, unless the question is answered with an exception."""
    try:
        await question
    except Exception as error:  # noqa: BLE001 - the top of the adapter
        return _reply_to(error)
    return reply


async def check_recipient(
    context: Context, *, forward_path: str, declared_size: int | None, smtputf8: bool
) -> Reply:
    """Return the reply to RCPT TO; asks a thread only when the answer is not at hand."""
    arguments = {
        "forward_path": forward_path,
        "declared_size": declared_size,
        "smtputf8": smtputf8,
    }
    backend = context.backend
    try:
        if not backend.check_known_recipient(
            forward_path=forward_path, declared_size=declared_size, smtputf8=smtputf8
        ):
            await context.questions.ask(backend.check_recipient, **arguments)
    except Exception as error:  # noqa: BLE001 - the top of the adapter
        return _reply_to(error)
    return replies.RECIPIENT_OK


async def deliver(context: Context, item: Incoming) -> Reply:
    """Return the reply to the final dot: 250 only after COMMIT (guarantees G1).

    When the answer takes too long the client is told 451; should the commit succeed after all,
    the repeat is recognised (G3).
    """
    waiting = context.collector.submit(item)
    waiting.add_done_callback(lambda _: item.content.close())
    done, _ = await asyncio.wait((waiting,), timeout=context.limits.answer_timeout_s)
    if not done:
        log.error("smtpd.answer_late", extra={"fields": {"trace_id": item.trace_id.hex}})
        return replies.OUR_FAULT
    return _reply_after_data(waiting.result())


def _reply_after_data(outcome: Outcome) -> Reply:
    if isinstance(outcome, Receipt):
        return Reply(250, "2.0.0", f"Ok: queued as {outcome.queued_as}")
    return _reply_to(outcome)


def _reply_to(error: Exception) -> Reply:
    if isinstance(error, Refused):
        return error.reply
    log.error("smtpd.fault", exc_info=error)
    return replies.OUR_FAULT
