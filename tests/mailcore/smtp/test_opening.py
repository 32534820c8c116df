"""Sessions that come about or do not: each fault at each stage before the first MAIL."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from dataclasses import replace

import pytest

from mailcore.dial import Forbidden
from mailcore.smtp.client import ConnectFailed, Login, Tls
from tests.support.fake_mta import (
    DROP,
    ENDLESS,
    EXTENSIONS,
    FLOOD,
    GARBAGE,
    HANG,
    NAME,
    OVERLONG,
    RESET,
    FakeMta,
    Script,
    Step,
    Then,
    trusting_context,
)
from tests.support.servers import free_port
from tests.support.smtp_sending import HASTY, PATIENT, connect, send

# Step, the enhanced code that we say of it, and a word of the text.
FAULTS: dict[str, tuple[Step, str, str]] = {
    "4yz": ("450 4.3.2 Not now", "4.3.2", "Not now"),
    "421": ("421 4.7.0 Closing", "4.7.0", "Closing"),
    "5yz": ("554 5.7.1 Never", "4.3.2", "554 5.7.1 Never"),
    "3yz": ("354 What", "4.3.2", "354"),
    "drop": (DROP, "4.4.2", "closed"),
    "reset": (RESET, "4.4.2", ""),
    "hang": (HANG, "4.4.2", "in time"),
    "garbage": (GARBAGE, "4.5.0", "no reply"),
    "endless": (ENDLESS, "4.5.0", "too long"),
    "overlong": (OVERLONG, "4.5.0", "too long"),
    "half a reply": (b"250-mx\r\n250", "4.4.2", "in time"),
    "other code": (b"250-mx\r\n251 mx\r\n", "4.5.0", "no reply"),
}
each_fault = pytest.mark.parametrize("fault", FAULTS)


def failure(script: Script, **options) -> ConnectFailed:
    """Return why no session came about; the host must be rid of the client then."""
    with FakeMta(script) as mta, pytest.raises(ConnectFailed) as caught:
        send(mta, **{"timeouts": HASTY, **options})
    assert 400 <= caught.value.reply.code < 500
    assert mta.messages == []
    assert "connecting to" in caught.value.dialogue
    return caught.value


@each_fault
def test_fault_at_the_banner_defers_and_blames_the_host(fault):
    step, enhanced, text = FAULTS[fault]
    error = failure(Script(banner=step))
    assert (error.reply.enhanced, error.blames_host) == (enhanced, True)
    assert text in error.reply.text


@each_fault
def test_fault_at_ehlo_defers_unless_helo_is_taken(fault):
    step, enhanced, text = FAULTS[fault]
    error = failure(Script(ehlo=step, helo=step))
    assert error.reply.enhanced == enhanced
    assert text in error.reply.text


@pytest.mark.parametrize("refusal", ["500 What", "502 5.5.1 No", "550 5.7.1 No"])
def test_helo_follows_a_refused_ehlo_and_offers_nothing(refusal):
    with FakeMta(Script(ehlo=refusal)) as mta:
        assert send(mta).results[0].reply.code == 250
    assert [line[:4] for line in mta.said("")][:3] == ["EHLO", "HELO", "MAIL"]
    assert mta.said("MAIL") == ["MAIL FROM:<alice@hamburger.test>"]
    assert mta.violations == []


def test_a_banner_and_hello_of_several_lines_are_read():
    with FakeMta(Script(banner=b"220-mx\r\n220-be nice\r\n220 ESMTP\r\n")) as mta:
        assert send(mta).results[0].reply.code == 250


def test_a_slow_drip_does_not_prolong_the_wait():
    with FakeMta(Script(banner=b"220-mx\r\n")) as mta:
        started = time.monotonic()
        with pytest.raises(ConnectFailed):
            send(mta, timeouts=replace(PATIENT, banner_s=0.3))
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("step", [ENDLESS, OVERLONG, FLOOD])
def test_memory_is_bounded_whatever_the_host_says(step):
    def run(mta):
        with pytest.raises(ConnectFailed):
            send(mta, timeouts=replace(HASTY, banner_s=2))

    with FakeMta(Script(banner=step)) as mta:
        tracemalloc.start()
        run(mta)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 8 * 2**20


def test_a_closed_port_defers_and_blames_the_host():
    with FakeMta() as mta:
        mta.port = free_port()
        with pytest.raises(ConnectFailed) as caught:
            send(mta)
    assert str(caught.value.reply).startswith("451 4.4.1 ")
    assert "refused" in caught.value.reply.text
    assert caught.value.blames_host


def test_an_address_that_is_not_listed_is_not_dialled():
    with FakeMta() as mta, pytest.raises(Forbidden):
        send(mta, allow=())
    assert mta.connection_count == 0


# --- STARTTLS ---


def tls(**steps) -> Script:
    return Script(starttls_offered=True, **steps)


def test_starttls_is_taken_where_it_is_offered_and_hello_said_again():
    with FakeMta(tls()) as mta:
        sent = send(mta)
    assert sent.is_tls
    assert mta.messages[0].is_tls
    assert len(mta.said("EHLO")) == 2
    assert sent.tls_failure == ""
    assert mta.violations == []


BROKEN = ["drop", "reset", "hang", "garbage", "endless", "overlong", "half a reply", "other code"]


@pytest.mark.parametrize("stage", ["starttls", "after_tls"])
@pytest.mark.parametrize("fault", BROKEN)
def test_broken_tls_is_followed_by_one_connection_in_plain(stage, fault):
    with FakeMta(tls(**{stage: FAULTS[fault][0]})) as mta:
        sent = send(mta, timeouts=replace(PATIENT, ehlo_s=0.4))
    assert sent.results[0].reply.code == 250
    assert not sent.is_tls
    assert sent.tls_failure
    assert f"TLS failed: {sent.tls_failure}" in sent.dialogue
    assert mta.connection_count == 2
    assert not mta.messages[0].is_tls


@pytest.mark.parametrize(
    "script",
    [
        tls(instead_of_tls=b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        tls(instead_of_tls=b"\x15\x03\x03\x00\x02\x02\x28"),
        tls(starttls=Then("220 Go", DROP)),
        tls(starttls=Then("220 Go", HANG)),
    ],
    ids=["garbage", "alert", "drop", "hang"],
)
def test_a_broken_handshake_is_followed_by_one_connection_in_plain(script):
    with FakeMta(script) as mta:
        sent = send(mta, timeouts=replace(PATIENT, tls_s=0.5))
    assert sent.results[0].reply.code == 250
    assert (sent.is_tls, mta.connection_count) == (False, 2)
    assert sent.tls_failure


@pytest.mark.parametrize("refusal", ["454 4.7.0 No certificate", "502 5.5.1 No"])
def test_refused_starttls_goes_on_in_plain_on_the_same_connection(refusal):
    with FakeMta(tls(starttls=refusal)) as mta:
        sent = send(mta)
    assert sent.results[0].reply.code == 250
    assert sent.tls_failure == refusal
    assert mta.connection_count == 1


def test_plain_octets_behind_the_220_end_the_connection():
    error = failure(tls(starttls=b"220 Go\r\n250-mx\r\n250 AUTH PLAIN\r\n"))
    assert str(error.reply).startswith("454 4.7.0 ")
    assert "plain text" in error.reply.text


@pytest.mark.parametrize("stage", ["starttls", "after_tls"])
def test_421_in_starttls_defers(stage):
    error = failure(tls(**{stage: "421 4.3.2 Closing"}))
    assert str(error.reply) == "421 4.3.2 Closing"


@pytest.mark.parametrize(
    "script",
    [
        Script(),
        tls(starttls="454 4.7.0 Not now"),
        tls(starttls=DROP),
        tls(starttls=GARBAGE),
        tls(after_tls=DROP),
        tls(starttls=b"220 Go\r\n250 injected\r\n"),
    ],
    ids=["not offered", "refused", "drop", "garbage", "after", "injected"],
)
def test_required_tls_never_falls_back_to_plain(script):
    error = failure(script, tls=Tls.REQUIRED)
    assert error.reply.enhanced.startswith("4.7.")


def test_none_takes_no_tls_and_implicit_takes_it_at_once():
    with FakeMta(tls()) as mta:
        assert not send(mta, tls=Tls.NONE).is_tls
    with FakeMta(Script(implicit_tls=True)) as mta:
        assert send(mta, tls=Tls.IMPLICIT).is_tls
    assert len(mta.said("EHLO")) == 1


def test_implicit_tls_with_a_host_that_speaks_plain_text_defers():
    error = failure(Script(), tls=Tls.IMPLICIT)
    assert error.reply.enhanced == "4.7.5"


def test_a_certificate_is_checked_when_asked():
    with FakeMta(tls()) as mta:
        assert send(mta, tls=Tls.REQUIRED, trust=trusting_context()).is_tls
        with pytest.raises(ConnectFailed) as caught:
            send(mta, tls=Tls.REQUIRED, trust=trusting_context(), host="other.example")
    assert "TLS failed" in caught.value.reply.text
    assert len(mta.messages) == 1


def test_a_host_name_that_tls_cannot_carry_is_no_crash():
    with FakeMta(tls()) as mta:
        sent = send(mta, host="x" * 70 + ".example")
    assert not sent.is_tls
    assert sent.results[0].reply.code == 250


# --- AUTH ---

LOGIN = Login("us", "sécret")


@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN", "plain"])
def test_login_is_sent_under_tls_and_masked(mechanisms):
    script = tls(login=("us", "sécret"), login_mechanisms=mechanisms)
    with FakeMta(script) as mta:
        sent = send(mta, login=LOGIN, tls=Tls.REQUIRED, trust=trusting_context())
    assert mta.messages[0].login == "us"
    assert "***" in sent.dialogue
    secrets = [line.split()[-1] for line in mta.said("AUTH PLAIN")]
    assert all(secret not in sent.dialogue for secret in ["sécret", "dXM=", *secrets])
    assert "sécret" not in repr(LOGIN)


def test_a_login_is_not_sent_to_a_certificate_that_nobody_vouches_for():
    error = failure(tls(login=("us", "sécret")), login=LOGIN, tls=Tls.REQUIRED)
    assert error.reply.enhanced == "4.7.5"


@pytest.mark.parametrize("step", [(), *(FAULTS[name][0] for name in FAULTS)])
def test_a_login_that_fails_defers(step):
    script = tls(login=("us", "other"), auth=step)
    error = failure(script, login=LOGIN, tls=Tls.REQUIRED, trust=trusting_context())
    assert error.reply.enhanced in ("4.7.8", "4.4.2", "4.5.0", "4.7.0")


def test_a_login_is_not_sent_in_plain_text_unless_told_so():
    script = Script(login=("us", "sécret"))
    assert failure(script, login=LOGIN).reply.enhanced == "4.7.10"
    with FakeMta(script) as mta:
        assert send(mta, login=LOGIN, tls=Tls.NONE).results[0].reply.code == 250
    assert mta.messages[0].login == "us"


def test_a_host_without_auth_defers():
    with_other = Script(extensions=(*EXTENSIONS, "AUTH GSSAPI"))
    for script in (Script(), with_other):
        assert failure(script, login=LOGIN, tls=Tls.NONE).reply.enhanced == "4.7.0"


# --- the end ---


@pytest.mark.parametrize("step", ["221 Bye", "500 What", DROP, RESET, HANG, GARBAGE, ENDLESS])
def test_quit_ends_in_time_and_never_raises(step):
    with FakeMta(Script(quit=step)) as mta:

        async def run():
            client = await connect(mta, timeouts=replace(PATIENT, quit_s=0.3))
            assert client.is_usable
            assert (client.host, client.ip) == (NAME, "127.0.0.1")
            await client.quit()
            await client.quit()
            assert not client.is_usable

        started = time.monotonic()
        asyncio.run(run())
        assert time.monotonic() - started < 5
    assert len(mta.said("QUIT")) == 1
