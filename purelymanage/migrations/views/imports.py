from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from purelymanage.http import asked, page_or_partial
from purelymanage.mailboxes.bulk.uploads import read_in_memory
from purelymanage.migrations.forms.imports import ColumnsForm, DraftForm, ImportForm
from purelymanage.migrations.importing.columns import TARGETS, guess_columns
from purelymanage.migrations.importing.presentation import verdicts_of, views_of
from purelymanage.migrations.models import Batch, Server
from purelymanage.migrations.operations import batches
from purelymanage.migrations.operations.batches import Wishes
from purelymanage.migrations.presets import BY_KEY
from purelymanage.sheets import writing
from purelymanage.sheets.reading import MOST_BYTES, MOST_ROWS

PER_PAGE = 50
MOST_DRAFTS = 10
EXAMPLE = [
    ["anna@old-provider.example", "her password there", "anna@example.org", "", ""],
    ["lager@old-provider.example", "its, password", "warehouse@example.org", "", ""],
    ["ben@old-provider.example", "his password there", "ben@example.org", "", "benny"],
]


def _show_import(
    request: AuthenticatedHttpRequest, form: ImportForm, trouble: str = ""
) -> HttpResponse:
    mine = Batch.objects.drafts().filter(created_by=request.user)
    drafts = mine.select_related("server").defer("sheet").order_by("-pk")
    context = {
        "form": form,
        "trouble": trouble,
        "has_servers": Server.objects.visible_to(request.user).present().exists(),
        "drafts": drafts[:MOST_DRAFTS],
        "most_rows": MOST_ROWS,
        "most_bytes": MOST_BYTES,
    }
    status = 422 if form.errors or trouble else 200
    return render(request, "migrations/import_jobs.html", context, status=status)


def _too_much(request: AuthenticatedHttpRequest, sentence: str) -> HttpResponse:
    return _show_import(request, ImportForm(user=request.user), sentence)


