"""Lists over the mailbox, filters, order, select-all: what they show, what they cost, what acts."""

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mailcore.models.message import Message
from mailcore.models.personal import Job
from mailcore.personal import preferences, saved_searches
from mailcore.store import flags, jobs, labels
from tests.support.deliveries import make_message
from tests.support.mail_builders import derive_all, store
from tests.support.many import store_many
from tests.support.people import give_access
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import act_url, folder_url, thread_url
from webmail.mail.templatetags.show import hue, senders

LIST_BYTES = 14 * 1024  # on the wire
LIST_QUERIES = 8  # performance budgets; one more when kept searches changed since


def url(person, name, *more):
    return reverse(f"mail:{name}", args=[person.box, *more])


def subjects(client, where) -> list[str]:
    page = client.get(where)
    assert page.status_code == 200
    return [row.subject for row in page.context["page"].rows]


def act(client, person, verb, value="", **more):
    data = {"list": "", "next": folder_url(person), verb: value, **more}
    return client.post(act_url(person), data)


def origin(person, role="inbox"):
    return f"in={person.folder(role).public_id}"


def test_starred_shows_all_folders_but_trash_and_junk(web, alice):
    for role in ("inbox", "archive", "sent", "trash", "junk"):
        raw = make_message(message_id=f"{role}@s.test", subject=role)
        ids = store(raw, mailbox=alice.mailbox, role=role)
        flags.set_flagged(mailbox=alice.mailbox, message_ids=ids, value=True)
    deliver(alice, 1)
    assert sorted(subjects(web, url(alice, "starred"))) == ["archive", "inbox", "sent"]


def test_all_mail_shows_a_conversation_once(web, alice):
    deliver(alice, 2, thread=True)
    reply = make_message(
        message_id="r@m.test", subject="Re: Plan", headers=["In-Reply-To: <inbox1@m.test>"]
    )
    store(reply, mailbox=alice.mailbox, role="sent")
    deliver(alice, 1, role="trash")
    page = web.get(url(alice, "all"))
    assert [row.message_count for row in page.context["page"].rows] == [3]


def test_what_one_writes_has_the_face_of_whom_it_is_for(web, reader, alice):
    raw = make_message(sender=alice.address, to="Elif <elif@far.example>", subject="Plan")
    for role in ("inbox", "sent", "drafts"):
        store(raw, mailbox=alice.mailbox, role=role)
    derive_all()
    own, hers = (f'hue-{hue(one)}"' for one in (alice.address, "elif@far.example"))
    assert own != hers
    for client in (web, reader):
        for role, face, initial in (
            ("inbox", own, "A"),
            ("sent", hers, "E"),
            ("drafts", hers, "E"),
        ):
            page = client.get(folder_url(alice, role)).content.decode()
            assert f'<span class="avatar {face} aria-hidden="true">{initial}</span>' in page
    found = web.get(url(alice, "search") + "?q=in:sent plan").content.decode()
    assert f'<span class="avatar {hers} aria-hidden="true">E</span>' in found


def test_a_draft_for_nobody_yet_says_so(web, alice):
    raw = b"From: Alice <alice@crepes.test>\r\nSubject: Plan\r\n\r\nHi\r\n"
    store(raw, mailbox=alice.mailbox, role="drafts")
    derive_all()
    page = web.get(folder_url(alice, "drafts")).content.decode()
    assert '<bdi class="row__names">(no recipient)</bdi>' in page


def test_a_label_has_a_list_chips_and_a_place_in_the_rail(web, alice):
    label = labels.create(mailbox=alice.mailbox, name="<b>Work</b>", hue=3)
    ids = deliver(alice, 2)
    act(web, alice, "label", str(label.public_id), message=[str(ids[0])])
    where = url(alice, "label", label.public_id)
    assert subjects(web, where) == ["Number 0"]
    page = web.get(folder_url(alice)).content.decode()
    assert '<bdi class="chip hue-3">&lt;b&gt;Work&lt;/b&gt;</bdi>' in page
    assert where in page
    act(web, alice, "unlabel", str(label.public_id), message=[str(ids[0])])
    assert subjects(web, where) == []


