from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.http import asked, page_or_partial
from purelymanage.migrations.models import Batch, Job
from purelymanage.migrations.operations import logins

PER_PAGE = 50
TONES = {
    Job.Login.WAITING: "waiting",
    Job.Login.TRYING: "running",
    Job.Login.RIGHT: "good",
    Job.Login.WRONG: "broken",
    Job.Login.UNKNOWN: "attention",
}


@require_safe
@requires(Right.SEE_MIGRATIONS)
def batch_detail(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    mine = Batch.objects.visible_to(request.user)
    batch = get_object_or_404(mine.select_related("server", "created_by"), pk=pk)
    if batch.confirmed_at is None:
        return redirect("migrations:batch-draft", batch.pk)
    jobs = batch.jobs.visible_to(request.user).present().order_by("number", "pk")
    counts = dict(jobs.order_by().values_list("login").annotate(Count("pk")))
    page = Paginator(jobs, PER_PAGE).get_page(asked(request, "page"))
    context = {
        "batch": batch,
        "page": page,
        "rows": [(job, TONES.get(Job.Login(job.login), "off")) for job in page],
        "total": sum(counts.values()),
        "counts": [
            (tone, login.label, counts[login])
            for login, tone in TONES.items()
            if login in counts
        ],
        "is_live": bool({Job.Login.WAITING, Job.Login.TRYING} & set(counts)),
        "may_change": request.user.may(Right.MANAGE),
    }
    return page_or_partial(request, "migrations/batch_detail.html", context)


@require_POST
@requires(Right.MANAGE)
def try_login(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Try the login of an imported job once more."""
    job = get_object_or_404(Job.objects.visible_to(request.user).present(), pk=pk)
    try:
        logins.try_again(job=job, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    if job.batch_id is None:
        return redirect("migrations:job-detail", job.pk)
    return redirect("migrations:batch-detail", job.batch_id)
