"""The pages of the address book: the list, a person, a new one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mailcore.personal import address_book, duplicates
from webmail.contacts.forms import ContactForm, filled
from webmail.mail.scope import own_mailboxes, person, signed_in

QUERY_CHARS = 100
SOUGHT_MAX = 10  # addresses in one search, which has at most 30 terms


@require_safe
@signed_in
def book(request: HttpRequest) -> HttpResponse:
    """List contacts by name, those only written to apart; `?q=` searches, `?group=` narrows."""
    is_collected = request.GET.get("show") == "collected"
    query = request.GET.get("q", "").replace("\0", "").strip()[:QUERY_CHARS]
    group = request.GET.get("group", "").replace("\0", "")[: address_book.GROUP_CHARS]
    page = address_book.list_contacts(
        user=person(request),
        query=query,
        group=group,
        is_collected=is_collected,
        after=as_uuid(request.GET.get("after", "")),
    )
    return show(request, "book", page=page, query=query, group=group, is_collected=is_collected)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Make a contact; `?name=` and `?address=` fill the form."""
    initial = {name: request.GET.get(name, "")[:320] for name in ("name", "address")}
    form = ContactForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        made = _saved(request, form, None)
        if made is not None:
            return see(reverse("contacts:contact", args=[made]))
    return show(request, "new", form=form, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def contact(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Show a person, with a search for their mail; change what is known of them."""
    user = person(request)
    row = address_book.find(user=user, contact_id=contact_id)
    if row is None:
        raise Http404
    form = ContactForm(request.POST if request.method == "POST" else None, initial=filled(row))
    if form.is_valid() and _saved(request, form, contact_id):
        return see(request.path)
    boxes = own_mailboxes(request)
    context: dict[str, Any] = {
        "row": row,
        "form": form,
        "doubles": duplicates.of_contact(user=user, contact=row),
        "box": boxes[0].mailbox if boxes else None,
        "mail_query": " OR ".join(f"from:{one} OR to:{one}" for one in row.addresses[:SOUGHT_MAX]),
    }
    return show(request, "contact", status=422 if form.is_bound else 200, **context)


@require_POST
@signed_in
def delete(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Forget a person."""
    if not address_book.delete(user=person(request), contact_id=contact_id):
        raise Http404
    messages.success(request, _("The contact was deleted."))
    return see(reverse("contacts:book"))


def show(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render a page of the book, with its groups in the rail."""
    groups = address_book.list_groups(user=person(request))
    return render(
        request, f"contacts/{template}.html", {"groups": groups, **context}, status=status
    )


def see(path: str) -> HttpResponse:
    """Go there after a change (303)."""
    response = HttpResponseRedirect(path)
    response.status_code = 303
    return response


def _saved(request: HttpRequest, form: ContactForm, contact_id: UUID | None) -> UUID | None:
    """Save what the form has; a refusal becomes an error of the form."""
    try:
        made = address_book.save(user=person(request), contact_id=contact_id, card=form.card())
    except address_book.AddressTaken as taken:
        if taken.address == form.cleaned_data["address"]:
            form.add_error("address", _("Another contact has this address."))
        else:
            text = _("Another contact has %(address)s.") % {"address": taken.address}
            form.add_error("more", text)
        return None
    if made is None:
        form.add_error(None, _("The address book is full."))
    else:
        messages.success(request, _("Saved."))
    return made


def as_uuid(text: str) -> UUID | None:
    """Return the id that a text is, None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