def test_a_label_of_another_mailbox_is_404(web, alice, bob):
    theirs = labels.create(mailbox=bob.mailbox, name="Theirs")
    ids = deliver(alice)
    assert web.get(url(alice, "label", theirs.public_id)).status_code == 404
    assert web.get(url(alice, "label", uuid4())).status_code == 404
    assert act(web, alice, "label", str(theirs.public_id), message=str(ids[0])).status_code == 404


def test_the_oldest_come_first_when_asked_and_pages_go_on(web, alice):
    deliver(alice, 55)
    first = web.get(folder_url(alice) + "?order=old")
    names = [row.subject for row in first.context["page"].rows]
    assert names[:2] == ["Number 0", "Number 1"]
    assert subjects(web, first.context["more_url"]) == [f"Number {n}" for n in range(50, 55)]


def test_a_filter_shows_what_has_an_attachment(web, alice):
    ids = deliver(alice, 3)
    Message.objects.filter(public_id=ids[1]).update(has_attachment=True)
    assert subjects(web, folder_url(alice) + "?only=attached") == ["Number 1"]
    assert subjects(web, url(alice, "all") + "?only=attached") == ["Number 1"]


def _costs(web, addresses) -> dict[str, tuple[int, int]]:
    costs = {}
    for where in addresses:
        web.get(where)
        with CaptureQueriesContext(connection) as captured:
            page = web.get(where, headers={"Accept-Encoding": "gzip"})
        assert len(page.context["page"].rows) == 50
        costs[where] = len(captured), len(page.content)
    return costs


def test_a_hundred_and_three_thousand_cost_the_same_queries_and_bytes(web, alice):
    label = labels.create(mailbox=alice.mailbox, name="Work")
    paths = [url(alice, name) for name in ("starred", "all")]
    paths += [folder_url(alice), url(alice, "label", label.public_id), url(alice, "inboxes")]
    queries = ("", "?order=old", "?only=unread", "?only=attached")
    addresses = [path + query for path in paths for query in queries]
    costs = []
    for count, first in ((100, 0), (2900, 100)):
        store_many(mailbox=alice.mailbox, count=count, first=first)
        Message.objects.update(is_flagged=True, has_attachment=True, keywords=1 << label.bit)
        costs.append(_costs(web, addresses))
    for where in addresses:
        (few, few_bytes), (many, many_bytes) = costs[0][where], costs[1][where]
        assert few == many
        assert few <= LIST_QUERIES
        assert abs(few_bytes - many_bytes) < 400  # longer numbers
        assert max(few_bytes, many_bytes) < LIST_BYTES


def test_from_all_mail_nothing_moves_out_of_sent(web, alice):
    deliver(alice, 1, thread=True)
    mine = store(
        make_message(
            message_id="r@m.test", subject="Re: Plan", headers=["In-Reply-To: <inbox0@m.test>"]
        ),
        mailbox=alice.mailbox,
        role="sent",
    )
    thread = Message.objects.get(public_id=mine[0]).thread
    act(web, alice, "archive", list="view=all", thread=str(thread.public_id))
    assert Message.objects.get(public_id=mine[0]).folder.role == "sent"
    assert alice.folder("archive").total_count == 1
    act(web, alice, "star", list="view=all", thread=str(thread.public_id))
    assert Message.objects.filter(is_flagged=True).count() == 2


