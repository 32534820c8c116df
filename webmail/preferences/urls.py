"""Routes of the settings. Each page is for whoever is signed in."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from webmail.preferences.views import (
    folders,
    identities,
    labels,
    personal,
    security,
    senders,
)

BOX = "<uuid:mailbox_id>/"
FOLDER = f"{BOX}<uuid:folder_id>/"
LABEL = f"{BOX}<uuid:label_id>/"

app_name = "settings"
urlpatterns: list[URLPattern | URLResolver] = [
    path("settings/", personal.home, name="home"),
    path("settings/general/", personal.general, name="general"),
    path("settings/identities/", identities.identities, name="identities"),
    path("settings/appearance/", personal.appearance, name="appearance"),
    path("settings/reading/", personal.reading, name="reading"),
    path("settings/keyboard/", personal.keyboard, name="keyboard"),
    path("settings/notifications/", personal.notifications, name="notifications"),
    path("settings/security/", security.security, name="security"),
    path("settings/security/end/", security.end_other_sessions, name="end_other_sessions"),
    path("settings/security/<uuid:sign_in_id>/end/", security.end_session, name="end_session"),
    path("settings/senders/", senders.sender_lists, name="senders"),
    path("settings/senders/remove/", senders.remove_sender, name="remove_sender"),
    path("settings/folders/", folders.choose, name="choose_folders"),
    path(f"settings/folders/{BOX}", folders.folder_list, name="folders"),
    path(f"settings/folders/{FOLDER}", folders.folder, name="folder"),
    path(f"settings/folders/{FOLDER}shift/", folders.shift, name="shift_folder"),
    path(f"settings/folders/{FOLDER}delete/", folders.delete, name="delete_folder"),
    path("settings/labels/", labels.choose, name="choose_labels"),
    path(f"settings/labels/{BOX}", labels.label_list, name="labels"),
    path(f"settings/labels/{LABEL}", labels.label, name="label"),
    path(f"settings/labels/{LABEL}delete/", labels.delete, name="delete_label"),
]
