"""Every page of the site, from the access matrix, with long and hostile words in it.

A route that answers its owner or an operator with a page is one: a new page is looked at without
being named here. Only variants of pages are (a reply, a search, what failed).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext

from mailcore import trace
from mailcore.cards.card import Card
from mailcore.directory import blocks, setup, throttle
from mailcore.models.message import Message
from mailcore.models.queue import QueuedRecipient
from mailcore.personal import address_book, saved_searches, senders
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Failed
from mailcore.store import folders, labels
from tests.support.deliveries import make_message
from tests.support.mail_builders import derive_all, store
from tests.support.parcels import answer, send, sent_copy
from tests.support.people import Person
from tests.support.queued import make_attempt, make_queued
from tests.webmail.access_rows import FRAMED, ROWS
from tests.webmail.access_world import World
from tests.webmail.mail.pages import message_url, thread_url

WORD = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstelle"
HOSTILE = "<script>alert(1)</script>\"'&\u202e\u2066{{ 7|add:7 }}"
NAME = f"{HOSTILE} {WORD}"
FAR = f"{'anna' * 15}@{'far.' * 20}example"
FILE = (
    f'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
    f"Hi\r\n--b\r\nContent-Type: text/csv\r\n"
    f'Content-Disposition: attachment; filename="{WORD.replace("ä", "a")}.csv"\r\n\r\n1,2\r\n--b--'
)
ROLES = {
    "anonymous": "anonymous",
    "mail": "owner",
    "letters": "owner",
    "settings": "owner",
    "console": "operator",
}


@dataclass(frozen=True, slots=True)
class Everywhere:
    """The world of the access matrix, and the addresses of its pages by part of the site."""

    world: World
    pages: dict[str, list[str]]

    def enter(self, context: BrowserContext, part: str, *, url: str) -> None:
        """Make a browser the one of whoever looks at this part."""
        cookie = self.world.clients[ROLES[part]].cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None:
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])


def crowd(world: World) -> Everywhere:
    """Fill the world of the matrix with words that are long and hostile."""
    alice = world.alice
    mail = _letters(alice)
    _people(world)
    more = {
        "anonymous": ["/login/", "/nothing/", "/styleguide/", _setup()],
        "mail": [],
        "letters": _variants(alice, mail),
        "settings": [],
        "console": [*_flow(alice)],
    }
    pages = {part: [*_pages_of(world, part), *more[part]] for part in ROLES}
    return Everywhere(world, pages)


def _pages_of(world: World, part: str) -> Iterable[str]:
    """Return the addresses of the matrix that are whole pages to whoever uses this part."""
    client = world.clients[ROLES[part]]
    for row in ROWS:
        method, route = row.split(" ", 1)
        home = route.partition("/")[0] if route.startswith(("settings", "console")) else "mail"
        home = "settings" if home == "mail" and route.startswith("contacts") else home
        if method != "GET" or home != part or (route in FRAMED and "print" not in route):
            continue
        page = client.get(world.path(route))
        is_html = page.headers.get("Content-Type", "").startswith("text/html")
        if page.status_code == 200 and is_html and b"</html>" in page.content:
            yield world.path(route)


def _letters(alice: Person) -> str:
    """Deliver a letter with long words and a file; return its id."""
    raw = make_message(
        message_id="far@far.example",
        subject=NAME,
        sender=f'"{WORD}" <{FAR}>',
        to=", ".join([alice.address, *(f"{WORD} <{n}{FAR}>" for n in range(4))]),
        headers=["MIME-Version: 1.0", FILE.partition("\r\n\r\n")[0]],
        body=FILE.partition("\r\n\r\n")[2],
    )
    (letter,) = store(raw, mailbox=alice.mailbox)
    store(make_message(subject=WORD, to=FAR), mailbox=alice.mailbox, role="sent")
    store(make_message(subject=WORD, to=FAR), mailbox=alice.mailbox, role="drafts")
    send(alice, FAR, "dora@outside.example", subject=WORD, at=timezone.now())
    refusal = Failed(Reply(550, "5.1.1", f"{HOSTILE} {WORD}"))
    all_due = [refusal] * QueuedRecipient.objects.filter(state="queued").count()
    answer(*all_due, at=timezone.now(), host="far." * 20 + "example", dialogue=WORD * 3)
    derive_all()
    return str(letter)


def _people(world: World) -> None:
    alice = world.alice
    labels.create(mailbox=alice.mailbox, name=WORD[:60], hue=4)
    folders.create(mailbox=alice.mailbox, name=WORD)
    for address in (FAR, f"double.{FAR}"):
        card = Card(NAME, addresses=(address,), organisation=WORD, note=WORD, groups=(WORD,))
        address_book.save(user=alice.user, contact_id=None, card=card)
    saved_searches.save(user=alice.user, name=WORD[:60], query=f"from:{FAR}")
    senders.trust(alice.user, FAR)
    senders.block(alice.user, FAR)


def _setup() -> str:
    return f"/setup/{setup.make_token(now=timezone.now())}/"


def _variants(alice: Person, letter: str) -> list[str]:
    copy = sent_copy(alice)
    parcel = QueuedRecipient.objects.filter(message__sent_message=copy).latest("pk")
    write = reverse("mail:compose", args=[alice.box])
    found = reverse("mail:search", args=[alice.box])
    report = Message.objects.filter(mailbox=alice.mailbox, folder__role="inbox").latest("pk")
    roles = ("sent", "drafts", "trash", "junk")
    return [
        *(reverse("mail:folder", args=[alice.box, alice.folder(one).public_id]) for one in roles),
        thread_url(alice, letter),  # type: ignore[arg-type]
        thread_url(alice, report.public_id),
        thread_url(alice, copy.public_id, role="sent"),
        *(message_url(alice, letter, name) for name in ("source", "headers", "print")),  # type: ignore[arg-type]
        message_url(alice, letter, "file", "2"),  # type: ignore[arg-type]
        reverse("mail:parcel", args=[alice.box, parcel.public_id]),
        f"{write}?reply_all={letter}",
        f"{write}?forward={letter}",
        f"{found}?q=Hi",
        f"{found}?q={WORD}",
    ]


def _flow(alice: Person) -> Iterable[str]:
    """Make mail in every state, blocked people, and a trace; return where that is shown."""
    (waiting,) = make_queued(FAR, last_reply=f"451 4.2.2 {NAME}"[:500])
    make_attempt(waiting, text=NAME)
    for state in ("held", "captured", "failed", "delivered"):
        make_queued(f"{state}.{FAR}", state=state, reverse_path=FAR)
    for _ in range(40):
        tried = throttle.attempt(login=FAR, peer_ip="198.51.100.7", now=timezone.now())
        throttle.record_failure(tried)
    assert blocks.blocked(now=timezone.now())
    trace_id = waiting.message.trace_id
    trace.record(
        trace.Entry(trace_id, timezone.now(), kind, FAR, FAR, reply=f"451 4.2.2 {NAME}")
        for kind in ("accepted", "queued", "deferred", "refused", "failed", "notified")
    )
    yield f"/console/trace/{trace_id}/"
    yield f"/console/trace/?q={FAR}"
    yield "/console/trace/?q=nobody"
    yield "/console/queue/?state=all"
    yield f"/console/queue/{waiting.message.public_id}/"