def test_select_all_is_a_job_that_the_page_follows_and_undoes(web, alice):
    store_many(mailbox=alice.mailbox, count=600)
    page = web.get(folder_url(alice)).content.decode()
    assert "Select all 600 messages in Inbox" in page
    act(web, alice, "archive", list=origin(alice), all="1", thread="x")
    shown = web.get(folder_url(alice)).content.decode()
    progress = re.search(r'data-job="([^"]+)"', shown)
    assert progress is not None
    assert "Working on 600 messages" in shown
    jobs.work()
    done = web.get(progress[1], headers={"HX-Request": "true"}).content.decode()
    assert "600 messages archived" in done
    operation = re.search(r'name="operation" value="([^"]+)"', done)
    assert operation is not None
    web.post(url(alice, "undo"), {"operation": operation[1], "next": folder_url(alice)})
    assert alice.folder().total_count == 600


def test_the_page_of_a_job_works_without_scripts(web, alice, client_of, mallory):
    store_many(mailbox=alice.mailbox, count=600)
    act(web, alice, "read", "all", list=origin(alice))
    job = Job.objects.get().public_id
    page = web.get(url(alice, "job", job)).content.decode()
    assert "0 of 600 messages" in page
    jobs.work()
    assert "600 messages marked as read" in web.get(url(alice, "job", job)).content.decode()
    arguments = Job.objects.get().arguments
    for fault, said in (("folder gone", "the folder is gone"), ("search too slow", "Narrow it")):
        Job.objects.update(state="failed", arguments={**arguments, "fault": fault})
        failed = web.get(url(alice, "job", job)).content.decode()
        assert said in failed
        assert "marked as read" not in failed
    assert client_of(mallory).get(url(alice, "job", job)).status_code == 404
    assert client_of(mallory).get(url(mallory, "job", job)).status_code == 404
    assert web.post(url(alice, "job", job)).status_code == 405


def test_emptying_trash_asks_and_deletes_only_there(web, alice):
    deliver(alice, 1)
    deliver(alice, 3, role="trash")
    asked = act(web, alice, "destroy", "all", list=origin(alice, "trash"))
    assert "All messages of this list will be deleted for good." in asked.content.decode()
    assert alice.folder("trash").total_count == 3
    act(web, alice, "destroy", "all", list=origin(alice, "trash"), sure="1")
    assert (alice.folder("trash").total_count, alice.folder().total_count) == (0, 1)


def test_a_filter_narrows_select_all(web, alice):
    ids = deliver(alice, 3)
    flags.set_seen(mailbox=alice.mailbox, message_ids=ids[:1], value=True)
    act(web, alice, "trash", list=f"{origin(alice)}&only=unread", all="1")
    assert alice.folder().total_count == 1


@pytest.mark.parametrize("text", ["", "in=x", "view=nothing", "label=%00", "in=&only=%3Cb%3E"])
def test_a_list_that_is_none_changes_nothing(web, alice, text):
    ids = deliver(alice)
    assert act(web, alice, "archive", list=text, all="1").status_code == 303
    assert Message.objects.get(public_id=ids[0]).folder.role == "inbox"


def test_without_conversations_every_message_is_a_row(web, alice):
    ids = deliver(alice, 3, thread=True)
    preferences.save(alice.user, conversations=False)
    assert len(subjects(web, folder_url(alice))) == 3
    act(web, alice, "archive", f"m.{ids[1]}", list=origin(alice))
    assert alice.folder().total_count == 2


@pytest.mark.parametrize(
    ("choice", "expected"),
    [({"density": "compact"}, "list--compact"), ({"reading_pane": "off"}, "main--single")],
)
def test_the_list_looks_as_chosen_and_the_tag_follows(web, alice, choice, expected):
    web.get(folder_url(alice))
    tag = web.get(folder_url(alice))["ETag"]
    preferences.save(alice.user, **choice)
    page = web.get(folder_url(alice), headers={"If-None-Match": tag})
    assert expected in page.content.decode()


