from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.http import (
    asked,
    has_seen,
    mark_of,
    news_elsewhere,
    no_news,
    page_or_partial,
    passing_time,
)
from purelymanage.migrations import job_actions
from purelymanage.migrations.batch_figures import (
    Figures,
    Totals,
    moving_of,
)
from purelymanage.migrations.batch_rows import (
    JobFilter,
    figures_and_page,
    moving_rows,
    oldest_failure,
    rows_of,
)
from purelymanage.migrations.campaigns.adding import with_adding
from purelymanage.migrations.forms.batches import BatchRulesForm
from purelymanage.migrations.happenings import mark_of_batch
from purelymanage.migrations.job_states import STATES, in_order
from purelymanage.migrations.models import Batch, Job, JobAction
from purelymanage.migrations.models.jobs import JobQuerySet
from purelymanage.migrations.operations import batch_rules, jobs_many, logins
from purelymanage.migrations.presentation import RunView
from purelymanage.migrations.views.password_tables import (
    choose_passwords,
    password_keys,
)

PER_PAGE = 30
NEWS = timedelta(minutes=10)


@require_safe
@requires(Right.SEE_MIGRATIONS)
def batch_detail(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    batch = _batch(request, pk)
    if batch.confirmed_at is None:
        return redirect("migrations:batch-draft", batch.pk)
    chosen = JobFilter.read(request.GET)
    # The mark first: what happens in between is news to the page.
    mark = _mark(request, batch)
    figures, page = figures_and_page(
        request.user,
        pk,
        chosen=chosen,
        number=asked(request, "page"),
        length=PER_PAGE,
    )
    context = {
        "batch": batch,
        "figures": figures,
        "mark": mark,
        "page": page,
        "rows": rows_of(list(page)),
        "filter": chosen,
        "states": [
            (it, figures.counts.get(it.code, 0))
            for it in STATES
            if it.code in figures.counts or it.code == chosen.state
        ],
        "oldest": oldest_failure(request.user, pk) if _has_failures(figures) else None,
        "action": _news(batch),
        "form": BatchRulesForm(batch=batch),
        "may_change": request.user.may(Right.MANAGE),
    }
    return page_or_partial(request, "migrations/batch_detail.html", context)


@require_safe
@requires(Right.SEE_MIGRATIONS)
def batch_progress(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """What changes while one looks; all is asked for when a state has changed."""
    batch = _watched(request, pk)
    mark = _mark(request, batch)
    rest = Totals.read(asked(request, "rest"))
    if rest is None or not has_seen(request, mark):
        return news_elsewhere()
    figures = moving_of(request.user, pk, rest)
    rows = set(request.GET.getlist("row"))
    shown = [it for it in figures.running if str(it.job_id) in rows]
    seen = mark_of(
        [RunView(it).seen for it in shown],
        figures.totals,
        batch.adding,
        passing_time(),
    )
    if has_seen(request, seen, "seen"):
        return no_news()
    context = {
        "batch": batch,
        "figures": figures,
        "moving": moving_rows(shown),
        "mark": mark,
        "seen": seen,
    }
    return render(request, "migrations/_batch_progress.html", context)


@require_safe
@requires(Right.SEE_MIGRATIONS)
def batch_action(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """What became of the last thing that was asked of many mailboxes."""
    batch = _watched(request, pk)
    action = _news(batch)
    is_open = action is not None and action.finished_at is None
    if action is not None and is_open and has_seen(request, action.reached):
        return no_news()
    context = {"batch": batch, "action": action}
    response = render(request, "migrations/_batch_action.html", context)
    if not is_open:
        response["HX-Trigger"] = "moved"
    return response


@require_POST
@requires(Right.MANAGE)
def act_on_jobs(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Do the same with the mailboxes that were ticked, or with all the filter finds."""
    batch = _batch(request, pk)
    chosen = JobFilter.read(request.POST)
    kind = request.POST.get("kind", "")
    if kind == "password":
        keys = password_keys(request, batch, request.POST)
        return choose_passwords(request, batch, keys)
    keys = _keys(request, batch, chosen, kind)
    if kind == JobAction.Kind.REMOVE and keys and "confirmed" not in request.POST:
        return _ask_to_confirm(request, batch, chosen, keys)
    try:
        action = jobs_many.ask_of_jobs(
            batch=batch, kind=kind, keys=keys, actor=request.user
        )
    except Refused as exc:
        messages.error(request, str(exc))
    else:
        if action.total <= jobs_many.MOST_AT_ONCE:
            job_actions.carry_out(action.pk)
    url = reverse("migrations:batch-detail", args=[batch.pk])
    # None of them may be like the filter any more.
    query = "" if "all" in request.POST else chosen.query
    return redirect(f"{url}?{query}".rstrip("?"))


@require_POST
@requires(Right.MANAGE)
def change_batch(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    batch = _batch(request, pk)
    form = BatchRulesForm(request.POST, batch=batch)
    if form.is_valid():
        batch_rules.change_batch(batch=batch, **form.cleaned_data, actor=request.user)
        messages.success(request, "The batch was changed.")
    else:
        messages.error(request, "Choose from the lists.")
    return redirect("migrations:batch-detail", batch.pk)


@require_POST
@requires(Right.MANAGE)
def pause_batch(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, batch_rules.pause_batch)


@require_POST
@requires(Right.MANAGE)
def resume_batch(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, batch_rules.resume_batch)


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


def _change(
    request: AuthenticatedHttpRequest, pk: int, change: Callable[..., None]
) -> HttpResponse:
    batch = _batch(request, pk)
    # A second click, or somebody else was first: it is as it was wanted.
    with suppress(Refused):
        change(batch=batch, actor=request.user)
    return redirect("migrations:batch-detail", batch.pk)


def _mark(request: AuthenticatedHttpRequest, batch: Any) -> str:
    return mark_of(mark_of_batch(request.user, batch.pk), batch.adding is None)


def _batch(request: AuthenticatedHttpRequest, pk: int) -> Any:
    mine = Batch.objects.visible_to(request.user).defer("sheet")
    if request.method == "POST":
        mine = mine.confirmed()
    related = mine.select_related("server", "created_by", "campaign")
    return get_object_or_404(with_adding(related), pk=pk)


def _watched(request: AuthenticatedHttpRequest, pk: int) -> Any:
    """Return a batch of which nothing is shown but what moves."""
    mine = Batch.objects.visible_to(request.user).only("pk")
    return get_object_or_404(with_adding(mine), pk=pk)


def _jobs(request: AuthenticatedHttpRequest, batch: Batch) -> JobQuerySet:
    jobs: JobQuerySet = Job.objects.visible_to(request.user).present()
    return jobs.filter(batch=batch)


def _news(batch: Batch) -> JobAction | None:
    """Return what was asked of many last, but not for ever if all of it was done."""
    asked_for = batch.actions.select_related("requested_by").defer("keys")
    action = asked_for.order_by("-pk").first()
    if action is None or action.finished_at is None or action.refused:
        return action
    return action if timezone.now() - action.finished_at < NEWS else None


def _has_failures(figures: Figures) -> bool:
    return bool({"failed", "password"} & set(figures.counts))


def _keys(
    request: AuthenticatedHttpRequest, batch: Batch, chosen: JobFilter, kind: str
) -> list[int]:
    jobs = _jobs(request, batch)
    if request.POST.get("all"):
        fitting = set(jobs_many.fitting(kind, jobs).values_list("pk", flat=True))
        found = in_order(chosen.narrow(jobs)).values_list("pk", flat=True)
        return [pk for pk in found if pk in fitting]
    ticked = {int(it) for it in request.POST.getlist("key") if it.isdecimal()}
    mine = jobs.filter(pk__in=[it for it in ticked if it < 2**63])
    return list(mine.order_by("number", "pk").values_list("pk", flat=True))


def _ask_to_confirm(
    request: AuthenticatedHttpRequest,
    batch: Batch,
    chosen: JobFilter,
    keys: list[int],
) -> HttpResponse:
    is_all = bool(request.POST.get("all"))
    context: dict[str, Any] = {
        "batch": batch,
        "filter": chosen,
        "is_all": is_all,
        "keys": [] if is_all else keys,
        "number": len(keys),
        "some": Job.objects.filter(pk__in=keys[:10]).order_by("number", "pk"),
    }
    return page_or_partial(request, "migrations/remove_jobs.html", context)
