"""Queue, captured mail, trace, blocks, audit log: what they show, what their buttons do."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mailcore import rawmail, trace
from mailcore.directory import throttle
from mailcore.html.document import body_csp
from mailcore.models.queue import QueuedMessage, QueuedRecipient
from mailcore.trace import audit
from tests.support.deliveries import make_message
from tests.support.queued import make_attempt, make_queued
from tests.webmail.console.conftest import HOSTILE, assert_escaped

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
QUEUE_QUERIES, CAPTURED_QUERIES = 4, 4


def _url(name: str, *args: object) -> str:
    return reverse(f"console:{name}", args=args)


def _act(console, verb: str, *rows: QueuedRecipient, **more: str):
    data = {"verb": verb, "recipient": [str(row.public_id) for row in rows], **more}
    return console.post(_url("act"), data)


def _state(row: QueuedRecipient) -> str:
    return QueuedRecipient.objects.get(pk=row.pk).state


def _captured(raw: bytes) -> UUID:
    row = make_queued("far@outside.example", state="captured")[0]
    blob = rawmail.save(rawmail.prepare(raw), now=timezone.now())
    QueuedMessage.objects.filter(pk=row.message_id).update(blob=blob, prefix=b"")
    return row.message.public_id


def test_the_queue_says_what_waits_and_why(console):
    (row,) = make_queued("a@far.test", last_reply="451 4.2.2 mailbox full")
    page = console.get(_url("queue")).content.decode()
    for text in ("a@far.test", "451 4.2.2 mailbox full", "The mailbox of the recipient is full."):
        assert text in page
    assert _url("queued", row.message.public_id) in page


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("", {"queued", "held"}),
        ("queued", {"queued"}),
        ("failed", {"failed", "expired"}),
        ("all", {"queued", "held", "captured", "delivered", "failed", "expired", "cancelled"}),
        ("nonsense", {"queued", "held"}),
    ],
)
def test_states_narrow_the_queue(console, state, shown):
    names = ("queued", "held", "captured", "delivered", "failed", "expired", "cancelled")
    for name in names:
        make_queued(f"{name}@far.test", state=name)
    page = console.get(_url("queue"), {"state": state}).content.decode()
    assert {name for name in names if f"{name}@far.test" in page} == shown


def test_a_domain_narrows_the_queue(console):
    make_queued("a@far.test"), make_queued("b@near.test")
    page = console.get(_url("queue"), {"domain": "FAR.test"}).content.decode()
    assert "a@far.test" in page
    assert "b@near.test" not in page


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        ("retry", "queued", "queued"),
        ("hold", "queued", "held"),
        ("release", "held", "queued"),
        ("cancel", "queued", "cancelled"),
        ("cancel", "captured", "cancelled"),
        ("send", "captured", "queued"),
    ],
)
def test_a_button_acts_on_the_selection_and_is_recorded(console, verb, before, after):
    chosen, other = make_queued("a@far.test", "b@far.test", state=before)
    if verb == "retry":
        later = timezone.now() + timedelta(hours=1)
        QueuedRecipient.objects.update(next_attempt_at=later)
    assert _act(console, verb, chosen, next=_url("captured"))["Location"] == _url("captured")
    assert (_state(chosen), _state(other)) == (after, before)
    if verb == "retry":
        assert QueuedRecipient.objects.filter(pk=chosen.pk, next_attempt_at__lt=later).exists()
    (deed,) = audit.deeds().deeds
    assert (deed.actor, deed.action, deed.object) == ("admin", f"queue.{verb}", "a@far.test")
    assert deed.detail == {"asked": 1, "done": 1}


def test_what_is_being_sent_is_left_alone(console):
    (row,) = make_queued(
        "a@far.test", lease_token=uuid4(), lease_until=timezone.now() + timedelta(minutes=1)
    )
    page = console.post(
        _url("act"), {"verb": "cancel", "recipient": str(row.public_id)}, follow=True
    ).content.decode()
    assert _state(row) == "queued"
    assert "was left alone" in page


@pytest.mark.parametrize(
    ("data", "status"), [({}, 400), ({"verb": "explode"}, 400), ({"verb": "hold"}, 303)]
)
def test_a_request_without_an_action_or_a_selection_changes_nothing(console, data, status):
    make_queued("a@far.test")
    assert console.post(_url("act"), data).status_code == status
    assert audit.deeds().deeds == ()


def test_odd_ids_and_a_foreign_next_are_ignored(console):
    response = console.post(
        _url("act"), {"verb": "hold", "recipient": ["x", ""], "next": "//evil.example/"}
    )
    assert response["Location"] == "/"


def test_a_message_shows_each_try_and_not_its_content(console):
    (row,) = make_queued("a@far.test")
    make_attempt(row, code=550, text=HOSTILE)
    response = console.get(_url("queued", row.message.public_id))
    page = response.content.decode()
    assert_escaped(response.content)
    assert "mx.outside.example" in page
    assert "TLSv1.3" in page
    assert "Hello" not in page, "the subject is in the message"


def test_the_queue_costs_the_same_however_long(console):
    make_queued(*(f"u{n}@far.test" for n in range(30)))
    make_queued(*(f"c{n}@far.test" for n in range(30)), state="captured")
    for name, queries in (("queue", QUEUE_QUERIES), ("captured", CAPTURED_QUERIES)):
        with CaptureQueriesContext(connection) as caught:
            assert console.get(_url(name)).status_code == 200
        assert len(caught) == queries, [query["sql"][:90] for query in caught]


def test_pages_of_the_queue_go_back(console):
    make_queued(*(f"u{n:02}@far.test" for n in range(60)))
    first = console.get(_url("queue")).content.decode()
    more = re.search(r'href="(\?before=\d+)"', first)
    assert more is not None
    second = console.get(_url("queue") + more[1]).content.decode()
    assert "u59@far.test" in first
    assert "u59@far.test" not in second
    assert "u00@far.test" in second


def test_captured_mail_is_listed_and_opened(console):
    raw = make_message(subject="Hello there", to="far@outside.example", body="See you")
    message_id = _captured(raw)
    assert "far@outside.example" in console.get(_url("captured")).content.decode()
    page = console.get(_url("captured_message", message_id)).content.decode()
    assert "Hello there" in page
    assert 'sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox"' in page
    assert "See you" not in page, "bodies are in the frame"
    body = console.get(_url("captured_body", message_id))
    assert "See you" in body.content.decode()
    source = console.get(_url("captured_source", message_id)).content.decode()
    assert "Subject: Hello there" in source


def test_a_captured_body_is_cleaned_and_has_the_policy_of_bodies(console):
    html = b"<p>Hi</p><script>x()</script><img src='https://t.example/p.gif'><img src='cid:a@b'>"
    raw = (
        b"From: a@x.test\r\nSubject: S\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/html\r\n\r\n" + html + b"\r\n"
        b"--b\r\nContent-Type: image/png\r\nContent-ID: <a@b>\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b64encode(PNG) + b"\r\n--b--\r\n"
    )
    message_id = _captured(raw)
    response = console.get(_url("captured_body", message_id))
    page = response.content.decode()
    assert response["Content-Security-Policy"] == body_csp(host="http://testserver")
    assert "X-Frame-Options" not in response
    assert "x()" not in page
    assert "t.example" not in page
    image = re.search(r'src="(/u/captured/[^"]+)"', page)
    assert image is not None
    shown = console.get(image[1])
    assert (shown["Content-Type"], shown.content) == ("image/png", PNG)
    page = console.get(_url("captured_message", message_id)).content.decode()
    assert "1 remote image was not loaded." in page


def test_a_captured_body_is_nothing_but_a_frame(console):
    url = _url("captured_body", _captured(make_message()))
    assert console.get(url, headers={"Sec-Fetch-Dest": "document"}).status_code == 403


def test_an_image_address_is_of_an_operator_and_of_captured_mail(console, client, alice, operator):
    message_id = _captured(make_message())
    for names in (
        [alice.user.pk, message_id.hex, "1"],
        [operator.pk, uuid4().hex, "1"],
        [operator.pk, message_id.hex, "1"],  # text is no image
        [operator.pk, "x", "1"],
        ["x"],
    ):
        token = signing.dumps(names, salt="webmail.console.image")
        assert client.get(reverse("console_image", args=[token])).status_code == 404


@pytest.mark.parametrize("state", ["queued", "held", "delivered", "cancelled"])
def test_mail_that_is_not_captured_is_nobodys_to_read(console, state):
    message_id = make_queued("a@far.test", state=state)[0].message.public_id
    for name in ("captured_message", "captured_body", "captured_source"):
        assert console.get(_url(name, message_id)).status_code == 404
    assert audit.deeds().deeds == ()


def test_hostile_captured_mail_is_escaped(console):
    raw = (
        f'From: "{HOSTILE.replace(chr(34), "")}" <a@x.test>\r\nSubject: {HOSTILE}\r\n'
        f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain\r\n\r\n{HOSTILE}\r\n--b\r\nContent-Type: text/csv\r\n"
        "Content-Disposition: attachment; filename*=utf-8''%3Cscript%3Ealert(1).csv\r\n\r\n"
        "x\r\n--b--\r\n"
    ).encode()
    message_id = _captured(raw)
    for name in ("captured_message", "captured_source", "captured_body"):
        assert_escaped(console.get(_url(name, message_id)).content)


def test_octets_that_are_no_message_are_shown_all_the_same(console):
    message_id = _captured(b"\0\xff\r\n--\r\n" * 50)
    for name in ("captured_message", "captured_source", "captured_body"):
        assert console.get(_url(name, message_id)).status_code == 200


def _note(kind: str, trace_id: UUID, **columns: object) -> None:
    trace.record([trace.Entry(trace_id, timezone.now(), kind, **columns)])  # type: ignore[arg-type]


def test_a_trace_is_found_by_address_message_id_and_id(console):
    trace_id = uuid4()
    _note(
        "refused",
        trace_id,
        reverse_path="eve@far.test",
        forward_path="nobody@crepes.test",
        message_id="m1@far.test",
        peer="192.0.2.1",
        reply="550 5.1.1 No such mailbox here",
    )
    for query in (
        "eve@far.test",
        "nobody@crepes.test",
        "<m1@far.test>",
        trace_id.hex,
        str(trace_id),
    ):
        page = console.get(_url("trace"), {"q": query}).content.decode()
        assert "We refused mail from" in page
        assert _url("story", trace_id) in page
    assert "Nothing is known" in console.get(_url("trace"), {"q": "x"}).content.decode()


def test_a_story_tells_every_kind_of_event_in_words(console):
    trace_id = uuid4()
    kinds = (
        "connected accepted expanded stored duplicate forwarded queued captured held released "
        "cancelled attempted deferred delivered failed expired notified reported refused odd"
    ).split()
    for kind in kinds:
        _note(
            kind, trace_id, reverse_path="a@x.test", forward_path="b@y.test", reply="451 4.2.2 full"
        )
    page = console.get(_url("story", trace_id)).content.decode()
    events = re.findall(r'class="event__what"><p>([^<]+)</p>', page)
    assert len(events) == len(kinds)
    assert len(set(events)) == len(kinds)
    spanish = console.get(_url("story", trace_id), headers={"Accept-Language": "es"})
    told = re.findall(r'class="event__what"><p>([^<]+)</p>', spanish.content.decode())
    assert not set(told[:-1]) & set(events)


def test_mail_that_no_other_host_saw_is_told_without_one(console):
    trace_id = uuid4()
    for kind in ("attempted", "deferred", "delivered", "failed"):
        _note(kind, trace_id, forward_path="b@y.test")
    _note("stored", trace_id, reverse_path="a@x.test", detail={"folder": "sent"})
    page = console.get(_url("story", trace_id)).content.decode()
    assert "unknown host" not in page
    assert "the Sent folder of \u2068a@x.test" in page


def test_what_peers_said_is_escaped_in_a_story(console):
    trace_id = uuid4()
    _note(
        "failed",
        trace_id,
        reverse_path=HOSTILE,
        forward_path=HOSTILE,
        message_id=HOSTILE,
        peer=HOSTILE[:90],
        reply=f"550 5.1.1 {HOSTILE}",
        detail={"host": HOSTILE, "into": [HOSTILE]},
    )
    assert_escaped(console.get(_url("story", trace_id)).content)
    assert_escaped(console.get(_url("trace"), {"q": trace_id.hex}).content)
    assert_escaped(console.get(_url("trace"), {"q": HOSTILE}).content)


def test_a_trace_has_pages_and_odd_cursors_do_no_harm(console):
    for number in range(60):
        _note("connected", uuid4(), forward_path="b@y.test", peer=f"192.0.2.{number}")
    first = console.get(_url("trace"), {"q": "b@y.test"}).content.decode()
    more = re.search(r'href="(\?q=[^"]+before=[^"]+)"', first)
    assert more is not None
    second = console.get(_url("trace") + more[1].replace("&amp;", "&")).content.decode()
    assert second.count("event__link") == 10
    for odd in ("x", "1", "9" * 40 + ".1", "-1.1", "1." + "9" * 30, "9999999999999999.1"):
        assert console.get(_url("trace"), {"q": "b@y.test", "before": odd}).status_code == 200


def test_an_unknown_trace_is_404(console):
    assert console.get(_url("story", uuid4())).status_code == 404


def test_a_blocked_network_is_shown_and_let_in_again(console, alice):
    tried = throttle.attempt(login=alice.address, peer_ip="192.0.2.9", now=timezone.now())
    for _ in range(50):
        throttle.record_failure(tried)
    page = console.get(_url("blocks")).content.decode()
    assert "192.0.2.9/32" in page
    assert alice.address in page
    response = console.post(_url("unblock"), {"key": "net:192.0.2.9/32"}, follow=True)
    page = response.content.decode()
    assert "192.0.2.9/32 may sign in again." in page
    assert "<bdi>192.0.2.9/32</bdi>" not in page
    (deed,) = audit.deeds().deeds
    assert (deed.action, deed.object) == ("block.lifted", "net:192.0.2.9/32")


@pytest.mark.parametrize("key", ["", "x", "net:1", "account:\0", HOSTILE])
def test_lifting_what_is_no_block_says_so(console, key):
    page = console.post(_url("unblock"), {"key": key}, follow=True).content
    assert b"That is not blocked." in page
    assert b"<script>alert" not in page


def test_the_audit_log_has_pages(console):
    for number in range(60):
        with audit.recorded(by=HOSTILE, action="x", on=f"no {number:02}", now=timezone.now()):
            pass
    first = console.get(_url("audit"))
    assert_escaped(first.content)
    more = re.search(r'href="(\?before=\d+)"', first.content.decode())
    assert more is not None
    second = console.get(_url("audit") + more[1]).content.decode()
    assert "no 59" not in second
    assert "no 00" in second