@never_cache
@require_http_methods(["GET", "POST"])
@read_in_memory(Right.MANAGE, too_much=_too_much)
@sensitive_post_parameters()
def import_jobs(request: AuthenticatedHttpRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    form = ImportForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        user=request.user,
        initial={"server": request.GET.get("server")},
    )
    if form.is_valid() and form.sheet is not None:
        try:
            batch = batches.draft_batch(
                name=form.batch_name,
                server=form.cleaned_data["server"],
                destination_server=form.cleaned_data.get("destination"),
                sheet=form.sheet,
                actor=request.user,
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("migrations:map-columns", batch.pk)
    return _show_import(request, form)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
@never_cache
def map_columns(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Ask which column is what; guesses are chosen already."""
    if _is_confirmed(request, pk):
        return redirect("migrations:batch-detail", pk)
    batch = _draft(request, pk)
    sheet = batches.open_sheet(batch)
    guessed = guess_columns(sheet)
    domains = Domain.objects.visible_to(request.user).present()
    form = ColumnsForm(
        request.POST if request.method == "POST" else None,
        batch=batch,
        sheet=sheet,
        domains=list(domains.values_list("name", flat=True)),
        guessed=batches.columns_of(batch) or dict(guessed.columns),
    )
    if form.is_valid():
        try:
            batches.map_columns(
                batch=batch,
                columns=form.columns,
                domain=form.cleaned_data.get("domain", ""),
                actor=request.user,
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("migrations:batch-draft", batch.pk)
    context = {"form": form, "batch": batch, "sheet": sheet, "guessed": guessed}
    status = 422 if form.errors else 200
    return render(request, "migrations/map_columns.html", context, status=status)


@require_safe
@requires(Right.MANAGE)
@never_cache
def batch_draft(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    if _is_confirmed(request, pk):
        return redirect("migrations:batch-detail", pk)
    batch = _draft(request, pk)
    if not batches.columns_of(batch):
        return redirect("migrations:map-columns", batch.pk)
    return _show(request, batch, DraftForm(None, batch=batch))


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
@never_cache
def choose_wishes(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Show what would come of it, the way the form is filled in now."""
    if request.method == "GET" and _is_confirmed(request, pk):
        return redirect("migrations:batch-detail", pk)
    batch = _draft(request, pk)
    if not batches.columns_of(batch) or request.method == "GET":
        return _to_draft(request, batch)
    form = DraftForm(request.POST, batch=batch)
    if not form.is_valid():
        return _show(request, batch, form)
    try:
        batches.choose_wishes(batch=batch, wishes=form.wishes, actor=request.user)
    except Refused as exc:
        form.add_error(None, str(exc))
        return _show(request, batch, form)
    if request.htmx:
        return _show(request, batch, form, form.wishes)
    return redirect("migrations:batch-draft", batch.pk)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
@never_cache
def confirm_batch(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    mine = Batch.objects.visible_to(request.user).select_related("server")
    batch = get_object_or_404(mine, pk=pk)
    if batch.confirmed_at:  # sent twice, or from another tab
        return redirect("migrations:batch-detail", batch.pk)
    if not batches.columns_of(batch) or request.method == "GET":
        return _to_draft(request, batch)
    form = DraftForm(request.POST, batch=batch)
    if not form.is_valid():
        return _show(request, batch, form)
    try:
        batches.confirm(
            batch=batch,
            wishes=form.wishes,
            shown=request.POST.get("shown", ""),
            actor=request.user,
        )
    except Refused as exc:
        batch = mine.filter(pk=pk).first() or batch
        if batch.confirmed_at:
            return redirect("migrations:batch-detail", batch.pk)
        form.add_error(None, str(exc))
        return _show(request, batch, form, form.wishes)
    return redirect("migrations:batch-detail", batch.pk)


@require_POST
@requires(Right.MANAGE)
def discard_draft(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    try:
        batches.discard_draft(batch=_draft(request, pk), actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, "The draft is gone, with the cells of its file.")
    return redirect("migrations:import-jobs")


@require_safe
@requires(Right.MANAGE)
def import_template(request: AuthenticatedHttpRequest) -> HttpResponse:
    header = [it.label.capitalize() for it in TARGETS]
    return StreamingHttpResponse(
        writing.as_csv(header, EXAMPLE),
        content_type=writing.CONTENT_TYPE,
        headers={"Content-Disposition": 'attachment; filename="copies.csv"'},
    )  # type: ignore[return-value]  # a response all the same


def _is_confirmed(request: AuthenticatedHttpRequest, pk: int) -> bool:
    """Whether somebody went back to the draft of what has begun."""
    mine = Batch.objects.visible_to(request.user).confirmed()
    return bool(mine.filter(pk=pk).exists())


def _draft(request: AuthenticatedHttpRequest, pk: int) -> Batch:
    mine = Batch.objects.visible_to(request.user).drafts()
    return get_object_or_404(mine.select_related("server", "created_by"), pk=pk)


def _to_draft(request: AuthenticatedHttpRequest, batch: Batch) -> HttpResponse:
    """Lead to the draft, also from links of a form that came back."""
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return redirect(f"{reverse('migrations:batch-draft', args=[batch.pk])}{query}")


def _show(
    request: AuthenticatedHttpRequest,
    batch: Batch,
    form: DraftForm,
    wishes: Wishes | None = None,
) -> HttpResponse:
    """Show what each row would become, as the form says it or as it was kept."""
    found = batches.preview_batch(batch, wishes)
    verdicts = verdicts_of(found)
    chosen = asked(request, "rows")
    if chosen not in {it["value"] for it in verdicts}:
        chosen = ""
    lines = [it for it in found.lines if it.verdict == chosen or not chosen]
    page = Paginator(lines, PER_PAGE).get_page(asked(request, "page"))
    context: dict[str, Any] = {
        "batch": batch,
        "form": form,
        "preview": found,
        "verdicts": verdicts,
        "chosen": chosen,
        "total": len(found.lines),
        "ready": len(found.ready),
        "other": batches.destination_server_of(batch),
        "preset": BY_KEY.get(batch.server.preset),
        "page": page,
        "rows": views_of(page),
    }
    status = 422 if form.errors else 200
    template = "migrations/batch_draft.html"
    return page_or_partial(request, template, context, status=status)
