"""All inboxes in one list, and the other mailboxes in the rail: for whom, what, at what cost."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mailcore.models.message import Message
from mailcore.store import flags, folders, jobs, labels
from tests.support.deliveries import make_message
from tests.support.mail_builders import store
from tests.support.many import store_many
from tests.support.people import give_access, make_person
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import act_url, folder_url


@pytest.fixture
def team(alice):
    """A mailbox that Alice may send from."""
    made = make_person("team@crepes.test", name="Team")
    give_access(user=alice.user, mailbox=made.mailbox, role="send")
    return made


@pytest.fixture
def archive_only(alice):
    """A mailbox that Alice may only read."""
    made = make_person("board@crepes.test", name="Board")
    give_access(user=alice.user, mailbox=made.mailbox, role="read")
    return made


def url(person) -> str:
    return reverse("mail:inboxes", args=[person.box])


def subjects(client, where) -> list[str]:
    return [row.subject for row in client.get(where).context["page"].rows]


def put(person, subject: str) -> Message:
    raw = make_message(message_id=f"{subject}@m", subject=subject)
    return Message.objects.get(public_id=store(raw, mailbox=person.mailbox)[0])


def act(client, person, verb, found, **more):
    data = {"list": "view=inboxes", "next": url(person), verb: "", **more}
    return client.post(act_url(person), {"thread": [str(m.thread.public_id) for m in found]} | data)


def roles(*found) -> list[str]:
    ids = [message.pk for message in found]
    rows = Message.objects.filter(pk__in=ids).order_by("pk")
    return list(rows.values_list("folder__role", flat=True))


def test_the_list_has_the_inboxes_of_all_that_one_may_read(web, alice, team, archive_only, bob):
    for person in (alice, team, archive_only, bob):
        put(person, person.mailbox.display_name or "Theirs")
    deliver(alice, 1, role="archive")
    assert sorted(subjects(web, url(alice))) == ["Alice Lefèvre", "Board", "Team"]
    assert subjects(web, url(team)) == subjects(web, url(alice))


def test_whose_row_it_is_is_said_and_it_opens_in_its_own_mailbox(web, alice, team):
    label = labels.create(mailbox=team.mailbox, name="Urgent")
    found = put(team, "Question")
    labels.set_label(
        mailbox=team.mailbox,
        message_ids=[found.public_id],
        label_id=label.public_id,
        value=True,
    )
    page = web.get(url(alice)).content.decode()
    thread = reverse("mail:thread", args=[team.box, found.thread.public_id])
    assert f'href="{thread}?view=inboxes"' in page
    assert ">team@crepes.test</bdi>" in page
    assert ">Urgent</bdi>" in page
    opened = web.get(f"{thread}?view=inboxes")
    assert [row.subject for row in opened.context["page"].rows] == ["Question"]
    assert f'href="{url(team)}"' in opened.content.decode()


def test_the_rail_leads_there_only_from_more_than_one_mailbox(web, alice):
    assert url(alice) not in web.get(folder_url(alice)).content.decode()
    other = make_person("team@crepes.test")
    give_access(user=alice.user, mailbox=other.mailbox, role="read")
    put(alice, "Here")
    put(other, "There")
    page = web.get(folder_url(alice)).content.decode()
    entry = re.search(rf'<a class="rail__item[^>]*href="{url(alice)}".*?</a>', page, re.S)
    assert entry is not None
    assert '<span class="rail__count">2<' in entry[0]


def test_pages_go_on_and_filters_narrow(web, alice, team):
    deliver(alice, 30)
    ids = deliver(team, 30)
    first = web.get(url(alice))
    assert len(first.context["page"].rows) == 50
    assert len(subjects(web, first.context["more_url"])) == 10
    flags.set_flagged(mailbox=team.mailbox, message_ids=ids[:3], value=True)
    assert len(subjects(web, url(alice) + "?only=starred")) == 3


def test_what_is_chosen_is_changed_in_its_own_mailbox_and_each_is_undone(web, alice, team):
    mine, theirs = put(alice, "Mine"), put(team, "Theirs")
    act(web, alice, "archive", [mine, theirs])
    assert roles(mine, theirs) == ["archive", "archive"]
    page = web.get(url(alice)).content.decode()
    assert "1 message archived – team@crepes.test" in page
    where = reverse("mail:undo", args=[team.box])
    operation = re.search(rf'action="{where}".*?name="operation" value="([^"]+)"', page, re.S)
    assert operation is not None
    web.post(where, {"operation": operation[1], "next": url(alice)})
    assert roles(mine, theirs) == ["archive", "inbox"]


def test_a_row_that_may_only_be_read_offers_nothing_and_stays(web, alice, archive_only):
    mine, theirs = put(alice, "Mine"), put(archive_only, "Theirs")
    page = web.get(url(alice)).content.decode()
    assert f'value="{mine.thread.public_id}"' in page
    assert f'value="{theirs.thread.public_id}"' not in page
    act(web, alice, "archive", [mine, theirs])
    assert roles(mine, theirs) == ["archive", "inbox"]


def test_forms_of_the_list_go_to_a_mailbox_that_may_be_changed(web, alice, archive_only):
    put(archive_only, "Theirs")
    mine = put(alice, "Mine")
    page = web.get(url(archive_only)).content.decode()
    assert f'action="{act_url(alice)}"' in page
    assert f'action="{act_url(archive_only)}"' not in page
    assert act(web, archive_only, "read", [mine]).status_code == 403


def test_whoever_may_only_read_everywhere_is_offered_no_change(reader, alice, bob):
    alice.mailbox.accesses.filter(user=bob.user).update(role="read")
    bob.mailbox.accesses.filter(user=bob.user).update(role="read")
    put(alice, "Hers")
    page = reader.get(url(alice)).content.decode()
    assert "Hers" in page
    for name in ("archive", "trash", "spam", "read", "star", "mute", "move", "thread"):
        assert f'name="{name}"' not in page


@pytest.mark.parametrize("verb", ["move", "label", "unlabel"])
def test_what_belongs_to_one_mailbox_is_not_done_to_several(web, alice, team, verb):
    found = put(team, "Theirs")
    target = str(team.folder("archive").public_id)
    assert act(web, team, verb, [found], **{verb: target}).status_code == 400
    assert roles(found) == ["inbox"]


def test_all_of_the_list_is_done_in_each_mailbox_and_undone_there(web, alice, team, archive_only):
    mine = [put(alice, f"Mine {n}") for n in range(2)]
    theirs, read_only = put(team, "Theirs"), put(archive_only, "Not ours")
    deliver(alice, 60, role="archive")
    act(web, alice, "archive", [], all="1")
    assert roles(*mine, theirs, read_only) == ["archive", "archive", "archive", "inbox"]
    page = web.get(url(alice)).content.decode()
    assert f"2 messages archived – {alice.address}" in page
    assert f"1 message archived – {team.address}" in page
    where = reverse("mail:undo", args=[team.box])
    operation = re.search(rf'action="{where}".*?name="operation" value="([^"]+)"', page, re.S)
    assert operation is not None
    web.post(where, {"operation": operation[1], "next": url(alice)})
    assert roles(*mine, theirs) == ["archive", "archive", "inbox"]


def test_long_work_in_two_mailboxes_shows_how_far_each_is(web, alice, team):
    for person in (alice, team):
        store_many(mailbox=person.mailbox, count=501)
    page = web.get(url(alice)).content.decode()
    assert 'name="all" value="1"' in page
    act(web, alice, "star", [], all="1")
    page = web.get(url(alice)).content.decode()
    places = re.findall(r'data-job="([^"]+)"', page)
    assert len(places) == 2
    jobs.work()
    for place in places:
        answer = web.get(place, headers={"HX-Request": "true"}).content.decode()
        assert "501 messages starred" in answer


def test_without_conversations_messages_are_changed_where_they_are(web, alice, team):
    mine, theirs = put(alice, "Mine"), put(team, "Theirs")
    act(web, alice, "star", [], star=f"m.{theirs.public_id}")
    assert Message.objects.filter(is_flagged=True).get() == theirs
    act(web, alice, "trash", [], message=[str(mine.public_id), str(theirs.public_id)])
    assert roles(mine, theirs) == ["trash", "trash"]


def test_the_page_is_fresh_when_another_mailbox_changed(web, alice, team):
    web.get(url(alice))
    tag = web.get(url(alice))["ETag"]
    assert web.get(url(alice), headers={"If-None-Match": tag}).status_code == 304
    put(team, "News")
    assert subjects(web, url(alice)) == ["News"]


def _cost(web, where) -> int:
    web.get(where)
    with CaptureQueriesContext(connection) as captured:
        assert web.get(where).status_code == 200
    return len(captured)


def test_ten_mailboxes_cost_the_queries_of_two(web, alice, team):
    pages = (url(alice), folder_url(alice))
    deliver(team, 3)
    few = [_cost(web, where) for where in pages]
    for number in range(8):
        other = make_person(f"box{number}@crepes.test")
        give_access(user=alice.user, mailbox=other.mailbox, role="read")
        deliver(other, 3)
    assert [_cost(web, where) for where in pages] == few


def test_the_rail_has_the_folders_and_counts_of_other_mailboxes(web, alice, team, archive_only):
    folders.create(mailbox=team.mailbox, name="<b>Cases")
    put(team, "Question")
    page = web.get(folder_url(alice)).content.decode()
    boxes = re.findall(r'<details class="rail__box".*?</details>', page, re.S)
    assert len(boxes) == 2
    theirs = next(box for box in boxes if str(team.box) in box)
    assert folder_url(team) in theirs
    assert folder_url(team, "sent") in theirs
    assert "&lt;b&gt;Cases" in theirs
    assert theirs.count('<span class="rail__count">1<') == 2  # of the mailbox, of its inbox
    assert "You may only read here" not in theirs
    assert "You may only read here" in next(box for box in boxes if box != theirs)
    assert 'data-drop="' not in "".join(boxes)


def test_a_mailbox_stays_unfolded_and_other_cookies_do_nothing(web, alice, team, mallory):
    web.cookies["boxes"] = f"x.{team.box}.{mallory.box}"
    first = web.get(folder_url(alice))
    assert f'data-box="{team.box}" open' in first.content.decode()
    assert str(mallory.box) not in first.content.decode()
    web.cookies["boxes"] = ""
    again = web.get(folder_url(alice), headers={"If-None-Match": first["ETag"]})
    assert f'data-box="{team.box}">' in again.content.decode()


def test_beyond_twenty_mailboxes_there_are_links(web, alice):
    for number in range(21):
        other = make_person(f"box{number:02}@crepes.test")
        give_access(user=alice.user, mailbox=other.mailbox, role="read")
    page = web.get(folder_url(alice)).content.decode()
    assert page.count('<details class="rail__box"') == 20
    assert f'href="{reverse("mail:inbox", args=[other.box])}"' in page


def test_a_mailbox_of_nobodys_is_404(web, alice, mallory):
    assert web.get(url(mallory)).status_code == 404
    assert web.post(url(alice)).status_code == 405


def test_what_is_read_from_there_is_counted_at_once(web, alice, team):
    found = put(team, "Question")
    thread = reverse("mail:thread", args=[team.box, found.thread.public_id])
    page = web.get(f"{thread}?view=inboxes").content.decode()
    entry = re.search(rf'<a class="rail__item[^>]*href="{url(team)}".*?</a>', page, re.S)
    assert entry is not None
    assert "rail__count" not in entry[0]
