"""Who gets which answer at every address of the site: the rows of the access matrix.

A row is `METHOD route`, with the status for each role in the order of ROLES. A route without a row
fails the suite. What a POST sends is in DATA, what stands in a route's brackets in
`access_world.arguments`. Pages that are framed or printed, with the policy of bodies, are FRAMED.
"""

from __future__ import annotations

ROLES = ("anonymous", "owner", "read", "send", "neighbour", "stranger", "operator")
BOX = "mail/<uuid:mailbox_id>/"
MESSAGE = f"{BOX}m/<uuid:message_id>/"
FOLDERS = "settings/folders/<uuid:mailbox_id>/"
LABELS = "settings/labels/<uuid:mailbox_id>/"
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


def of_owners(status: int = 200) -> Statuses:
    """Owners of the mailbox; who may use it without owning it is told so."""
    return (302, status, 403, 403, 404, 404, 404)


def of_people(status: int = 200) -> Statuses:
    """Everybody who is signed in, each about themselves."""
    return (302, *(status,) * (len(ROLES) - 1))


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
    "GET u/remote/<str:token>/": of_all(404),
    "GET u/captured/<str:token>/": of_all(404),
    "GET setup/<str:token>/": of_all(404),
    "POST setup/<str:token>/": of_all(404),
    # The mail
    "GET mail/": (302, 302, 302, 302, 302, 302, 200),  # the operator has no mailbox
    f"GET {BOX}": of_mailbox(302),
    f"GET {BOX}<uuid:folder_id>/": of_mailbox(),
    f"GET {BOX}t/<uuid:thread_id>/": of_mailbox(),
    f"GET {BOX}starred/": of_mailbox(),
    f"GET {BOX}all/": of_mailbox(),
    f"GET {BOX}inboxes/": of_mailbox(),
    f"GET {BOX}label/<uuid:label_id>/": of_mailbox(),
    f"GET {BOX}jobs/<uuid:job_id>/": of_mailbox(),
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
    f"GET {BOX}search/": of_mailbox(),
    f"GET {BOX}search/form/": of_mailbox(),
    f"GET {BOX}search/suggest/": of_mailbox(),
    f"GET {BOX}search/saved/": of_mailbox(),
    f"POST {BOX}search/saved/": of_mailbox(303),
    f"GET {BOX}outbox/": of_mailbox(),
    f"GET {BOX}sent/<uuid:recipient_id>/": of_mailbox(),
    f"POST {BOX}sent/<uuid:public_id>/act/": of_mailbox(303, read=403),
    f"GET {MESSAGE}tracking/": of_mailbox(),
    f"GET {MESSAGE}body/": of_mailbox(),
    f"GET {MESSAGE}part/<str:part>/": of_mailbox(),
    f"GET {MESSAGE}part/<str:part>/view/": of_mailbox(),
    f"GET {MESSAGE}part/<str:part>/preview/": of_mailbox(404),  # it is text
    f"GET {MESSAGE}part/<str:part>/body/": of_mailbox(404),
    f"GET {MESSAGE}files.zip": of_mailbox(404),
    f"GET {MESSAGE}source/": of_mailbox(),
    f"GET {MESSAGE}headers/": of_mailbox(),
    f"GET {MESSAGE}raw.eml": of_mailbox(),
    f"GET {MESSAGE}print/": of_mailbox(),
    f"POST {MESSAGE}sender/": of_mailbox(303),  # the lists are the person's own
    # The address book
    "GET contacts/": of_people(),
    "GET contacts/new/": of_people(),
    "POST contacts/new/": of_people(303),
    "GET contacts/duplicates/": of_people(),
    "POST contacts/merge/": of_people(303),  # nothing chosen; whose they are: test_duplicates
    "GET contacts/import/": of_people(),
    "POST contacts/import/": of_people(422),
    "GET contacts/export/<str:kind>/": of_people(),
    "GET contacts/<uuid:contact_id>/": (302, 200, 404, 404, 404, 404, 404),
    "POST contacts/<uuid:contact_id>/": (302, 303, 404, 404, 404, 404, 404),
    "POST contacts/<uuid:contact_id>/delete/": (302, 303, 404, 404, 404, 404, 404),
    # The settings
    "GET settings/": of_people(302),
    "GET settings/general/": of_people(),
    "POST settings/general/": of_people(303),
    "GET settings/identities/": of_people(),
    "POST settings/identities/": of_people(303),
    "GET settings/appearance/": of_people(),
    "POST settings/appearance/": of_people(303),
    "GET settings/reading/": of_people(),
    "POST settings/reading/": of_people(303),
    "GET settings/keyboard/": of_people(),
    "POST settings/keyboard/": of_people(303),
    "GET settings/notifications/": of_people(),
    "POST settings/notifications/": of_people(303),
    "GET settings/security/": of_people(),
    "POST settings/security/": of_people(422),
    "POST settings/security/end/": of_people(303),
    "POST settings/security/<uuid:sign_in_id>/end/": (302, 303, 404, 404, 404, 404, 404),
    "GET settings/senders/": of_people(),
    "POST settings/senders/": of_people(303),
    "POST settings/senders/remove/": of_people(303),
    "GET settings/folders/": (302, 302, 302, 302, 302, 302, 200),  # the operator has no mailbox
    f"GET {FOLDERS}": of_owners(),
    f"POST {FOLDERS}": of_owners(303),
    f"GET {FOLDERS}<uuid:folder_id>/": of_owners(),
    f"POST {FOLDERS}<uuid:folder_id>/": of_owners(303),
    f"POST {FOLDERS}<uuid:folder_id>/shift/": of_owners(303),
    f"POST {FOLDERS}<uuid:folder_id>/delete/": of_owners(303),
    "GET settings/labels/": (302, 302, 302, 302, 302, 302, 200),
    f"GET {LABELS}": of_owners(),
    f"POST {LABELS}": of_owners(303),
    f"GET {LABELS}<uuid:label_id>/": of_owners(),
    f"POST {LABELS}<uuid:label_id>/": of_owners(303),
    f"POST {LABELS}<uuid:label_id>/delete/": of_owners(303),
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
    f"{MESSAGE}sender/": {"trust": ""},
    f"{BOX}undo/": {"operation": "01a1fc9a-cefb-7d6c-9050-000000000000"},
    f"{BOX}sent/<uuid:public_id>/act/": {"cancel": ""},
    f"{BOX}search/saved/": {"save": "", "name": "Bob", "query": "from:bob"},
    DRAFT: {"save": "", "token": "01a1fc9a-cefb-7d6c-9050-000000000001", "version": "1"},
    "contacts/new/": {"address": "new@outside.example"},
    "contacts/<uuid:contact_id>/": {"address": "new@outside.example"},
    "login/": {"login": "nobody"},
    "settings/senders/": {"list": "blocked", "blocked-address": "eve@other.example"},
    "settings/senders/remove/": {"list": "trusted", "address": "eve@other.example"},
    FOLDERS: {"name": "New"},
    f"{FOLDERS}<uuid:folder_id>/": {"name": "Named"},
    LABELS: {"name": "New", "hue": "1"},
    f"{LABELS}<uuid:label_id>/": {"name": "Named", "hue": "1"},
    "settings/general/": {"language": "en"},
    "settings/appearance/": {"theme": "dark", "density": "compact", "reading_pane": "off"},
    "settings/reading/": {"mark_read": "never", "after_action": "next"},
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
    f"{MESSAGE}part/<str:part>/body/",
    "console/captured/<uuid:message_id>/body/",
}
