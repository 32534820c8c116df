"""The console is there for operators and for nobody else; every change leaves a trace of who."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from mailcore.models.trace import AuditEvent
from mailcore.queue import inspect
from tests.support.queued import make_queued
from tests.webmail.access_rows import DATA, ROWS
from tests.webmail.access_world import make_world

CONSOLE = [row for row in ROWS if " console/" in row]


def test_a_stranger_signs_in_first(client, db):
    response = client.get(reverse("console:domains"))
    assert response["Location"] == "/login/?next=/console/domains/"


def test_a_script_without_a_session_gets_401(client, db):
    response = client.get(reverse("console:overview"), headers={"HX-Request": "true"})
    assert response.status_code == 401


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_for_others_there_is_nothing_whatever_the_method(web, method):
    url = reverse("console:delete_domain", args=[uuid4()])
    assert getattr(web, method)(url).status_code == 404


def test_an_operator_who_is_disabled_is_out(console, operator):
    operator.is_active = False
    operator.save()
    assert console.get(reverse("console:overview")).status_code == 302


def test_an_operator_who_is_none_any_more_is_out(console, operator):
    operator.is_operator = False
    operator.save()
    assert console.get(reverse("console:overview")).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("row", [row for row in CONSOLE if row.startswith("POST")])
def test_every_change_is_recorded_with_its_author(row):
    world = make_world()
    route = row.split(" ", 1)[1]
    data = dict(DATA.get(route, {}))
    if route == "console/queue/act/":
        data["recipient"] = str(inspect.recipients(states=["captured"]).recipients[0].id)
    if route.endswith("withdraw/"):
        give = reverse("console:give_access", args=[world.alice.box])
        world.clients["operator"].post(give, {"login": "bob@crepes.test", "role": "read"})
    before = AuditEvent.objects.count()
    response = world.clients["operator"].post(world.path(route), data)
    assert response.status_code == 303
    refused = route == "console/domains/<uuid:domain_id>/delete/"  # it is not empty
    assert AuditEvent.objects.count() == before + (0 if refused else 1)
    assert AuditEvent.objects.exclude(actor="admin").count() == 0


def test_opening_a_message_is_recorded(console, operator):
    kept = make_queued("far@outside.example", state="captured")[0].message.public_id
    for name in ("captured_body", "captured_source"):
        assert console.get(reverse(f"console:{name}", args=[kept])).status_code == 200
    rows = list(AuditEvent.objects.order_by("pk").values_list("action", "object", "detail"))
    assert rows == [
        ("message.opened", str(kept), None),
        ("message.opened", str(kept), None),
    ]


def test_the_account_menu_leads_operators_here(console, operator, alice, client_of):
    home = console.get("/mail/", follow=True).content.decode()
    assert reverse("console:overview") in home
    inbox = client_of(alice).get("/mail/", follow=True).content.decode()
    assert reverse("console:overview") not in inbox
    alice.user.is_operator = True
    alice.user.save()
    inbox = client_of(alice).get("/mail/", follow=True).content.decode()
    assert reverse("console:overview") in inbox


def test_no_console_page_takes_a_post_without_its_token(operator, db):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    assert strict.post(reverse("console:new_domain"), {"name": "x.test"}).status_code == 403
