from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.migrations import reports
from purelymanage.migrations.models import Run
from purelymanage.migrations.models.runs import RunQuerySet
from purelymanage.migrations.views.jobs import show_run
from purelymanage.sheets import writing


@require_safe
@requires(Right.SEE_MIGRATIONS)
def run_detail(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """One run of a job for itself, as earlier ones have it."""
    return show_run(request, get_object_or_404(_runs(request), pk=pk), is_alone=True)


@require_safe
@requires(Right.SEE_MIGRATIONS)
def run_log(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(_runs(request), pk=pk)
    response = HttpResponse(run.log, content_type="text/plain; charset=utf-8")
    if "download" in request.GET:
        name = f'attachment; filename="run-{run.pk}.log"'
        response["Content-Disposition"] = name
    return response


@never_cache
@require_GET
@requires(Right.SEE_MIGRATIONS)
def run_items(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """What was left out, as a table."""
    run = get_object_or_404(_runs(request).defer("log"), pk=pk)
    name = f'attachment; filename="run-{run.pk}-left-out.csv"'
    return StreamingHttpResponse(
        reports.items_as_csv(run),
        content_type=writing.CONTENT_TYPE,
        headers={"Content-Disposition": name},
    )  # type: ignore[return-value]  # a response all the same


def _runs(request: AuthenticatedHttpRequest) -> RunQuerySet:
    runs: RunQuerySet = Run.objects.visible_to(request.user)
    return runs.select_related("job__server", "job__batch")
