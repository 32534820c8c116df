"""Password and sessions. The present password is asked through the door of all sign-ins."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from mailcore.directory import credentials, sign_ins, users
from webmail.accounts import sessions
from webmail.accounts.patience import hold_back
from webmail.mail.scope import person, signed_in
from webmail.preferences.forms import PasswordForm
from webmail.preferences.frame import saved, show


@sensitive_post_parameters("password", "new", "again")
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def security(request: HttpRequest) -> HttpResponse:
    """Show the sessions; give oneself a new password, which ends all others."""
    user = person(request)
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            validate_password(form.cleaned_data["new"], user)
        except ValidationError as error:
            form.add_error("new", error)
    if form.is_valid():
        refusal = _refusal(request, user.login, form.cleaned_data["password"])
        if not refusal:
            changed = users.set_password(login=user.login, password=form.cleaned_data["new"])
            sign_ins.end_others(user=user, session_key=sessions.key(request))
            sessions.renewed(request, changed)
            return saved(request, text=_("The password was changed. All other sessions ended."))
        form.add_error("password", refusal)
    rows = sign_ins.list_sign_ins(user=user, now=timezone.now())
    return show(request, "security", form, rows=rows, this=sessions.key(request))


def _refusal(request: HttpRequest, login: str, password: str) -> str:
    """Return why the present password is not taken, after the wait of the throttle; '' if it is."""
    found = credentials.authenticate(
        login=login,
        password=password,
        peer_ip=request.META.get("REMOTE_ADDR", ""),
        now=timezone.now(),
    )
    if isinstance(found, credentials.Denied) and hold_back(found.delay):
        return _("That is not your present password.")
    if isinstance(found, credentials.Denied | credentials.Busy):
        return _("Too many people are signing in right now. Try again in a moment.")
    return ""


@require_POST
@signed_in
def end_session(request: HttpRequest, sign_in_id: UUID) -> HttpResponse:
    """End one session; one's own means signing out."""
    user = person(request)
    rows = sign_ins.list_sign_ins(user=user, now=timezone.now())
    row = next((one for one in rows if one.public_id == sign_in_id), None)
    if row is None or not sign_ins.end(user=user, public_id=sign_in_id):
        raise Http404
    if row.session_key == sessions.key(request):
        request.session.flush()
        response = redirect("accounts:login")
        response.status_code = 303
        return response
    return saved(request, reverse("settings:security"), _("The session was ended."))


@require_POST
@signed_in
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all sessions but this one."""
    count = sign_ins.end_others(user=person(request), session_key=sessions.key(request))
    text = ngettext("%(n)d session was ended.", "%(n)d sessions were ended.", count) % {"n": count}
    return saved(request, reverse("settings:security"), text)
