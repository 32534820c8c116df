"""Routes of the mail. Ids are UUIDs; each is looked up within a mailbox of the signed-in user."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from webmail.mail.views import (
    actions,
    attachments,
    body,
    compose,
    drafts,
    events,
    folders,
    outbox,
    people,
    source,
    threads,
    tracking,
    uploads,
)

app_name = "mail"

_message: list[URLPattern | URLResolver] = [
    path("body/", body.body, name="body"),
    path("part/<str:part>/", attachments.part, name="part"),
    path("tracking/", tracking.fragment, name="tracking"),
    path("source/", source.source, name="source"),
    path("headers/", source.headers, name="headers"),
    path("raw.eml", source.raw, name="raw"),
    path("edit/", drafts.edit, name="edit"),
    path("print/", body.printed, name="print"),
]

_draft: list[URLPattern | URLResolver] = [
    path("", compose.draft, name="draft"),
    path("unsend/", drafts.unsend, name="unsend"),
    path("files/<uuid:file_id>/", uploads.draft_file, name="draft_file"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("events/", events.events, name="events"),
    path("mail/", folders.home, name="home"),
    path("mail/<uuid:mailbox_id>/", folders.inbox, name="inbox"),
    path("mail/<uuid:mailbox_id>/act/", actions.act, name="act"),
    path("mail/<uuid:mailbox_id>/undo/", actions.undo, name="undo"),
    path("mail/<uuid:mailbox_id>/compose/", compose.new, name="compose"),
    path("mail/<uuid:mailbox_id>/compose/<uuid:draft_id>/", include(_draft)),
    path("mail/<uuid:mailbox_id>/people/", people.people, name="people"),
    path("mail/<uuid:mailbox_id>/t/<uuid:thread_id>/", threads.thread, name="thread"),
    path("mail/<uuid:mailbox_id>/m/<uuid:message_id>/", include(_message)),
    path("mail/<uuid:mailbox_id>/outbox/", outbox.outbox, name="outbox"),
    path("mail/<uuid:mailbox_id>/sent/<uuid:recipient_id>/", tracking.parcel, name="parcel"),
    path("mail/<uuid:mailbox_id>/sent/<uuid:public_id>/act/", tracking.act, name="parcel_act"),
    path("mail/<uuid:mailbox_id>/<uuid:folder_id>/", folders.folder, name="folder"),
    path("u/<str:token>/", attachments.image, name="image"),
]
