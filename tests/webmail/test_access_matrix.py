"""Every address of the site x every role: who gets what, with which policy and headers.

The routes come from the URL resolver: one without a row in `access_rows` fails here.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from mailcore.html import document
from tests.webmail.access_rows import DATA, FRAMED, ROLES, ROWS
from tests.webmail.access_world import World, make_world
from webmail import csp

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db) -> World:
    return make_world()


def _routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route


def _ask(client: Client, method: str, path: str, route: str) -> HttpResponse:
    """Ask, and take back what the request changed."""
    point = transaction.savepoint()
    try:
        if method == "POST":
            return client.post(path, DATA.get(route, {}))  # type: ignore[return-value]
        return client.get(path)  # type: ignore[return-value]
    finally:
        transaction.savepoint_rollback(point)


def _walk(world: World) -> Iterator[tuple[str, str, str, str, HttpResponse]]:
    """Yield method, route, role and answer of every row and role."""
    for row in ROWS:
        method, route = row.split(" ", 1)
        path = world.path(route)
        for role in ROLES:
            session = dict(world.clients[role].cookies)
            yield method, route, role, path, _ask(world.clients[role], method, path, route)
            world.clients[role].cookies.clear()
            world.clients[role].cookies.update(session)


def test_every_route_has_a_row_and_every_row_a_route():
    routes = set(_routes(get_resolver().url_patterns))
    assert {row.split(" ", 1)[1] for row in ROWS} == routes


def test_everybody_gets_what_the_matrix_says(world):
    wrong = [
        f"{method} /{route} {role}: {answer.status_code}, not {expected}"
        for method, route, role, _, answer in _walk(world)
        if answer.status_code != (expected := ROWS[f"{method} {route}"][ROLES.index(role)])
    ]
    assert not wrong, "\n".join(wrong)


def test_ids_that_exist_and_ids_that_do_not_are_the_same_404(world):
    differ = []
    for row in ROWS:
        method, route = row.split(" ", 1)
        if "<uuid:" not in route:
            continue
        unknown = "/" + route.replace("<str:part>", "1")
        while "<uuid:" in unknown:
            head, _, rest = unknown.partition("<uuid:")
            unknown = head + str(uuid4()) + rest.partition(">")[2]
        for role in ("neighbour", "stranger"):
            client = world.clients[role]
            real = _ask(client, method, world.path(route), route)
            made_up = _ask(client, method, unknown, route)
            if (real.status_code, made_up.status_code) != (404, 404):
                differ.append(f"{row} {role}: {real.status_code} {made_up.status_code}")
    assert not differ, "\n".join(differ)


def test_a_refusal_tells_nothing_of_what_it_guards(world):
    telling = [
        f"{method} /{route} {role}"
        for method, route, role, _, answer in _walk(world)
        if answer.status_code in {302, 403, 404}
        and role != "owner"
        and ("Secretaria" in answer.content.decode() or "Number 0" in answer.content.decode())
    ]
    assert not telling, "\n".join(telling)


def _policies_of(answer: HttpResponse, *, is_framed: bool) -> set[str]:
    """Return which policies an answer may have: that of bodies, of files, else of pages."""
    if is_framed:
        return {document.body_csp(host="http://testserver")}
    if "Content-Disposition" in answer.headers:
        return {csp.FILE}
    is_page = answer.headers.get("Content-Type", "").startswith("text/html")
    return {csp.app_page()} if is_page else {csp.app_page(), csp.FILE}


def test_every_answer_has_its_policy_and_headers(world):
    wrong = []
    for method, route, role, _, answer in _walk(world):
        is_framed = route in FRAMED and answer.status_code == 200
        policy = answer.headers.get("Content-Security-Policy", "")
        if policy not in _policies_of(answer, is_framed=is_framed):
            wrong.append(f"{method} /{route} {role}: {policy}")
        is_body = route in FRAMED and answer.status_code in {200, 302}
        if not is_body and answer.headers.get("X-Frame-Options") != "DENY":
            wrong.append(f"{method} /{route} {role}: may be framed")
        if answer.headers.get("X-Content-Type-Options") != "nosniff":
            wrong.append(f"{method} /{route} {role}: may be sniffed")
        if answer.headers.get("Referrer-Policy") not in {"same-origin", "no-referrer"}:
            wrong.append(f"{method} /{route} {role}: leaks the referrer")
        caching = answer.headers.get("Cache-Control", "")
        if "private" not in caching and "no-store" not in caching:
            wrong.append(f"{method} /{route} {role}: may be cached by others ({caching})")
        if "Permissions-Policy" not in answer.headers:
            wrong.append(f"{method} /{route} {role}: asks for permissions")
    assert not wrong, "\n".join(wrong)


def test_a_method_that_no_row_names_is_refused(world):
    """Only for those who may see the address at all: for others it does not exist."""
    wrong = []
    for row in ROWS:
        method, route = row.split(" ", 1)
        other = "POST" if method == "GET" else "GET"
        if f"{other} {route}" in ROWS or route == "":
            continue
        role = "operator" if route.startswith("console/") else "owner"
        answer = _ask(world.clients[role], other, world.path(route), route)
        if answer.status_code != 405:
            wrong.append(f"{other} /{route}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_no_address_takes_a_post_without_its_csrf_token(world):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.alice.user)
    routes = sorted(set(_routes(get_resolver().url_patterns)))
    wrong = [route for route in routes if strict.post(world.path(route)).status_code != 403]
    assert wrong == []