def test_read_is_marked_at_once_later_or_never(web, alice):
    ids = deliver(alice, 1)
    for choice, marks in (("never", False), ("after_2s", True)):
        preferences.save(alice.user, mark_read=choice)
        page = web.get(thread_url(alice, ids[0])).content.decode()
        assert ("data-mark-later" in page) is marks
        assert not Message.objects.get(public_id=ids[0]).is_seen
    quiet = act(web, alice, "read", message=str(ids[0]), quiet="1")
    assert (quiet.status_code, quiet.content) == (204, b"")
    assert Message.objects.get(public_id=ids[0]).is_seen


def test_without_conversations_a_link_opens_one_message(web, alice):
    ids = deliver(alice, 3, thread=True)
    preferences.save(alice.user, conversations=False)
    listed = web.get(folder_url(alice)).content.decode()
    assert f"only_message={ids[1]}" in listed
    page = web.get(thread_url(alice, ids[1]) + f"&only_message={ids[1]}")
    assert [one.public_id for one in page.context["thread"].messages] == [ids[1]]
    assert f'name="message" value="{ids[1]}"' in page.content.decode()
    assert web.get(thread_url(alice, ids[1]) + "&only_message=x").status_code == 200


@pytest.mark.parametrize("conversations", [True, False])
def test_every_list_keeps_to_its_queries(web, alice, bob, conversations):
    give_access(user=alice.user, mailbox=bob.mailbox, role="read")
    preferences.save(alice.user, conversations=conversations)
    label = labels.create(mailbox=alice.mailbox, name="Work")
    saved_searches.save(user=alice.user, name="Unread", query="is:unread")
    roles = ("inbox", "drafts", "sent", "archive", "junk", "trash")
    for role in roles:
        deliver(alice, 2, role=role)
    Message.objects.update(is_flagged=True, keywords=1 << label.bit)
    places = [folder_url(alice, role) for role in roles]
    places += [url(alice, name) for name in ("starred", "all", "inboxes")]
    first = _queries(web, places[0])
    costs = {
        where: _queries(web, where) for where in (*places, url(alice, "label", label.public_id))
    }
    assert max(costs.values()) <= LIST_QUERIES, costs
    assert first <= LIST_QUERIES + 1


def test_the_same_page_again_costs_four_queries(web, alice):
    deliver(alice, 3)
    where = folder_url(alice)
    web.get(where)
    tag = web.get(where)["ETag"]
    with CaptureQueriesContext(connection) as captured:
        again = web.get(where, headers={"If-None-Match": tag})
    assert (again.status_code, len(captured)) == (304, 4)


def _queries(web, where) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert web.get(where).context["page"].rows
    return len(captured)


def test_kept_searches_are_those_of_now_and_of_the_reader(web, client_of, alice, bob):
    saved_searches.save(user=bob.user, name="Of Bob", query="is:read")
    for change, shown in (
        (lambda: saved_searches.save(user=alice.user, name="First", query="is:unread"), "First"),
        (lambda: saved_searches.rename(user=alice.user, search_id=_only(alice), name="B"), "B"),
        (lambda: saved_searches.delete(user=alice.user, search_id=_only(alice)), None),
    ):
        change()
        page = web.get(folder_url(alice)).content.decode()
        names = re.findall(r'\?saved=[^"]+".*?<bdi>(.*?)</bdi>', page, re.S)
        assert names == ([shown] if shown else [])
    assert "Of Bob" in client_of(bob).get(folder_url(bob)).content.decode()


def _only(person):
    (one,) = saved_searches.list_saved(user=person.user)
    return one.id


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["Ana Larsen"], "Ana Larsen"),
        (["Ana Larsen", "José Ruiz"], "Ana, José"),
        (["Ana María Larsen", "Ana Muñoz", "José Ruiz"], "Ana L., Ana M., José"),
        (["bob@x.test", "bob@y.test"], "bob, bob"),
        (["@x.test", " "], "@x.test,  "),
    ],
)
def test_people_of_one_first_name_are_told_apart(names, shown):
    assert senders(names, 5) == shown
