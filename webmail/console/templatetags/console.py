"""How values look in the console: names of deeds, roles and states, distances in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from mailcore.delivery.explanations import Explanation
from webmail.console.story import explained

register = template.Library()


@register.filter
def deed_name(action: str) -> str:
    """Return what was done, in the reader's language."""
    names = {
        "access.given": _("gave access"),
        "access.withdrawn": _("withdrew access"),
        "address.changed": _("changed an address"),
        "address.deleted": _("deleted an address"),
        "alias.created": _("made an alias"),
        "block.lifted": _("lifted a block"),
        "domain.changed": _("changed a domain"),
        "domain.created": _("made a domain"),
        "domain.deleted": _("deleted a domain"),
        "mailbox.changed": _("changed a mailbox"),
        "mailbox.created": _("made a mailbox"),
        "message.opened": _("opened a message"),
        "operator.first": _("became the first operator"),
        "queue.cancel": _("cancelled"),
        "queue.hold": _("held"),
        "queue.release": _("released"),
        "queue.retry": _("tried again"),
        "queue.send": _("sent what was captured"),
        "user.changed": _("changed a person"),
        "user.created": _("made an account"),
        "user.password_changed": _("changed a password"),
    }
    return names.get(action, action)


@register.filter
def is_below(path: str, section: str) -> bool:
    """Whether a page belongs to a section of the rail; the overview at the root has none below."""
    return path.startswith(section) and section.count("/") > 2


@register.filter
def detail_name(name: str) -> str:
    """Return what a detail of a deed is called, as on the forms."""
    names = {
        "asked": _("Selected"),
        "catch_all": _("Catch-all"),
        "default_quota_bytes": _("Quota of a mailbox"),
        "display_name": _("Name"),
        "done": _("Changed"),
        "is_active": _("May sign in"),
        "is_enabled": _("Takes mail"),
        "is_operator": _("Operator"),
        "keeps_mailbox": _("Keeps mail in its mailbox"),
        "login": _("Login"),
        "mailbox_limit": _("Most mailboxes"),
        "operator": _("Operator"),
        "quota_bytes": _("Quota"),
        "role": _("Role"),
        "targets": _("Leads to"),
        "to": _("To"),
    }
    return names.get(name, name)


@register.filter
def role_name(role: str) -> str:
    """Return what a role lets a person do."""
    names = {"read": _("Read"), "send": _("Read, change and send"), "owner": _("Owner")}
    return names.get(role, role)


@register.filter
def plain(value: object) -> str:
    """Return a value of a detail: yes and no, lists with commas, else as it is."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


@register.filter
def state_name(state: str) -> str:
    """Return the state of a queued recipient, in the reader's language."""
    names = {
        "queued": _("Waiting"),
        "held": _("Held"),
        "captured": _("Captured"),
        "delivered": _("Delivered"),
        "failed": _("Failed"),
        "expired": _("Given up"),
        "cancelled": _("Cancelled"),
    }
    return names.get(state, state)


@register.filter
def state_look(state: str) -> str:
    """Return which colour a state has in the style guide."""
    looks = {"queued": "accent", "held": "warn", "captured": "warn", "delivered": "ok"}
    return looks.get(state, "bad" if state in {"failed", "expired"} else "off")


@register.filter
def distance(at: datetime | None, now: datetime) -> str:
    """Return how far a time is from now: "5 minutes ago", "in 2 hours"."""
    if at is None:
        return "–"
    if abs(at - now) < timedelta(minutes=1):
        return _("now")
    if at > now:
        return _("in %(time)s") % {"time": timesince(now, at, depth=1)}
    return _("%(time)s ago") % {"time": timesince(at, now, depth=1)}


@register.filter
def meaning(reply: str) -> Explanation | None:
    """Return what a refusal means, or None."""
    return explained(reply)
