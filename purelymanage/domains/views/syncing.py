from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.domains import operations
from purelymanage.domains.models import SyncRun
from purelymanage.http import go_back, has_seen, no_news


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.SEE_MAILBOXES)
def sync_now(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Ask for a sync, or answer the part of a page that waits for its end."""
    if request.method == "POST":
        operations.sync_now(actor=request.user)
    if not request.htmx:
        target = request.POST.get("next", "")
        return go_back(target, otherwise="/")

    freshness = SyncRun.objects.freshness()
    if request.method == "GET" and has_seen(request, freshness.mark):
        return no_news()
    response = render(request, "components/_freshness.html", {"freshness": freshness})
    if request.method == "GET" and not freshness.running:
        response["HX-Trigger"] = "synced"
    return response
