from __future__ import annotations

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.http import asked
from purelymanage.migrations import reports
from purelymanage.migrations.batch_rows import JobFilter, figures_and_page
from purelymanage.migrations.campaigns.adding import with_adding
from purelymanage.migrations.models import Batch, Job
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.sheets import writing

PER_PAGE = 100
# On the first page; the table has all.
MOST_ITEMS = 100


@require_safe
@requires(Right.SEE_MIGRATIONS)
def batch_report(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    batch = _batch(request, pk)
    jobs = _jobs(request, batch)
    figures, page = figures_and_page(
        request.user,
        batch.pk,
        chosen=JobFilter(),
        number=asked(request, "page"),
        length=PER_PAGE,
    )
    items = reports.items_of(jobs)[: MOST_ITEMS + 1] if page.number == 1 else ()
    listed = list(items)
    context = {
        "batch": batch,
        "figures": figures,
        "page": page,
        "lines": reports.lines_from(page),
        "items": listed[:MOST_ITEMS],
        "has_more_items": len(listed) > MOST_ITEMS,
        "now": timezone.now(),
    }
    return render(request, "migrations/batch_report.html", context)


@never_cache
@require_GET
@requires(Right.SEE_MIGRATIONS)
def batch_table(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    batch = _batch(request, pk)
    name = f"batch-{batch.pk}-{timezone.localdate()}.csv"
    return StreamingHttpResponse(
        reports.as_csv(_jobs(request, batch)),
        content_type=writing.CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # type: ignore[return-value]  # a response all the same


def _batch(request: AuthenticatedHttpRequest, pk: int) -> Any:
    mine = Batch.objects.visible_to(request.user).confirmed().defer("sheet")
    related = mine.select_related("server", "created_by")
    return get_object_or_404(with_adding(related), pk=pk)


def _jobs(request: AuthenticatedHttpRequest, batch: Batch) -> JobQuerySet:
    jobs: JobQuerySet = Job.objects.visible_to(request.user).present()
    return jobs.filter(batch=batch)
