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
    files,
    folders,
    jobs,
    outbox,
    people,
    remote,
    search,
    sender,
    source,
    threads,
    tracking,
    uploads,
)

app_name = "mail"

_message: list[URLPattern | URLResolver] = [
    path("body/", body.body, name="body"),
    path("part/<str:part>/", attachments.part, name="part"),
    path("part/<str:part>/view/", files.view, name="file"),
    path("part/<str:part>/preview/", files.preview, name="preview"),
    path("part/<str:part>/body/", files.body, name="part_body"),
    path("files.zip", files.zipped, name="zip"),
    path("tracking/", tracking.fragment, name="tracking"),
    path("source/", source.source, name="source"),
    path("headers/", source.headers, name="headers"),
    path("raw.eml", source.raw, name="raw"),
    path("edit/", drafts.edit, name="edit"),
    path("print/", body.printed, name="print"),
    path("sender/", sender.judge, name="sender"),
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
    path("mail/<uuid:mailbox_id>/search/", search.search, name="search"),
    path("mail/<uuid:mailbox_id>/search/form/", search.form, name="search_form"),
    path("mail/<uuid:mailbox_id>/search/suggest/", search.suggest, name="suggest"),
    path("mail/<uuid:mailbox_id>/search/saved/", search.saved, name="saved"),
    path("mail/<uuid:mailbox_id>/outbox/", outbox.outbox, name="outbox"),
    path("mail/<uuid:mailbox_id>/sent/<uuid:recipient_id>/", tracking.parcel, name="parcel"),
    path("mail/<uuid:mailbox_id>/sent/<uuid:public_id>/act/", tracking.act, name="parcel_act"),
    path("mail/<uuid:mailbox_id>/starred/", folders.view, {"name": "starred"}, name="starred"),
    path("mail/<uuid:mailbox_id>/inboxes/", folders.view, {"name": "inboxes"}, name="inboxes"),
    path("mail/<uuid:mailbox_id>/all/", folders.view, {"name": "all"}, name="all"),
    path("mail/<uuid:mailbox_id>/label/<uuid:label_id>/", folders.label, name="label"),
    path("mail/<uuid:mailbox_id>/jobs/<uuid:job_id>/", jobs.job, name="job"),
    path("mail/<uuid:mailbox_id>/<uuid:folder_id>/", folders.folder, name="folder"),
    path("u/<str:token>/", attachments.image, name="image"),
    path("u/remote/<str:token>/", remote.image, name="remote"),
]
