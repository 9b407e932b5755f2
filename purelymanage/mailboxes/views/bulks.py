from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
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
from purelymanage.accounts.security.proof import fresh_proof_required
from purelymanage.broker import silent_clusters
from purelymanage.deletions import policy
from purelymanage.deletions.models import Kind
from purelymanage.deletions.operations import requests
from purelymanage.deletions.presentation import in_words, lines_for
from purelymanage.errors import Refused
from purelymanage.http import asked, page_or_partial
from purelymanage.mailboxes.bulk import deciding, drafts, links
from purelymanage.mailboxes.bulk.effects import effects_of
from purelymanage.mailboxes.bulk.presentation import BulkView, verdicts_of, views_of
from purelymanage.mailboxes.bulk.progress import TABS
from purelymanage.mailboxes.bulk.rows import WORK
from purelymanage.mailboxes.filters import MailboxFilter, chosen_addresses
from purelymanage.mailboxes.forms.bulks import FORMS, WishesForm
from purelymanage.mailboxes.models import Bulk, BulkRow
from purelymanage.sheets import writing

PER_PAGE = 50
LISTED = 25
WORKERS = "default"  # the cluster that carries them out
DECISIONS = {
    "stop": deciding.stop_bulk,
    "resume": deciding.resume_bulk,
    "retry": deciding.retry_failed,
    "cancel": deciding.cancel_rest,
}


@require_safe
@requires(Right.MANAGE)
def bulk_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    found = Bulk.objects.visible_to(request.user).select_related("requested_by")
    found = found.defer("sheet")
    page = Paginator(found.order_by("-pk"), LISTED).get_page(asked(request, "page"))
    counts = Bulk.objects.counts_of(page.object_list)
    views = [BulkView(bulk, counts.get(bulk.pk, {})) for bulk in page]
    context = {
        "page": page,
        "views": views,
        "is_live": any(view.bulk.is_running for view in views),
    }
    return page_or_partial(request, "mailboxes/bulk_list.html", context)


