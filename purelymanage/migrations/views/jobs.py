from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
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
from purelymanage.audit.history import history_of
from purelymanage.errors import Refused
from purelymanage.http import asked, has_seen, no_news, page_or_partial
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.models.runs import RunQuerySet
from purelymanage.migrations.operations import jobs as job_operations
from purelymanage.migrations.operations import new_mailboxes
from purelymanage.migrations.operations import runs as run_operations
from purelymanage.migrations.options import JobOptions
from purelymanage.migrations.planning import plan_of
from purelymanage.migrations.presentation import LOGIN_TONES, RunView
from purelymanage.migrations.run_news import (
    folders_since,
    newest_of_job,
    written_last,
)
from purelymanage.migrations.troubles import by_cause
from purelymanage.migrations.waiting import why_alone

EARLIER = 20
MOST_ITEMS = 200  # on the page; the table has all


@require_safe
@requires(Right.SEE_MIGRATIONS)
def job_detail(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    if request.htmx and "mark" in request.GET:
        return _tell_news(request, pk)
    run = _newest(request).filter(job_id=pk).first()
    return _show_without_run(request, pk) if run is None else show_run(request, run)


@require_POST
@requires(Right.MANAGE)
def queue_run(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    job = _job(request, pk)
    dry_run = request.POST.get("kind") != "copy"
    engine = request.POST.get("engine", "")
    if job.needs_password:
        url = reverse("migrations:replace-password", args=[pk])
        return redirect(f"{url}?kind={'plan' if dry_run else 'copy'}")
    try:
        run_operations.queue_run(
            job=job, dry_run=dry_run, actor=request.user, engine=engine
        )
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
        return show_run(request, _newest(request).get(job_id=pk))
    return redirect("migrations:job-detail", pk)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def remove_job(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    job = _job(request, pk)
    if "confirmed" in request.POST:
        try:
            job_operations.remove_job(job=job, actor=request.user)
        except Refused as exc:
            messages.error(request, str(exc))
            return redirect("migrations:job-detail", pk)
        messages.success(request, f"The copy of {job} was removed.")
        if job.batch_id is not None:
            return redirect("migrations:batch-detail", job.batch_id)
        return redirect("migrations:job-list")
    return page_or_partial(request, "migrations/remove_job.html", {"job": job})


def _newest(request: AuthenticatedHttpRequest) -> RunQuerySet:
    runs: RunQuerySet = Run.objects.visible_to(request.user).newest_of_jobs()
    return runs.with_all_of_job()


def _job(request: AuthenticatedHttpRequest, pk: int) -> Job:
    jobs = Job.objects.visible_to(request.user).present()
    return get_object_or_404(jobs.select_related("server", "batch"), pk=pk)


def _tell_news(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Answer a page that shows a run which is open, or a login that is tried."""
    run = newest_of_job(request.user, pk)
    if run is None:
        return _show_without_run(request, pk)
    if "shape" not in request.GET:
        return _refresh()  # it shows none yet
    view = RunView(run)
    if run.is_open and has_seen(request, view.mark):
        return no_news()
    since = _moment(asked(request, "since"))
    if since is None or not has_seen(request, view.shape, "shape"):
        return show_run(request, run)
    has_failed = run.failed or run.has_failed_folder
    context = _of_run(request, run, has_failed=has_failed)
    folders = folders_since(run, since)
    context |= {"folders": folders, "since": written_last(folders) or since}
    return render(request, "migrations/_job_detail.html", context)


def _moment(text: str) -> datetime | None:
    with suppress(ValueError):  # on the 31st of February
        return parse_datetime(text)
    return None


def show_run(
    request: AuthenticatedHttpRequest, run: Run, *, is_alone: bool = False
) -> HttpResponse:
    """Answer with the page of a job, or with that of one run alone."""
    folders = list(run.folders.all())
    has_failed = run.failed or any(it.state == "failed" for it in folders)
    context = _of_run(request, run, has_failed=has_failed) | {
        "folders": folders,
        "is_alone": is_alone,
        "is_whole": True,
        "since": written_last(folders),
        "plan": plan_of(run, folders, request.user),
    }
    if is_alone:
        context["may_change"] = False
    if has_failed and not run.is_open:
        items = list(run.errors.order_by("folder", "uid")[: MOST_ITEMS + 1])
        context["items"] = items[:MOST_ITEMS]
        context["has_more_items"] = len(items) > MOST_ITEMS
    if not run.is_open and not is_alone:
        context["link"] = new_mailboxes.link_for(run.job, request.user)
    if not request.htmx:
        context["chosen"] = JobOptions.read(run.job.options).in_words()
    if not request.htmx and not is_alone:
        earlier = run.job.runs.exclude(pk=run.pk).order_by("-queued_at", "-pk")
        context["history"] = history_of(run.job.destination, request.user)
        earlier = earlier.defer("log", "samples")
        context["earlier"] = [RunView(it) for it in earlier[:EARLIER]]
    response = page_or_partial(request, "migrations/job_detail.html", context)
    if context.get("link"):
        response["Cache-Control"] = "no-store"
    return response


def _of_run(
    request: AuthenticatedHttpRequest, run: Run, *, has_failed: object
) -> dict[str, Any]:
    """Return what is shown of a run each time, beside its folders."""
    # What it could not copy it tries once more, as soon as it is its turn.
    waits_for_others = run.state == Run.State.QUEUED and not run.not_before
    return {
        "run": run,
        "job": run.job,
        "view": RunView(run, why_alone(run)),
        "problems": by_cause(run) if has_failed and not waits_for_others else [],
        "may_change": request.user.may(Right.MANAGE) and run.job.removed_at is None,
    }


def _show_without_run(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """A job whose login is tried, or was not right: nothing ran yet."""
    job = _job(request, pk)
    context = {
        "job": job,
        "tone": LOGIN_TONES.get(Job.Login(job.login), "off") if job.login else "off",
        "is_live": job.login in {Job.Login.WAITING, Job.Login.TRYING},
        "chosen": JobOptions.read(job.options).in_words(),
        "may_change": request.user.may(Right.MANAGE),
    }
    if request.htmx and context["is_live"]:
        return no_news()
    if request.htmx:
        return _refresh()
    return render(request, "migrations/job_without_run.html", context)


def _refresh() -> HttpResponse:
    """Load the page anew: the login has an answer by now, or the job a run."""
    return HttpResponse(headers={"HX-Refresh": "true"})
