from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.http import asked, page_or_partial
from purelymanage.mailboxes.bulk.uploads import read_in_memory
from purelymanage.migrations.batch_rows import JobFilter
from purelymanage.migrations.forms.password_tables import (
    PasswordColumnsForm,
    PasswordTableForm,
)
from purelymanage.migrations.importing.passwords import guess_columns, targets_of
from purelymanage.migrations.job_states import in_order
from purelymanage.migrations.models import Batch, Job, PasswordTable
from purelymanage.migrations.operations import password_tables as operations

PER_PAGE = 50


def choose_passwords(
    request: AuthenticatedHttpRequest, batch: Batch, keys: list[int]
) -> HttpResponse:
    """Ask for the table of the mailboxes that were chosen, or for the one password."""
    if len(keys) == 1:
        return redirect("migrations:replace-password", keys[0])
    if not keys:
        messages.error(request, "Choose at least one mailbox that is not complete.")
        return redirect("migrations:batch-detail", batch.pk)
    return _ask(request, batch, PasswordTableForm(), request.POST)


def _too_much(request: AuthenticatedHttpRequest, sentence: str) -> HttpResponse:
    assert request.resolver_match is not None
    batch = _batch(request, request.resolver_match.kwargs["pk"])
    # What was chosen was too much to be read as well.
    return _ask(request, batch, PasswordTableForm(), QueryDict(), sentence)


@never_cache
@require_http_methods(["GET", "POST"])
@read_in_memory(Right.MANAGE, too_much=_too_much)
@sensitive_post_parameters()
def give_passwords(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    batch = _batch(request, pk)
    if request.method != "POST":
        return _ask(request, batch, PasswordTableForm(), request.GET)
    form = PasswordTableForm(request.POST, request.FILES)
    if form.is_valid() and form.sheet is not None:
        keys = password_keys(request, batch, request.POST)
        try:
            table = operations.keep_table(
                batch=batch, keys=keys, sheet=form.sheet, actor=request.user
            )
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return _guess(request, table)
    return _ask(request, batch, form, request.POST)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
@never_cache
def password_columns(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    table = _table(request, pk)
    sheet = operations.open_sheet(table)
    targets = targets_of(has_other_server=operations.has_other_server(table.batch))
    guessed = guess_columns(sheet, targets)
    form = PasswordColumnsForm(
        request.POST if request.method == "POST" else None,
        sheet=sheet,
        targets=targets,
        guessed=operations.columns_of(table) or dict(guessed.columns),
        initial={},
    )
    if form.is_valid():
        operations.choose_columns(table=table, columns=form.columns, actor=request.user)
        return redirect("migrations:password-table", table.pk)
    context = {"form": form, "table": table, "sheet": sheet, "guessed": guessed}
    status = 422 if form.errors else 200
    return render(request, "migrations/password_columns.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
@never_cache
def password_table(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Show which mailboxes the rows are for, and store them when that is confirmed."""
    table = _table(request, pk)
    if not table.columns:
        return redirect("migrations:password-columns", table.pk)
    if "shown" in request.POST:
        try:
            count = operations.store_passwords(
                table=table, shown=request.POST["shown"], actor=request.user
            )
        except Refused as exc:
            messages.error(request, str(exc))
            return redirect("migrations:password-table", table.pk)
        noun = "password was" if count == 1 else "passwords were"
        messages.success(request, f"{count} {noun} replaced. Their logins are tried.")
        return redirect("migrations:batch-detail", table.batch_id)
    found = operations.match_table(table)
    page = Paginator(found.lines, PER_PAGE).get_page(asked(request, "page"))
    context = {"table": table, "batch": table.batch, "found": found, "page": page}
    return page_or_partial(request, "migrations/password_table.html", context)


@require_POST
@requires(Right.MANAGE)
def discard_passwords(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    table = _table(request, pk)
    operations.discard_table(table=table, actor=request.user)
    messages.success(request, "The table is gone, with the passwords in it.")
    return redirect("migrations:batch-detail", table.batch_id)


def password_keys(
    request: AuthenticatedHttpRequest, batch: Batch, data: QueryDict
) -> list[int]:
    """Return the jobs that were ticked, or all of the filter that are not complete."""
    jobs = Job.objects.visible_to(request.user).present().filter(batch=batch)
    ticked = {int(it) for it in data.getlist("key") if it.isdecimal()}
    if ticked and not data.get("all"):
        mine = jobs.filter(pk__in=[it for it in ticked if it < 2**63])
        return list(mine.order_by("number", "pk").values_list("pk", flat=True))
    fitting = set(operations.fitting(jobs).values_list("pk", flat=True))
    found = in_order(JobFilter.read(data).narrow(jobs))
    return [pk for pk in found.values_list("pk", flat=True) if pk in fitting]


def _guess(request: AuthenticatedHttpRequest, table: PasswordTable) -> HttpResponse:
    """Lead to what the rows are for, or to the columns where that is in doubt."""
    targets = targets_of(has_other_server=operations.has_other_server(table.batch))
    guessed = guess_columns(operations.open_sheet(table), targets)
    if guessed.doubts:
        return redirect("migrations:password-columns", table.pk)
    operations.choose_columns(table=table, columns=guessed.columns, actor=request.user)
    return redirect("migrations:password-table", table.pk)


def _ask(
    request: AuthenticatedHttpRequest,
    batch: Batch,
    form: PasswordTableForm,
    data: QueryDict,
    trouble: str = "",
) -> HttpResponse:
    keys = password_keys(request, batch, data)
    is_ticked = bool(data.getlist("key")) and not data.get("all")
    context: dict[str, Any] = {
        "batch": batch,
        "form": form,
        "trouble": trouble,
        "filter": JobFilter.read(data),
        "number": len(keys),
        "keys": keys if is_ticked else [],
        "has_other_server": operations.has_other_server(batch),
    }
    status = 422 if form.errors or trouble else 200
    return render(request, "migrations/give_passwords.html", context, status=status)


def _batch(request: AuthenticatedHttpRequest, pk: int) -> Batch:
    mine = Batch.objects.visible_to(request.user).confirmed().defer("sheet")
    return get_object_or_404(mine.select_related("server"), pk=pk)


def _table(request: AuthenticatedHttpRequest, pk: int) -> PasswordTable:
    mine = PasswordTable.objects.visible_to(request.user)
    related = mine.select_related("batch__server", "created_by").defer("batch__sheet")
    return get_object_or_404(related, pk=pk)
