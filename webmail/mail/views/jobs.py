"""How far a job is: a toast that looks again by itself, or a page for those without scripts."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from mailcore.store import jobs, read
from webmail.mail.saying import outcome
from webmail.mail.scope import scope_or_404, signed_in
from webmail.mail.shell import shell_context


@require_safe
@signed_in
def job(request: HttpRequest, mailbox_id: UUID, job_id: UUID) -> HttpResponse:
    """Show what is done and what is to be done; the script gets the toast alone."""
    scope = scope_or_404(request, mailbox_id)
    row = jobs.find(mailbox=scope.mailbox, job_id=job_id)
    if row is None:
        raise Http404
    context = {
        "mailbox": scope.mailbox,
        "job": row,
        "job_text": outcome(row),
        "may_undo": scope.may_change and row.done_count > 0 and row.kind != "destroy",
    }
    if request.headers.get("HX-Request") == "true":
        return render(request, "mail/job.html", context)
    folders = read.list_folders(mailbox=scope.mailbox)
    return render(request, "mail/job_page.html", {**shell_context(scope, folders), **context})
