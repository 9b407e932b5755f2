from __future__ import annotations

from dataclasses import asdict

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.mailboxes.forms.imports import ColumnChoice
from purelymanage.routing import exports
from purelymanage.routing.bulk.meanings import TARGETS
from purelymanage.routing.filters import RuleFilter
from purelymanage.routing.forms.importing import ImportRulesForm
from purelymanage.routing.models import Rule, RuleBulk
from purelymanage.routing.operations import many
from purelymanage.routing.operations.exports import note_export
from purelymanage.routing.reading import about
from purelymanage.routing.verdicts import verdicts_for
from purelymanage.sheets import keeping, writing
from purelymanage.sheets.columns import guess

EXAMPLE_HEADER = [it.label.capitalize() for it in TARGETS]
EXAMPLE = [
    ["info@example.org", "exact", "anna@example.org", "", "", ""],
    ["sales-*@example.org", "prefix", "orders@example.org ben@example.org", "", "", ""],
    ["ben@example.org", "exact", "anna@example.org", "yes", "on leave", "2027-01-31"],
    ["*@example.org", "catch-all", "office@example.org", "", "", ""],
]


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def import_rules(request: AuthenticatedHttpRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    form = ImportRulesForm(
        request.POST if is_sent else None, request.FILES if is_sent else None
    )
    if form.is_valid() and form.sheet is not None:
        guessed = guess(form.sheet.header, TARGETS, form.sheet.rows)
        try:
            bulk = many.draft_import(
                sheet=form.sheet,
                columns={} if guessed.doubts else guessed.columns,
                actor=request.user,
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            name = "map-columns" if guessed.doubts else "bulk-detail"
            return redirect(f"routing:{name}", bulk.pk)
    status = 422 if form.errors else 200
    return render(request, "routing/import_rules.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
@never_cache
def map_columns(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Ask which column is what, where the names do not tell."""
    mine = RuleBulk.objects.visible_to(request.user).drafts()
    bulk = get_object_or_404(mine.exclude(sheet=None), pk=pk)
    assert bulk.sheet is not None
    sheet = keeping.from_stored(bulk.sheet)
    guessed = guess(sheet.header, TARGETS, sheet.rows)
    known = {int(it): name for it, name in bulk.wishes.get("columns", {}).items()}
    form = ColumnChoice(
        request.POST if request.method == "POST" else None,
        sheet=sheet,
        targets=TARGETS,
        guessed=known or dict(guessed.columns),
        initial={},
    )
    if form.is_valid():
        try:
            many.map_columns(bulk=bulk, columns=form.columns, actor=request.user)
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("routing:bulk-detail", bulk.pk)
    context = {"form": form, "bulk": bulk, "sheet": sheet, "guessed": guessed}
    status = 422 if form.errors else 200
    return render(request, "routing/map_rule_columns.html", context, status=status)


@require_safe
@requires(Right.MANAGE)
def import_template(request: AuthenticatedHttpRequest) -> HttpResponse:
    return _csv(writing.as_csv(EXAMPLE_HEADER, EXAMPLE), "rules.csv")


@require_safe
@requires(Right.SEE_ROUTING)
def export_rules(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Write the rules that the filter of the list finds."""
    user, chosen = request.user, RuleFilter.read(request.GET)
    found = chosen.narrow(
        Rule.objects.visible_to(user).present(),
        about=about(chosen.address, user),
        warned=verdicts_for(user).of(chosen.checks) if chosen.warning else (),
    )
    note_export(count=found.count(), filters=_said(chosen), actor=request.user)
    return _csv(exports.as_csv(found), f"rules-{timezone.localdate()}.csv")


def _said(chosen: RuleFilter) -> str:
    parts = [f"{name} {value}" for name, value in asdict(chosen).items() if value]
    return ", ".join(parts) or "no filter"


def _csv(lines: object, name: str) -> HttpResponse:
    return StreamingHttpResponse(
        lines,  # type: ignore[arg-type]  # lines of text
        content_type=writing.CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # type: ignore[return-value]  # a response all the same
