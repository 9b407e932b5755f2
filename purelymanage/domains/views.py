from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.audit.history import history_of
from purelymanage.domains import operations
from purelymanage.domains.models import Domain, SyncRun
from purelymanage.http import asked, page_or_partial

PER_PAGE = 50


@require_safe
@requires(Right.SEE_DOMAINS)
def domain_list(request: AuthenticatedHttpRequest) -> HttpResponse:
    words, health = asked(request, "q"), asked(request, "health")
    found = Domain.objects.visible_to(request.user).present().search(words)
    if health == "healthy":
        found = found.healthy()
    elif health == "unhealthy":
        found = found.unhealthy()
    page = Paginator(found.with_deletion().worst_first(), PER_PAGE).get_page(
        asked(request, "page")
    )
    return page_or_partial(
        request,
        "domains/domain_list.html",
        {
            "page": page,
            "q": words,
            "health": health,
            "filtered": bool(words or health),
            "may_delete": request.user.may(Right.DELETE),
        },
    )


@never_cache
@require_http_methods(["GET", "POST"])
@requires(Right.SEE_MAILBOXES)
def sync_now(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Ask for a sync, or answer the part of a page that waits for its end."""
    if request.method == "POST":
        operations.sync_now(actor=request.user)
    if not request.htmx:
        target = request.POST.get("next", "")
        is_safe = url_has_allowed_host_and_scheme(target, {request.get_host()})
        return redirect(target if is_safe else "/")

    freshness = SyncRun.objects.freshness()
    response = render(request, "components/_freshness.html", {"freshness": freshness})
    if request.method == "GET" and not freshness.running:
        response["HX-Trigger"] = "synced"
    return response


@require_safe
@requires(Right.SEE_DOMAINS)
def domain_detail(request: AuthenticatedHttpRequest, name: str) -> HttpResponse:
    domains = Domain.objects.visible_to(request.user).with_deletion()
    domain = get_object_or_404(domains, name=name.lower())
    context = {
        "domain": domain,
        "history": history_of(domain.name, request.user),
        "may_delete": request.user.may(Right.DELETE),
    }
    return render(request, "domains/domain_detail.html", context)
