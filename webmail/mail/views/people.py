"""People to write to, offered while somebody types; JSON of names and addresses."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from mailcore.personal import contacts
from webmail import csp
from webmail.mail.scope import change_scope, person, signed_in


@require_safe
@signed_in
def people(request: HttpRequest, mailbox_id: UUID) -> HttpResponse:
    """Return at most eight people whose name or address begins like `?q=`."""
    change_scope(request, mailbox_id)
    found = contacts.suggest(user=person(request), query=request.GET.get("q", ""))
    answer = JsonResponse({"people": [[one.name, one.address] for one in found]})
    answer.headers["Content-Security-Policy"] = csp.FILE
    return answer