@require_safe
@requires(Right.MANAGE)
@never_cache
def bulk_detail(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    bulk = _bulk(request, pk)
    if bulk.is_draft:
        if bulk.sheet and "columns" not in bulk.wishes:
            return redirect("mailboxes:map-columns", bulk.pk)
        return _draft(request, bulk, None)
    rows = bulk.rows.select_related("hand_over__mailbox")
    chosen = asked(request, "state")
    view = BulkView(bulk, bulk.rows.by_state())
    page = _page(request, rows.filter(state=chosen) if chosen in TABS else rows)
    context = {
        "view": view,
        "bulk": bulk,
        "is_left_alone": bulk.is_running and WORKERS in silent_clusters(),
        "page": page,
        "rows": views_of(page),
        "chosen": chosen if chosen in TABS else "",
        "has_links": bulk.rows.exclude(hand_over=None).exists(),
        "may_retry": view.failed and bulk.kind != Bulk.Kind.DELETE,
    }
    return page_or_partial(request, "mailboxes/bulk_detail.html", context)


@require_POST
@requires(Right.MANAGE)
def new_bulk(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Begin with what was ticked in the list, or with all that its filter finds."""
    try:
        bulk = drafts.draft_bulk(
            kind=request.POST.get("kind", ""),
            addresses=chosen_addresses(request.POST, request.user),
            actor=request.user,
        )
    except Refused as exc:
        messages.error(request, str(exc))
        query = MailboxFilter.read(request.POST).query
        return redirect(f"{reverse('mailboxes:mailbox-list')}?{query}".rstrip("?"))
    return redirect("mailboxes:bulk-detail", bulk.pk)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def choose_wishes(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Show what the draft would do, the way its form is filled in now."""
    bulk = _bulk(request, pk)
    if not bulk.is_draft or request.method == "GET":
        return _to_page(request, bulk)
    form = _form(request, bulk)
    if form.is_valid():
        drafts.choose_wishes(bulk=bulk, wishes=form.wishes, actor=request.user)
        if not request.htmx:
            return redirect("mailboxes:bulk-detail", bulk.pk)
    return _draft(request, bulk, form)


@require_http_methods(["GET", "POST"])
@requires(Right.MANAGE)
def start_bulk(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Start it; for deletions somebody proves who they are."""
    bulk = _bulk(request, pk)
    if not bulk.is_draft or request.method == "GET":
        return _to_page(request, bulk)
    if bulk.kind == Bulk.Kind.DELETE:
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
            drafts.discard_draft(bulk=bulk, actor=request.user)
            messages.success(request, "The draft is gone; nothing was changed.")
            return redirect("mailboxes:mailbox-list")
        if decision in DECISIONS:
            DECISIONS[decision](WORK, bulk=bulk, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
    return redirect("mailboxes:bulk-detail", bulk.pk)


@require_safe
@requires(Right.MANAGE)
@never_cache
@fresh_proof_required
def take_links(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    bulk = _bulk(request, pk)
    try:
        lines = links.take_links(bulk=bulk, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
        return redirect("mailboxes:bulk-detail", bulk.pk)
    name = f"links-{bulk.pk}-{timezone.localdate()}.csv"
    return StreamingHttpResponse(
        lines,
        content_type=writing.CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # type: ignore[return-value]  # a response all the same


def _bulk(request: AuthenticatedHttpRequest, pk: int) -> Bulk:
    mine = Bulk.objects.visible_to(request.user).select_related("requested_by")
    return get_object_or_404(mine, pk=pk)


def _page(request: AuthenticatedHttpRequest, rows: Any) -> Page[BulkRow]:
    return Paginator(rows.order_by("number"), PER_PAGE).get_page(asked(request, "page"))


def _form(
    request: AuthenticatedHttpRequest, bulk: Bulk, *, starts: bool = False
) -> WishesForm:
    data = request.POST if request.method == "POST" else None
    count = bulk.rows.waiting().count()
    return FORMS[bulk.kind](data, bulk=bulk, count=count, starts=starts)


def _to_page(request: AuthenticatedHttpRequest, bulk: Bulk) -> HttpResponse:
    """Lead to the page of a bulk change, also from links of a form that came back."""
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return redirect(f"{reverse('mailboxes:bulk-detail', args=[bulk.pk])}{query}")


def _start(request: AuthenticatedHttpRequest, bulk: Bulk) -> HttpResponse:
    form = _form(request, bulk, starts=True)
    if form.is_valid():
        try:
            drafts.start_bulk(bulk=bulk, wishes=form.wishes, actor=request.user)
        except Refused as exc:
            form.add_error(None, str(exc))
        else:
            return redirect("mailboxes:bulk-detail", bulk.pk)
    return _draft(request, bulk, form)


def _draft(
    request: AuthenticatedHttpRequest, bulk: Bulk, form: WishesForm | None
) -> HttpResponse:
    """Show what would happen to each row, and what is left out."""
    rows = bulk.rows.all()
    verdicts = verdicts_of(rows.by_verdict()) if bulk.kind == Bulk.Kind.CREATE else []
    chosen = asked(request, "rows")
    if chosen in {it["value"] for it in verdicts}:
        rows = rows.filter(verdict=chosen)
    elif chosen == "left_out":
        rows = rows.filter(state=BulkRow.State.LEFT_OUT)
    else:
        chosen = ""
    page = _page(request, rows)
    view = BulkView(bulk, bulk.rows.by_state())
    form = form or _form(request, bulk)
    context = {
        "bulk": bulk,
        "view": view,
        "form": form,
        "page": page,
        "rows": effects_of(bulk, page),
        "verdicts": verdicts,
        "chosen": chosen,
        "left_out": view.total - view.wanted,
        "waiting": view.open,
        **(_impacts(request, bulk) if bulk.kind == Bulk.Kind.DELETE else {}),
    }
    status = 422 if form.errors else 200
    return page_or_partial(request, "mailboxes/bulk_draft.html", context, status=status)


def _impacts(request: AuthenticatedHttpRequest, bulk: Bulk) -> dict[str, Any]:
    """Return what goes with mailboxes that are to be deleted, as their queue says it."""
    keys = list(bulk.rows.waiting().values_list("address", flat=True))
    if not keys:
        return {}
    try:
        chosen = requests.subjects(Kind.MAILBOX, keys, request.user)
    except Refused as exc:
        return {"refusal": str(exc)}
    impacts = requests.impacts_of(Kind.MAILBOX, chosen)
    domains = {subject.domain for subject in chosen}
    return {
        "objects": [
            (subject, lines_for(impact, request.user))
            for subject, impact in zip(chosen, impacts, strict=True)
        ],
        "shown": requests.digest(impacts),
        "grace": in_words(policy.grace()),
        "hour": timezone.now() + policy.grace(),
        "needs_approval": policy.needs_second_person(
            Kind.MAILBOX, len(chosen), domains
        ),
    }
