from __future__ import annotations

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from purelymanage.mailboxes.bulk import drafts
from purelymanage.mailboxes.bulk.uploads import read_in_memory
from purelymanage.mailboxes.bulk.wanted import TARGETS
from purelymanage.mailboxes.forms.imports import KINDS, ColumnsForm, ImportForm
from purelymanage.mailboxes.models import Bulk
from purelymanage.sheets import writing
from purelymanage.sheets.columns import guess

EXAMPLE = [
    ["anna@example.org", "anna@private.example", "", "yes", "yes", "sales"],
    ["ben@example.org", "", "+49 30 5550100", "yes", "no", "sales, berlin"],
]
EXAMPLE_COLUMNS = (
    "address",
    "recovery_email",
    "recovery_phone",
    "reset_allowed",
    "search_indexing",
    "tags",
)


def _too_much(request: AuthenticatedHttpRequest, sentence: str) -> HttpResponse:
    context = {"form": ImportForm(kinds=_kinds(request)), "trouble": sentence}
    return render(request, "mailboxes/import_mailboxes.html", context, status=422)


@require_http_methods(["GET", "POST"])
@read_in_memory(Right.MANAGE, too_much=_too_much)
@sensitive_post_parameters()
def import_mailboxes(request: AuthenticatedHttpRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    form = ImportForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        kinds=_kinds(request),
    )
    if form.is_valid() and form.sheet is not None:
        try:
            bulk = drafts.import_sheet(
                kind=form.cleaned_data["kind"], sheet=form.sheet, actor=request.user
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("mailboxes:map-columns", bulk.pk)
    status = 422 if form.errors else 200
    context = {"form": form}
    return render(request, "mailboxes/import_mailboxes.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
@never_cache
def map_columns(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Ask which column is what; guesses are chosen already."""
    mine = Bulk.objects.visible_to(request.user).drafts()
    bulk = get_object_or_404(mine.exclude(sheet=""), pk=pk)
    sheet = drafts.open_sheet(bulk)
    targets = TARGETS if bulk.kind == Bulk.Kind.CREATE else TARGETS[:1]
    guessed = guess(sheet.header, targets, sheet.rows)
    domains = Domain.objects.visible_to(request.user).present()
    form = ColumnsForm(
        request.POST if request.method == "POST" else None,
        sheet=sheet,
        kind=bulk.kind,
        domains=list(domains.values_list("name", flat=True)),
        guessed=_columns_of(bulk) or dict(guessed.columns),
        initial=_initial(bulk),
    )
    if form.is_valid():
        try:
            drafts.map_columns(
                bulk=bulk,
                columns=form.columns,
                defaults=form.defaults,
                actor=request.user,
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("mailboxes:bulk-detail", bulk.pk)
    context = {"form": form, "bulk": bulk, "sheet": sheet, "guessed": guessed}
    status = 422 if form.errors else 200
    return render(request, "mailboxes/map_columns.html", context, status=status)


@require_safe
@requires(Right.MANAGE)
def import_template(request: AuthenticatedHttpRequest) -> HttpResponse:
    header = [it.label for it in TARGETS if it.name in EXAMPLE_COLUMNS]
    return StreamingHttpResponse(
        writing.as_csv(header, EXAMPLE),
        content_type=writing.CONTENT_TYPE,
        headers={"Content-Disposition": 'attachment; filename="mailboxes.csv"'},
    )  # type: ignore[return-value]  # a response all the same


def _kinds(request: AuthenticatedHttpRequest) -> list[str]:
    may_delete = request.user.may(Right.DELETE)
    return [kind for kind, _ in KINDS if kind != Bulk.Kind.DELETE or may_delete]


def _columns_of(bulk: Bulk) -> dict[int, str]:
    """Return what was chosen when somebody looked at this page before."""
    columns = bulk.wishes.get("columns", {})
    return {int(number): target for number, target in columns.items()}


def _initial(bulk: Bulk) -> dict[str, Any]:
    kept = bulk.wishes.get("defaults")
    if not kept:
        return {}
    return {
        **kept,
        "default_domain": kept["domain"],
        "passwords": "file" if kept["passwords_from_file"] else "made",
        "tags": ", ".join(kept["tags"]),
    }
