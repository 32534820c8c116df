"""Routes of the console. `_path` lets operators in: no route of this file can forget it."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from webmail.console.scope import View, operators_only
from webmail.console.views import (
    addresses,
    blocks,
    captured,
    domains,
    mailboxes,
    overview,
    queue,
    trace,
    users,
)

app_name = "console"


def _path(route: str, view: View, name: str) -> URLPattern:
    return path(f"console/{route}", operators_only(view), name=name)


urlpatterns: list[URLPattern | URLResolver] = [
    _path("", overview.overview, "overview"),
    _path("audit/", overview.audit_log, "audit"),
    _path("domains/", domains.domains, "domains"),
    _path("domains/new/", domains.new_domain, "new_domain"),
    _path("domains/<uuid:domain_id>/", domains.domain, "domain"),
    _path("domains/<uuid:domain_id>/delete/", domains.delete_domain, "delete_domain"),
    _path("mailboxes/", mailboxes.mailboxes, "mailboxes"),
    _path("mailboxes/new/", mailboxes.new_mailbox, "new_mailbox"),
    _path("mailboxes/<uuid:mailbox_id>/", mailboxes.mailbox, "mailbox"),
    _path("mailboxes/<uuid:mailbox_id>/access/", mailboxes.give_access, "give_access"),
    _path(
        "mailboxes/<uuid:mailbox_id>/access/<uuid:user_id>/withdraw/",
        mailboxes.withdraw_access,
        "withdraw_access",
    ),
    _path("addresses/", addresses.addresses, "addresses"),
    _path("addresses/new/", addresses.new_alias, "new_alias"),
    _path("addresses/<uuid:address_id>/", addresses.address, "address"),
    _path("addresses/<uuid:address_id>/delete/", addresses.delete_address, "delete_address"),
    _path("users/", users.users, "users"),
    _path("users/new/", users.new_user, "new_user"),
    _path("users/<uuid:user_id>/", users.user, "user"),
    _path("users/<uuid:user_id>/password/", users.password, "password"),
    _path("queue/", queue.queue, "queue"),
    _path("queue/act/", queue.act, "act"),
    _path("queue/<uuid:message_id>/", queue.message, "queued"),
    _path("captured/", captured.captured, "captured"),
    _path("captured/<uuid:message_id>/", captured.message, "captured_message"),
    _path("captured/<uuid:message_id>/body/", captured.body, "captured_body"),
    _path("captured/<uuid:message_id>/source/", captured.source, "captured_source"),
    _path("trace/", trace.trace, "trace"),
    _path("trace/<uuid:trace_id>/", trace.story, "story"),
    _path("blocks/", blocks.blocks, "blocks"),
    _path("blocks/lift/", blocks.unblock, "unblock"),
]
