"""Who gets which answer at every address of the site: the rows of the access matrix.

A row is `METHOD route`, with the status for each role in the order of ROLES. A route without a row
fails the suite. What a POST sends is in DATA, what stands in a route's brackets in
`access_world.arguments`. Pages that are framed or printed, with the policy of bodies, are FRAMED.
"""

from __future__ import annotations

ROLES = ("anonymous", "owner", "read", "send", "neighbour", "stranger", "operator")
BOX = "mail/<uuid:mailbox_id>/"
MESSAGE = f"{BOX}m/<uuid:message_id>/"
DRAFT = f"{BOX}compose/<uuid:draft_id>/"
Statuses = tuple[int, ...]


def of_all(status: int) -> Statuses:
    """Everybody gets the same."""
    return (status,) * len(ROLES)


def of_mailbox(owner: int = 200, *, read: int | None = None) -> Statuses:
    """Those who may use the mailbox; `read` is what who may only read it gets."""
    return (302, owner, owner if read is None else read, owner, 404, 404, 404)


def of_operators(status: int = 200) -> Statuses:
    """Operators alone; for everybody else there is nothing."""
    return (302, 404, 404, 404, 404, 404, status)


ROWS: dict[str, Statuses] = {
    # Open to all
    "GET ": of_all(302),
    "GET login/": (200, 302, 302, 302, 302, 302, 302),
    "POST login/": (422, 302, 302, 302, 302, 302, 302),
    "POST logout/": of_all(302),
    "POST preferences/": of_all(303),
    "GET styleguide/": of_all(404),
    "GET healthz": of_all(200),
    "GET readyz": of_all(200),
    "GET u/<str:token>/": of_all(404),
    "GET u/captured/<str:token>/": of_all(404),
    "GET setup/<str:token>/": of_all(404),
    "POST setup/<str:token>/": of_all(404),
    # The mail
    "GET mail/": (302, 302, 302, 302, 302, 302, 200),  # the operator has no mailbox
    f"GET {BOX}": of_mailbox(302),
    f"GET {BOX}<uuid:folder_id>/": of_mailbox(),
    f"GET {BOX}t/<uuid:thread_id>/": of_mailbox(),
    f"POST {BOX}act/": of_mailbox(303, read=403),
    f"POST {BOX}undo/": of_mailbox(303, read=403),
    f"GET {BOX}compose/": of_mailbox(read=403),
    f"GET {DRAFT}": of_mailbox(read=403),
    f"POST {DRAFT}": of_mailbox(303, read=403),
    f"POST {DRAFT}unsend/": of_mailbox(303, read=403),
    f"GET {DRAFT}files/<uuid:file_id>/": of_mailbox(read=403),
    f"GET {BOX}people/": of_mailbox(read=403),
    f"GET {MESSAGE}edit/": of_mailbox(302, read=403),
    "GET events/": (401, 204, 204, 204, 204, 204, 204),  # no stream without an event loop
    f"GET {BOX}outbox/": of_mailbox(),
    f"GET {BOX}sent/<uuid:recipient_id>/": of_mailbox(),
    f"POST {BOX}sent/<uuid:public_id>/act/": of_mailbox(303, read=403),
    f"GET {MESSAGE}tracking/": of_mailbox(),
    f"GET {MESSAGE}body/": of_mailbox(),
    f"GET {MESSAGE}part/<str:part>/": of_mailbox(),
    f"GET {MESSAGE}source/": of_mailbox(),
    f"GET {MESSAGE}headers/": of_mailbox(),
    f"GET {MESSAGE}raw.eml": of_mailbox(),
    f"GET {MESSAGE}print/": of_mailbox(),
    # The console
    "GET console/": of_operators(),
    "GET console/audit/": of_operators(),
    "GET console/domains/": of_operators(),
    "GET console/domains/new/": of_operators(),
    "POST console/domains/new/": of_operators(303),
    "GET console/domains/<uuid:domain_id>/": of_operators(),
    "POST console/domains/<uuid:domain_id>/": of_operators(303),
    "POST console/domains/<uuid:domain_id>/delete/": of_operators(303),
    "GET console/mailboxes/": of_operators(),
    "GET console/mailboxes/new/": of_operators(),
    "POST console/mailboxes/new/": of_operators(303),
    "GET console/mailboxes/<uuid:mailbox_id>/": of_operators(),
    "POST console/mailboxes/<uuid:mailbox_id>/": of_operators(303),
    "POST console/mailboxes/<uuid:mailbox_id>/access/": of_operators(303),
    "POST console/mailboxes/<uuid:mailbox_id>/access/<uuid:user_id>/withdraw/": of_operators(303),
    "GET console/addresses/": of_operators(),
    "GET console/addresses/new/": of_operators(),
    "POST console/addresses/new/": of_operators(303),
    "GET console/addresses/<uuid:address_id>/": of_operators(),
    "POST console/addresses/<uuid:address_id>/": of_operators(303),
    "POST console/addresses/<uuid:address_id>/delete/": of_operators(303),
    "GET console/users/": of_operators(),
    "GET console/users/new/": of_operators(),
    "POST console/users/new/": of_operators(303),
    "GET console/users/<uuid:user_id>/": of_operators(),
    "POST console/users/<uuid:user_id>/": of_operators(303),
    "POST console/users/<uuid:user_id>/password/": of_operators(303),
    "GET console/queue/": of_operators(),
    "POST console/queue/act/": of_operators(303),
    "GET console/queue/<uuid:message_id>/": of_operators(),
    "GET console/captured/": of_operators(),
    "GET console/captured/<uuid:message_id>/": of_operators(),
    "GET console/captured/<uuid:message_id>/body/": of_operators(),
    "GET console/captured/<uuid:message_id>/source/": of_operators(),
    "GET console/trace/": of_operators(),
    "GET console/trace/<uuid:trace_id>/": of_operators(),
    "GET console/blocks/": of_operators(),
    "POST console/blocks/lift/": of_operators(303),
}

LONG = "a long enough phrase"
DATA: dict[str, dict[str, str]] = {
    f"{BOX}act/": {"read": ""},
    f"{BOX}undo/": {"operation": "01a1fc9a-cefb-7d6c-9050-000000000000"},
    f"{BOX}sent/<uuid:public_id>/act/": {"cancel": ""},
    DRAFT: {"save": "", "token": "01a1fc9a-cefb-7d6c-9050-000000000001", "version": "1"},
    "login/": {"login": "nobody"},
    "console/domains/new/": {"name": "new.test"},
    "console/mailboxes/new/": {"address": "new@crepes.test", "password": LONG},
    "console/mailboxes/<uuid:mailbox_id>/access/": {"login": "bob@crepes.test", "role": "read"},
    "console/addresses/new/": {"address": "all@crepes.test", "targets": "bob@crepes.test"},
    "console/addresses/<uuid:address_id>/": {"targets": "bob@crepes.test", "is_enabled": "on"},
    "console/users/new/": {"login": "second", "password": LONG},
    "console/users/<uuid:user_id>/password/": {"password": LONG},
    "console/queue/act/": {"verb": "cancel"},
    "console/blocks/lift/": {"key": "net:192.0.2.0/24"},
}

FRAMED = {
    f"{MESSAGE}body/",
    f"{MESSAGE}print/",
    "console/captured/<uuid:message_id>/body/",
}
