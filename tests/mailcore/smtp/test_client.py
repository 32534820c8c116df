"""Messages to a host that misbehaves: a result per recipient, whatever it does and when."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import uvloop

from mailcore.smtp.envelope import ForwardPath
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Deferred, Delivered, Failed
from tests.support.fake_mta import (
    DROP,
    ENDLESS,
    EXTENSIONS,
    GARBAGE,
    HANG,
    OK,
    OVERLONG,
    RESET,
    FakeMta,
    Script,
    Step,
    Then,
)
from tests.support.hostile_messages import hostile_messages
from tests.support.smtp_sending import CONTENT, HASTY, PATIENT, connect, letter, send, with_client

WITHOUT = {"all": EXTENSIONS, "no pipelining": EXTENSIONS[1:], "nothing": ()}
each_peer = pytest.mark.parametrize("extensions", WITHOUT.values(), ids=WITHOUT.keys())

# What ends the connection, and the enhanced code that we say of it.
BREAKS: dict[str, tuple[Step, str]] = {
    "421": ("421 4.3.2 Closing", "4.3.2"),
    "drop": (DROP, "4.4.2"),
    "reset": (RESET, "4.4.2"),
    "hang": (HANG, "4.4.2"),
    "garbage": (GARBAGE, "4.5.0"),
    "endless": (ENDLESS, "4.5.0"),
    "overlong": (OVERLONG, "4.5.0"),
    "half a reply": (b"250-x\r\n250", "4.4.2"),
    "mixed codes": (b"250-x\r\n550 x\r\n", "4.5.0"),
    "3yz": ("334 What", "4.5.0"),
}
SIZE = f"SIZE={len(CONTENT)}"
STAGES = ["mail", "rcpt", "data", "dot"]


def script(**steps: Any) -> Script:
    """Return a script whose stages are named by a variable."""
    return Script(**steps)


@each_peer
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", BREAKS)
def test_a_connection_that_breaks_defers_everyone(stage, fault, extensions):
    step, enhanced = BREAKS[fault]
    # The next reply of a pipelining host ends up in the middle of the half one.
    also = {"4.5.0"} if fault == "half a reply" else set()
    with FakeMta(script(extensions=extensions, **{stage: step})) as mta:
        sent = send(mta, letter("bob@x.test", "carol@x.test"), timeouts=HASTY)
    assert [type(result) for result in sent.results] == [Deferred, Deferred]
    assert {result.reply.enhanced for result in sent.results} <= {enhanced, *also}
    assert all(result.reply.is_temporary for result in sent.results)
    assert not sent.is_usable
    assert len(mta.messages) <= 1


@each_peer
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    ("code", "kind"), [("450 4.3.0 Later", Deferred), ("550 5.3.0 No", Failed)]
)
def test_a_refusal_is_the_result_and_the_session_goes_on(stage, code, kind, extensions):
    with FakeMta(script(extensions=extensions, **{stage: [code]})) as mta:

        async def act(client):
            first = await client.send(letter())
            return first, client.is_usable, await client.send(letter("carol@outside.example"))

        first, is_usable, second = with_client(mta, act)
    assert first == (kind(Reply(int(code[:3]), code[4:9], code[10:])),)
    assert is_usable
    assert isinstance(second[0], Delivered)
    assert mta.recipients == ["carol@outside.example"]
    assert mta.violations == []


@each_peer
@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_message_arrives_as_it_was(extensions, loop_factory):
    content = CONTENT + b".dot\r\n..two\r\n.\r\nend"
    with FakeMta(Script(extensions=extensions, starttls_offered=True)) as mta:

        async def run():
            client = await connect(mta)
            results = await client.send(letter("bob@x.test", "carol@x.test", content=content))
            await client.quit()
            return results

        with asyncio.Runner(loop_factory=loop_factory) as runner:
            results = runner.run(run())
    assert results == (Delivered(Reply(250, "2.0.0", "Ok: queued")),) * 2
    [message] = mta.messages
    assert message.content == content + b"\r\n"
    assert message.forward_paths == ["bob@x.test", "carol@x.test"]
    assert (message.reverse_path, message.helo) == ("alice@hamburger.test", "mx.hamburger.test")
    assert message.is_tls
    assert mta.violations == []


def test_no_content_brings_a_bare_line_end_or_a_naked_dot_to_the_wire():
    contents = [b"", b".", b"\n.\n", b"\r.\r", b"a\n.\r\nb", b"a\r\n.\nb", b"\r\r\n", b"x" * 5000]
    contents += [message.data for message in hostile_messages() if len(message.data) < 100_000]
    with FakeMta() as mta:

        async def act(client):
            return [await client.send(letter(content=content)) for content in contents]

        results = with_client(mta, act)
    assert all(isinstance(result, Delivered) for [result] in results)
    assert len(mta.messages) == len(contents)
    assert mta.violations == []


# --- recipients ---


@each_peer
def test_each_recipient_has_its_own_result(extensions):
    script = Script(
        extensions=extensions,
        rcpt_of={
            "b@x.test": "550 5.1.1 No such user",
            "c@x.test": "450 4.2.1 Greylisted",
            "d@x.test": "251 2.1.5 Will forward",
            "e@x.test": "452 4.2.2 Full",
            "f@x.test": "552 5.2.2 Full",
        },
    )
    with FakeMta(script) as mta:
        sent = send(mta, letter(*(f"{name}@x.test" for name in "abcdef")))
    assert [type(result) for result in sent.results] == [
        Delivered, Failed, Deferred, Delivered, Deferred, Failed,
    ]  # fmt: skip
    assert sent.results[1].reply == Reply(550, "5.1.1", "No such user")
    assert mta.recipients == ["a@x.test", "d@x.test"]
    assert len(mta.said("MAIL")) == 1


@each_peer
@pytest.mark.parametrize("code", ["550 5.1.1 No", "450 4.2.1 Later"])
def test_when_nobody_is_accepted_no_content_is_sent(code, extensions):
    with FakeMta(Script(extensions=extensions, rcpt=[code, code])) as mta:

        async def act(client):
            return await client.send(letter("a@x.test", "b@x.test")), await client.send(letter())

        first, second = with_client(mta, act)
    assert {result.reply.code for result in first} == {int(code[:3])}
    assert isinstance(second[0], Delivered)
    assert len(mta.messages) == 1
    assert len(mta.said("RSET")) == 1
    assert mta.violations == []


def test_a_354_that_nobody_should_have_had_is_answered_with_a_lone_dot():
    with FakeMta(Script(rcpt=["550 5.1.1 No"], data="354 Go")) as mta:

        async def act(client):
            return await client.send(letter()), client.is_usable, await client.send(letter())

        first, is_usable, second = with_client(mta, act)
    assert isinstance(first[0], Failed)
    assert is_usable
    assert isinstance(second[0], Delivered)
    assert [message.content for message in mta.messages] == [CONTENT]


@each_peer
def test_too_many_recipients_go_in_further_transactions(extensions):
    paths = [f"r{number}@x.test" for number in range(7)]
    with FakeMta(Script(extensions=extensions, max_recipients=3)) as mta:
        sent = send(mta, letter(*paths))
    assert all(isinstance(result, Delivered) for result in sent.results)
    assert [len(message.forward_paths) for message in mta.messages] == [3, 3, 1]
    assert mta.recipients == paths
    assert mta.connection_count == 1
    assert mta.violations == []


def test_552_on_a_later_recipient_counts_as_too_many():
    with FakeMta(Script(rcpt=[OK, "552 Too many"])) as mta:
        sent = send(mta, letter("a@x.test", "b@x.test"))
    assert all(isinstance(result, Delivered) for result in sent.results)
    assert [message.forward_paths for message in mta.messages] == [["a@x.test"], ["b@x.test"]]


def test_452_forever_defers_and_ends():
    with FakeMta(Script(rcpt="452 4.5.3 Too many")) as mta:
        sent = send(mta, letter("a@x.test", "b@x.test", "c@x.test"))
    assert {str(result.reply) for result in sent.results} == {"452 4.5.3 Too many"}
    assert len(mta.said("RCPT")) == 3


def test_recipients_that_wait_keep_their_reply_when_the_session_ends():
    with FakeMta(Script(max_recipients=1, dot=[Then("250 2.0.0 Ok", DROP)])) as mta:
        sent = send(mta, letter("a@x.test", "b@x.test"))
    assert isinstance(sent.results[0], Delivered)
    assert isinstance(sent.results[1], Deferred)
    assert mta.recipients == ["a@x.test"]


def test_a_second_transaction_that_breaks_gives_its_own_reply():
    with FakeMta(Script(max_recipients=1, dot=[OK, DROP])) as mta:
        sent = send(mta, letter("a@x.test", "b@x.test"))
    assert isinstance(sent.results[0], Delivered)
    assert sent.results[1].reply.enhanced == "4.4.2"
    assert len(mta.messages) == 2


def test_a_named_limit_of_recipients_is_kept():
    with FakeMta(Script(extensions=(*EXTENSIONS, "LIMITS RCPTMAX=2 MAILMAX=3"))) as mta:
        sent = send(mta, letter(*(f"r{number}@x.test" for number in range(5))))
    assert all(isinstance(result, Delivered) for result in sent.results)
    assert [len(message.forward_paths) for message in mta.messages] == [2, 2, 1]
    assert not sent.is_usable


# --- the final dot ---


@pytest.mark.parametrize("step", [DROP, RESET, HANG])
def test_a_reply_to_the_dot_that_is_lost_defers_though_the_host_may_have_it(step):
    with FakeMta(Script(dot=step)) as mta:
        sent = send(mta, timeouts=replace(PATIENT, final_dot_s=0.3))
    assert isinstance(sent.results[0], Deferred)
    assert "final dot" in sent.results[0].reply.text
    assert len(mta.messages) == 1
    assert not mta.messages[0].was_answered


def test_before_the_dot_we_may_think_better_of_it():
    asked = []

    async def no():
        asked.append(len(mta.messages))
        return False

    with FakeMta() as mta:

        async def act(client):
            return await client.send(letter(), before_dot=no), client.is_usable

        results, is_usable = with_client(mta, act)
    assert results == (Deferred(Reply(451, "4.3.0", "Given up before the end of the message")),)
    assert asked == [0]
    assert not is_usable
    assert mta.messages == []


@pytest.mark.parametrize("size", [10, 600_000])
def test_the_dot_is_not_sent_before_leave_is_given(size):
    async def run():
        client = await connect(mta)
        leave = asyncio.Event()

        async def before_dot():
            await leave.wait()
            return True

        content = CONTENT + b"x" * size
        task = asyncio.create_task(client.send(letter(content=content), before_dot=before_dot))
        await asyncio.sleep(0.2)
        assert mta.messages == []
        leave.set()
        results = await task
        await client.quit()
        return results

    with FakeMta() as mta:
        assert isinstance(asyncio.run(run())[0], Delivered)


def test_a_fault_of_our_own_drops_the_connection_and_is_not_swallowed():
    async def broken():
        raise ZeroDivisionError

    async def act(client):
        with pytest.raises(ZeroDivisionError):
            await client.send(letter(), before_dot=broken)
        return client.is_usable

    with FakeMta() as mta:
        assert with_client(mta, act) is False
    assert mta.messages == []


def test_cancelling_drops_the_connection():
    async def run():
        client = await connect(mta)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.send(letter())
        assert not client.is_usable
        client.abort()

    with FakeMta(Script(dot=HANG)) as mta:
        asyncio.run(run())


# --- content ---


def test_several_messages_share_a_session_and_the_dialogue_is_of_each():
    with FakeMta() as mta:

        async def act(client):
            dialogues = []
            for number in range(3):
                await client.send(letter(f"r{number}@x.test"))
                dialogues.append(client.take_dialogue())
            return dialogues, client.message_count

        dialogues, count = with_client(mta, act)
    assert count == 3
    assert mta.connection_count == 1
    assert mta.recipients == ["r0@x.test", "r1@x.test", "r2@x.test"]
    assert dialogues[1].splitlines() == [
        "C: MAIL FROM:<alice@hamburger.test> SIZE=50",
        "C: RCPT TO:<r1@x.test>",
        "C: DATA",
        "S: 250 2.1.0 Ok",
        "S: 250 2.1.5 Ok",
        "S: 354 Go ahead",
        "C: (50 octets of content)",
        "S: 250 2.0.0 Ok: queued",
    ]


async def end_of(client):
    while client.is_usable:
        await asyncio.sleep(0.01)


def test_a_session_that_the_host_ends_while_it_rests_is_not_usable():
    for act in ("disconnect", "421"):
        with FakeMta() as mta:

            async def run(act=act, mta=mta):
                client = await connect(mta)
                await client.send(letter())
                assert client.is_usable
                mta.say_to_all(b"421 4.4.2 Idle\r\n") if act == "421" else mta.disconnect_all()
                await end_of(client)
                results = await client.send(letter())
                await client.quit()
                return results

            assert isinstance(asyncio.run(asyncio.wait_for(run(), 10))[0], Deferred)
        assert len(mta.messages) == 1


def test_421_to_a_later_message_defers_only_that():
    with FakeMta(Script(max_messages=1)) as mta:

        async def act(client):
            return await client.send(letter()), await client.send(letter()), client.is_usable

        first, second, is_usable = with_client(mta, act)
    assert isinstance(first[0], Delivered)
    assert second == (Deferred(Reply(421, "4.7.0", "Enough for one connection")),)
    assert not is_usable


# --- what the peer offers ---


def test_dsn_parameters_go_to_peers_that_offer_dsn_only():
    path = ForwardPath("bob@x.test", notify=("SUCCESS", "FAILURE"), orcpt="rfc822;b+2Bob@y.test")
    message = letter(forward_paths=(path,), ret="HDRS", envid="QQ+2B1")
    with FakeMta() as mta:
        send(mta, message)
        mta.script.extensions = ()
        send(mta, message)
    assert mta.messages[0].mail_parameters == [SIZE, "RET=HDRS", "ENVID=QQ+2B1"]
    assert mta.messages[0].rcpt_parameters == [
        ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;b+2Bob@y.test"]
    ]
    assert mta.messages[1].mail_parameters == []
    assert mta.messages[1].rcpt_parameters == [[]]


def test_size_is_checked_before_anything_is_sent():
    with FakeMta(Script(extensions=("PIPELINING", "SIZE 1000"))) as mta:
        sent = send(mta, letter(content=CONTENT + b"x" * 2000))
    assert sent.results == (
        Failed(Reply(552, "5.3.4", "The message is larger than the host takes")),
    )
    assert sent.is_usable
    assert mta.said("MAIL") == []


def test_8bit_content_is_declared_or_made_7bit_or_failed():
    eight = CONTENT + "señor y señora\r\n".encode()
    header = b"Subject: \xe9\r\n" + CONTENT
    with FakeMta() as mta:
        send(mta, letter(content=eight))
        send(mta, letter(body_8bit=True))
        mta.script.extensions = ("PIPELINING",)
        send(mta, letter(content=eight))
        failed = send(mta, letter(content=header))
        without = send(mta, letter(content=eight), transcode=None)
    assert [message.mail_parameters for message in mta.messages] == [
        [f"SIZE={len(eight)}", "BODY=8BITMIME"],
        [SIZE, "BODY=8BITMIME"],
        [],
    ]
    assert b"se=C3=B1or" in mta.messages[2].content
    assert {str(sent.results[0].reply)[:9] for sent in (failed, without)} == {"554 5.6.3"}
    assert failed.is_usable
    assert mta.violations == []


def test_smtputf8_is_said_where_it_is_needed():
    with FakeMta() as mta:
        send(mta, letter("josé@x.test"))
        send(mta, letter(smtputf8=True))
        send(mta, letter(reverse_path="josé@x.test"))
        send(mta, letter("bob@bücher.test"))
    utf8 = ["SMTPUTF8" in message.mail_parameters for message in mta.messages]
    assert utf8 == [True, True, True, False]
    assert mta.recipients[-1] == "bob@xn--bcher-kva.test"
    assert mta.violations == []


def test_without_smtputf8_what_needs_it_fails_and_the_rest_goes():
    subject = "Subject: señor\r\n\r\nx\r\n".encode()
    with FakeMta(Script(extensions=("PIPELINING", "8BITMIME"))) as mta:
        sent = send(mta, letter("josé@x.test", "bob@x.test", smtputf8=True))
        header = send(mta, letter(smtputf8=True, content=subject))
        sender = send(mta, letter(reverse_path="josé@x.test"))
    assert sent.results[0] == Failed(
        Reply(550, "5.6.7", "The host does not support internationalised addresses")
    )
    assert isinstance(sent.results[1], Delivered)
    assert header.results[0].reply.enhanced == "5.6.7"
    assert sender.results[0].reply.enhanced == "5.6.7"
    assert mta.recipients == ["bob@x.test"]
    assert mta.violations == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "a@x.test> NOTIFY=NEVER",
        "a@x.test>\r\nRSET",
        "a@x.test\n",
        "a b@x.test",
        "a\0@x.test",
    ],
)
def test_no_address_brings_a_command_of_its_own(path):
    with FakeMta() as mta:
        sent = send(mta, letter(path, "bob@x.test"))
        sender = send(mta, letter(reverse_path=path)) if path else None
    assert sent.results[0].reply.enhanced == "5.1.3"
    assert isinstance(sent.results[1], Delivered)
    assert mta.recipients == ["bob@x.test"]
    assert sender is None or sender.results[0].reply.enhanced == "5.1.7"
    assert mta.said("RSET") == []


def test_parameters_with_blanks_or_controls_are_left_out():
    path = ForwardPath("bob@x.test", orcpt="rfc822;a b\r\nRSET")
    with FakeMta() as mta:
        send(mta, letter(forward_paths=(path,), envid="a\r\nRSET", ret="ALL RET=FULL"))
    assert mta.messages[0].mail_parameters == [SIZE]
    assert mta.messages[0].rcpt_parameters == [[]]


def test_the_null_sender_and_quoted_local_parts_are_kept():
    with FakeMta() as mta:
        send(mta, letter('"a b>c"@x.test', "postmaster", reverse_path=""))
    assert mta.messages[0].reverse_path == ""
    assert mta.recipients == ['"a b>c"@x.test', "postmaster"]
