"""Contacts as files: vCard and CSV out; in with a page that tells each row's fault beforehand.

Nothing is stored before the second step. Between the two the file stands in the page itself, so
the server keeps no half-done import; what comes back is read and checked like any file.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from mailcore.cards import table, vcard
from mailcore.cards.card import BYTES_MAX, ROWS_MAX, Problem, Row
from mailcore.mime import filename
from mailcore.personal import address_book
from webmail import csp
from webmail.contacts.views import see, show
from webmail.mail.scope import person, signed_in

SHOWN_ROWS = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the preview; `problem` in words, '' when it can be taken in."""

    number: int
    name: str
    addresses: str
    problem: str
    is_known: bool


@require_safe
@signed_in
def give_out(request: HttpRequest, kind: str) -> HttpResponse:
    """Send all contacts, or a group, as a file: `vcf` (vCard 4), `vcf3` (vCard 3) or `csv`."""
    if kind not in {"vcf", "vcf3", "csv"}:
        raise Http404
    group = request.GET.get("group", "").replace("\0", "")[: address_book.GROUP_CHARS]
    cards = address_book.give_out(user=person(request), group=group)
    if kind == "csv":
        text, content_type = table.write(cards), "text/csv; charset=utf-8"
    else:
        version = "3.0" if kind == "vcf3" else "4.0"
        text, content_type = vcard.write(cards, version=version), "text/vcard; charset=utf-8"
    name = f"contacts.{kind.rstrip('3')}"
    return HttpResponse(
        text.encode(),
        content_type=content_type,
        headers={
            "Content-Disposition": filename.content_disposition(name),
            "Content-Security-Policy": csp.FILE,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def take_in(request: HttpRequest) -> HttpResponse:
    """Ask for a file, show what is in it, then store what can be."""
    if request.method != "POST":
        return _ask(request)
    data = _sent(request)
    if not data:
        return _ask(request, _("Choose a file."))
    if len(data) > BYTES_MAX:
        return _ask(request, _("The file is larger than 1 MB."))
    rows = read(data)
    good = [row for row in rows if not row.problem]
    if "confirm" in request.POST and good:
        count = address_book.take_in(user=person(request), cards=[row.card for row in good])
        text = ngettext("%(n)d contact imported", "%(n)d contacts imported", count)
        messages.success(request, text % {"n": count})
        return see(reverse("contacts:book"))
    lines = _lines(request, rows)
    context: dict[str, Any] = {
        "lines": lines[:SHOWN_ROWS],
        "hidden_count": max(0, len(lines) - SHOWN_ROWS),
        "good_count": len(good),
        "bad_count": len(rows) - len(good),
        "content": b64encode(data).decode() if good else "",
    }
    return show(request, "preview", **context)


def read(data: bytes) -> list[Row]:
    """Return the rows of a file: vCard when it has a card's beginning, else CSV."""
    is_vcard = b"BEGIN:VCARD" in data[:4096].upper()
    return vcard.read(data) if is_vcard else table.read(data)


def _ask(request: HttpRequest, fault: str = "") -> HttpResponse:
    return show(request, "import", fault=fault, status=422 if fault else 200)


def _sent(request: HttpRequest) -> bytes:
    """Return the octets of the file, or those that a preview sent back."""
    upload = request.FILES.get("file")
    if upload is not None:
        return bytes(upload.read(BYTES_MAX + 1))
    try:
        return b64decode(request.POST.get("content", ""), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _lines(request: HttpRequest, rows: Sequence[Row]) -> list[Line]:
    """Return the rows in words, those with a fault first."""
    addresses = [address for row in rows for address in row.card.addresses]
    known = address_book.known(user=person(request), addresses=addresses)
    lines = [
        Line(
            number=row.number,
            name=row.card.name,
            addresses=", ".join(row.card.addresses),
            problem=_problem(row.problem),
            is_known=any(address in known for address in row.card.addresses),
        )
        for row in rows
    ]
    return sorted(lines, key=lambda line: not line.problem)


def _problem(problem: Problem) -> str:
    return {
        "": "",
        "address": _("There is no mail address that can be used."),
        "syntax": _("This could not be read to its end."),
        "version": _("Only vCard 3 and 4 can be read."),
        "many": _("Only the first %(n)d are taken.") % {"n": ROWS_MAX},
        "columns": _("There is no column “Email” in the first line."),
    }[problem]
