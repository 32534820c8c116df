"""People: list, make, change, give a new password; what each may use."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mailcore.directory import changing, listing
from mailcore.directory import users as directory
from mailcore.directory.errors import DirectoryError
from webmail.console.forms.directory import NewUserForm, PasswordForm, UserForm
from webmail.console.scope import cursor, found_or_404, go, next_page, recorded, text_of
from webmail.console.views.passwords import made_page

FIELDS = ("display_name", "is_active", "is_operator")


@require_safe
def users(request: HttpRequest) -> HttpResponse:
    """List who may sign in."""
    query = text_of(request)
    page = listing.users(text=query, after=cursor(request))
    context = {"page": page, "query": query, "next_page": next_page(request, after=page.after)}
    return render(request, "console/users.html", context)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def new_user(request: HttpRequest) -> HttpResponse:
    """Ask for a login and make a person without a mailbox of their own."""
    form = NewUserForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        data = form.cleaned_data
        password = data["password"] or directory.generate_password()
        make = directory.create_operator if data["is_operator"] else directory.create_user
        try:
            with recorded(request, "user.created", data["login"], operator=data["is_operator"]):
                made = make(login=data["login"], password=password, now=timezone.now())
        except DirectoryError as error:
            form.refuse(error, "login")
        else:
            there = reverse("console:user", args=[made.public_id])
            messages.success(request, _("%(name)s was made.") % {"name": made.login})
            shown = "" if data["password"] else password
            return made_page(request, login=made.login, password=shown, there=there)
    status = 422 if form.is_bound else 200
    return render(request, "console/user_new.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def user(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Show a person and change their rights."""
    row = found_or_404(listing.user(public_id=user_id))
    initial = {name: getattr(row, name) for name in FIELDS}
    form = UserForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        by: UUID = request.user.public_id  # type: ignore[union-attr]  # an operator
        try:
            with recorded(request, "user.changed", row.login, **form.cleaned_data):
                changing.change_user(public_id=user_id, by=by, **form.cleaned_data)
        except DirectoryError:
            form.add_error(None, _("You cannot take these rights from yourself."))
        else:
            messages.success(request, _("Saved."))
            return go(request.path)
    return _page(request, row, form, PasswordForm())


@sensitive_post_parameters("password")
@require_POST
def password(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Give a person a new password; all their sessions end."""
    row = found_or_404(listing.user(public_id=user_id))
    form = PasswordForm(request.POST)
    if not form.is_valid():
        initial = {name: getattr(row, name) for name in FIELDS}
        return _page(request, row, UserForm(initial=initial), form)
    given = form.cleaned_data["password"]
    new = given or directory.generate_password()
    with recorded(request, "user.password_changed", row.login):
        changing.change_password(public_id=user_id, password=new)
    messages.success(request, _("The password was changed."))
    there = reverse("console:user", args=[user_id])
    return made_page(request, login=row.login, password="" if given else new, there=there)


def _page(
    request: HttpRequest, row: listing.UserRow, form: UserForm, password: PasswordForm
) -> HttpResponse:
    context = {
        "person": row,
        "form": form,
        "password": password,
        "accesses": listing.accesses(user_id=row.public_id),
    }
    status = 422 if form.is_bound or password.is_bound else 200
    return render(request, "console/user.html", context, status=status)
