from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_POST, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.errors import Refused
from purelymanage.http import asked, page_or_partial
from purelymanage.routing.models import Snapshot
from purelymanage.routing.operations import many
from purelymanage.routing.operations import snapshots as operations
from purelymanage.routing.snapshots.comparing import compare
from purelymanage.routing.snapshots.presentation import (
    Items,
    rows_of,
    state_now,
)

LISTED = 30
CHOICES = 150
PER_PAGE = 100
TOKENS = 5_000  # that a download is made of at once
NOW = "now"
PARTS = {"rules": "Rules", "mailboxes": "Mailboxes", "domains": "Domains"}


@require_safe
@requires(Right.SEE_ROUTING)
def snapshot_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    found = Snapshot.objects.for_list()
    page = Paginator(found, LISTED).get_page(asked(request, "page"))
    start = (page.number - 1) * LISTED
    rows = rows_of(list(found[start : start + LISTED + 1]), request.user, LISTED)
    context = {
        "page": page,
        "rows": rows,
        "may_manage": request.user.may(Right.MANAGE),
        "is_limited": request.user.domain_scope is not None,
    }
    return page_or_partial(request, "routing/snapshot_list.html", context)


@require_POST
@requires(Right.MANAGE)
def take_snapshot(request: AuthenticatedHttpRequest) -> HttpResponse:
    try:
        snapshot = operations.take_snapshot(actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
        return redirect("routing:snapshot-list")
    return redirect("routing:snapshot-detail", snapshot.pk)


@require_safe
@requires(Right.SEE_ROUTING)
def snapshot_detail(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    snapshot = _snapshot(pk)
    part = asked(request, "part")
    part = part if part in PARTS else "rules"
    state = snapshot.content.state_for(request.user)
    counts = snapshot.content.counts_for(request.user)
    page = Paginator(Items(state, part), PER_PAGE).get_page(asked(request, "page"))
    context = {
        "snapshot": snapshot,
        "counts": counts,
        "parts": [(name, words, counts[name]) for name, words in PARTS.items()],
        "part": part,
        "page": page,
        # Only the whole page says it.
        "since": SimpleLazyObject(lambda: compare(state, state_now(request.user))),
        "older": Snapshot.objects.before(snapshot).first(),
        "may_manage": request.user.may(Right.MANAGE),
        "is_limited": request.user.domain_scope is not None,
    }
    return page_or_partial(request, "routing/snapshot_detail.html", context)


@require_safe
@requires(Right.SEE_ROUTING)
def compare_snapshots(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Say what is different between two, or between one and the present."""
    choices = list(Snapshot.objects.for_list()[:CHOICES])
    before, after = asked(request, "before"), asked(request, "after") or NOW
    chosen = [_chosen(it) for it in (before, after)]
    context: dict[str, Any] = {
        # An old one that is not among the latest can be chosen by its link.
        "choices": choices + [it for it in chosen if it and it not in choices],
        "before": before,
        "after": after,
        "older": chosen[0],
        "newer": chosen[1],
        "is_limited": request.user.domain_scope is not None,
    }
    if chosen[0] and (chosen[1] or after == NOW):
        states = [
            it.content.state_for(request.user) if it else state_now(request.user)
            for it in chosen
        ]
        context["found"] = compare(*states)
    return render(request, "routing/compare_snapshots.html", context)


@require_safe
@requires(Right.SEE_ROUTING)
def download_snapshot(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    snapshot = _snapshot(pk)
    operations.note_download(snapshot=snapshot, actor=request.user)
    whole = {
        "taken_at": snapshot.taken_at.isoformat(),
        "synced_at": snapshot.synced_at and snapshot.synced_at.isoformat(),
        **snapshot.content.state_for(request.user),
    }
    name = f"snapshot-{timezone.localtime(snapshot.taken_at):%Y-%m-%d-%H%M}.json"
    return StreamingHttpResponse(
        _written(whole),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # type: ignore[return-value]  # a response all the same


@require_POST
@requires(Right.MANAGE)
def restore_snapshot(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Draft what brings the rules back. Nothing happens before it is confirmed."""
    snapshot = _snapshot(pk)
    try:
        bulk = many.draft_restore(snapshot=snapshot, actor=request.user)
    except Refused as exc:
        messages.error(request, str(exc))
        return redirect("routing:snapshot-detail", pk)
    return redirect("routing:bulk-detail", bulk.pk)


def _written(whole: dict[str, Any]) -> Iterator[str]:
    """Write it as people read it, and send it while it is written."""
    tokens = json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(whole)
    while piece := "".join(islice(tokens, TOKENS)):
        yield piece


def _snapshot(pk: int) -> Snapshot:
    # Everybody may see each of them, and of its content what they may see at all.
    found = Snapshot.objects.select_related("content", "requested_by")
    return get_object_or_404(found, pk=pk)


def _chosen(text: str) -> Snapshot | None:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        return None
    return Snapshot.objects.select_related("content").filter(pk=text).first()
