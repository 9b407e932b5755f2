from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.accounts.security.proof import fresh_proof_required
from purelymanage.deletions import policy
from purelymanage.deletions.models import Kind
from purelymanage.errors import Refused
from purelymanage.http import asked, page_or_partial
from purelymanage.mailboxes.bulk import deciding
from purelymanage.mailboxes.bulk.progress import TABS
from purelymanage.routing.bulk.presentation import (
    BulkView,
    verdicts_of,
    views_of,
)
from purelymanage.routing.bulk.rows import WORK
from purelymanage.routing.forms.bulks import StartForm
from purelymanage.routing.models import RuleBulk, RuleBulkRow
from purelymanage.routing.operations import many
from purelymanage.routing.operations.expiry import waiting_time

PER_PAGE = 50
LISTED = 25
DECISIONS = {
    "stop": deciding.stop_bulk,
    "resume": deciding.resume_bulk,
    "retry": deciding.retry_failed,
    "cancel": deciding.cancel_rest,
}


@require_safe
@requires(Right.MANAGE)
def bulk_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    found = RuleBulk.objects.visible_to(request.user)
    found = found.select_related("requested_by", "snapshot").defer("sheet")
    page = Paginator(found.order_by("-pk"), LISTED).get_page(asked(request, "page"))
    counts = RuleBulk.objects.counts_of(page.object_list)
    views = [BulkView(bulk, counts.get(bulk.pk, {})) for bulk in page]
    context = {
        "page": page,
        "views": views,
        "is_live": any(view.bulk.is_running for view in views),
    }
    return page_or_partial(request, "routing/bulk_list.html", context)


@require_safe
@requires(Right.MANAGE)
@never_cache
def bulk_detail(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    bulk = _bulk(request, pk)
    if bulk.is_draft:
        if bulk.sheet and not bulk.rows.exists():
            return redirect("routing:map-columns", bulk.pk)
        return _draft(request, bulk, StartForm(bulk=bulk))
    chosen = asked(request, "state")
    chosen = chosen if chosen in TABS else ""
    page = _page(request, bulk.rows.filter(state=chosen) if chosen else bulk.rows.all())
    context = {
        "view": BulkView(bulk, bulk.rows.by_state()),
        "bulk": bulk,
        "page": page,
        "rows": views_of(page),
        "chosen": chosen,
    }
    return page_or_partial(request, "routing/bulk_detail.html", context)


@require_POST
@requires(Right.MANAGE)
def choose_row(request: AuthenticatedHttpRequest, pk: int, number: int) -> HttpResponse:
    """Leave a row of a draft out, or take it in again."""
    bulk = _bulk(request, pk)
    try:
        many.choose_row(
            bulk=bulk,
            number=number,
            is_wanted=request.POST.get("wanted") == "yes",
            actor=request.user,
        )
    except Refused as exc:
        messages.error(request, str(exc))
    if request.htmx and bulk.is_draft:
        return _draft(request, bulk, StartForm(bulk=bulk))
    return redirect("routing:bulk-detail", bulk.pk)


@require_POST
@requires(Right.MANAGE)
def start_bulk(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Start it; where rules are deleted, somebody proves who they are."""
    bulk = _bulk(request, pk)
    if bulk.is_draft and bulk.rows.to_delete().exists():
        return fresh_proof_required(_start)(request, bulk)
    return _start(request, bulk)


@require_POST
@requires(Right.MANAGE)
def decide_bulk(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Stop, resume, retry, cancel or discard."""
    bulk = _bulk(request, pk)
    decision = request.POST.get("decision", "")
    try:
        if decision == "discard":
            many.discard_draft(bulk=bulk, actor=request.user)
            messages.success(request, "The draft is gone; nothing was changed.")
            return redirect("routing:rule-list")
        if decision in DECISIONS:
            DECISIONS[decision](WORK, bulk=bulk, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    return redirect("routing:bulk-detail", bulk.pk)


def _bulk(request: AuthenticatedHttpRequest, pk: int) -> RuleBulk:
    mine = RuleBulk.objects.visible_to(request.user)
    return get_object_or_404(mine.select_related("requested_by", "snapshot"), pk=pk)


def _page(request: AuthenticatedHttpRequest, rows: Any) -> Page[RuleBulkRow]:
    return Paginator(rows.order_by("number"), PER_PAGE).get_page(asked(request, "page"))


def _start(request: AuthenticatedHttpRequest, bulk: RuleBulk) -> HttpResponse:
    if not bulk.is_draft:
        return redirect("routing:bulk-detail", bulk.pk)
    form = StartForm(request.POST, bulk=bulk)
    if form.is_valid():
        try:
            many.start_bulk(bulk=bulk, actor=request.user)
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("routing:bulk-detail", bulk.pk)
    return _draft(request, bulk, form)


def _draft(
    request: AuthenticatedHttpRequest, bulk: RuleBulk, form: StartForm
) -> HttpResponse:
    """Show what would happen to each rule, and what is left out."""
    verdicts = verdicts_of(bulk.rows.by_verdict())
    chosen = asked(request, "rows")
    chosen = chosen if chosen in {it["value"] for it in verdicts} else ""
    rows = bulk.rows.filter(verdict=chosen) if chosen else bulk.rows.all()
    page = _page(request, rows)
    view = BulkView(bulk, bulk.rows.by_state())
    deleted = bulk.rows.to_delete().count()
    context = {
        "bulk": bulk,
        "view": view,
        "form": form,
        "page": page,
        "rows": views_of(page),
        "verdicts": verdicts,
        "chosen": chosen,
        "waiting": view.open,
        "deleted": deleted,
        "grace": waiting_time(),
        "hour": timezone.now() + policy.grace(),
        "needs_approval": deleted
        and policy.needs_second_person(Kind.RULE, deleted, set(bulk.domains)),
    }
    status = 422 if form.errors else 200
    return page_or_partial(request, "routing/bulk_draft.html", context, status=status)
