from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import (
    require_POST,
    require_safe,
)

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.audit.history import history_of
from purelymanage.errors import Refused
from purelymanage.http import asked, page_or_partial
from purelymanage.migrations.models import Run
from purelymanage.migrations.models.runs import RunQuerySet
from purelymanage.migrations.operations import new_mailboxes
from purelymanage.migrations.operations import runs as run_operations
from purelymanage.migrations.options import JobOptions
from purelymanage.migrations.planning import plan_of
from purelymanage.migrations.presentation import RunView, grouped_errors
from purelymanage.migrations.views.queue import queue_controls

PER_PAGE = 50
MOST_OPEN = 100
EARLIER = 20


@require_safe
@requires(Right.SEE_MIGRATIONS)
def job_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    words = asked(request, "q")
    runs = _newest(request).search(words)
    unsettled = runs.open().defer("log").order_by("queued_at", "pk")[:MOST_OPEN]
    ended = runs.settled().defer("log", "samples").order_by("-finished_at", "-pk")
    page = Paginator(ended, PER_PAGE).get_page(request.GET.get("page"))
    views = [RunView(run) for run in unsettled]
    controls = {} if request.htmx else queue_controls(request.user)
    return page_or_partial(
        request,
        "migrations/job_list.html",
        controls
        | {
            "running": [it for it in views if it.run.state == Run.State.RUNNING],
            "waiting": [it for it in views if it.run.state == Run.State.QUEUED],
            "ended": [RunView(run) for run in page],
            "page": page,
            "q": words,
            "may_change": request.user.may(Right.MANAGE),
        },
    )


@require_safe
@requires(Right.SEE_MIGRATIONS)
def job_detail(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    runs = _newest(request)
    run = get_object_or_404(runs.defer("log") if request.htmx else runs, job_id=pk)
    return _show(request, run)


@require_safe
@requires(Right.SEE_MIGRATIONS)
def run_log(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(_newest(request), job_id=pk)
    return HttpResponse(run.log, content_type="text/plain; charset=utf-8")


@require_POST
@requires(Right.MANAGE)
def queue_run(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(_newest(request), job_id=pk)
    dry_run = request.POST.get("kind") != "copy"
    if run.job.needs_password:
        url = reverse("migrations:replace-password", args=[pk])
        return redirect(f"{url}?kind={'plan' if dry_run else 'copy'}")
    try:
        run_operations.queue_run(job=run.job, dry_run=dry_run, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    return redirect("migrations:job-detail", pk)


@require_POST
@requires(Right.MANAGE)
def stop_run(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(_newest(request), job_id=pk)
    try:
        run_operations.stop_run(run=run, actor=request.user)
    except Refused as exc:
        if not request.htmx:
            messages.error(request, str(exc))
    if request.htmx:
        return _show(request, _newest(request).get(job_id=pk))
    return redirect("migrations:job-detail", pk)


def _newest(request: AuthenticatedHttpRequest) -> RunQuerySet:
    runs: RunQuerySet = Run.objects.visible_to(request.user).newest_of_jobs()
    return runs.select_related("job__server")


def _show(request: AuthenticatedHttpRequest, run: Run) -> HttpResponse:
    folders = list(run.folders.all())
    context: dict[str, Any] = {
        "run": run,
        "job": run.job,
        "view": RunView(run),
        "folders": folders,
        "problems": grouped_errors(run, folders),
        "may_change": request.user.may(Right.MANAGE),
        "plan": plan_of(run, folders, request.user),
    }
    if not run.is_open:
        context["link"] = new_mailboxes.link_for(run.job, request.user)
    if not request.htmx:
        context["chosen"] = JobOptions.read(run.job.options).in_words()
        earlier = run.job.runs.exclude(pk=run.pk).order_by("-queued_at", "-pk")
        context["history"] = history_of(run.job.destination, request.user)
        context["earlier"] = [RunView(it) for it in earlier[:EARLIER]]
    response = page_or_partial(request, "migrations/job_detail.html", context)
    if context.get("link"):
        response["Cache-Control"] = "no-store"
    return response
