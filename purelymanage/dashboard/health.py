"""Whether the panel works, for whoever starts it or watches over it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from purelymanage.accounts.permissions import (
    AuthenticatedHttpRequest,
    Right,
    requires,
)
from purelymanage.dashboard import facts
from purelymanage.dashboard.facts import Vitals, Waiting
from purelymanage.dashboard.panel_health import panel_health as health_of_panel
from purelymanage.http import page_or_partial

# What programs ask for.
PATHS = {"/healthz", "/metrics"}


class WatcherMiddleware:
    """Let nobody be somebody where programs ask: that would take the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PATHS:
            request.COOKIES.clear()
        return self.get_response(request)


@never_cache
@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 where everything works and 503 where something does not.

    Strangers may ask, so it tells states and ages, and neither names nor reasons.
    """
    vitals = facts.vitals_in_time()
    return JsonResponse(told(vitals), status=200 if vitals.is_well else 503)


@never_cache
@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus, which has to know the token; without one nobody does."""
    token: str = settings.METRICS_TOKEN
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_right = constant_time_compare(given.strip(), token)
    if not token or scheme.lower() != "bearer" or not is_right:
        answer = HttpResponse("A token is needed.\n", "text/plain", status=401)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    # Few ask for them, and all would load what it takes.
    from prometheus_client.exposition import choose_encoder

    from purelymanage.dashboard.metrics import PanelCollector, read_in_time

    encode, kind = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(PanelCollector(read_in_time())), kind)


@never_cache
@require_safe
@requires(Right.MANAGE)
def panel_health(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Answer the page for people, or its live part."""
    context = health_of_panel(request.user)
    return page_or_partial(request, "dashboard/panel_health.html", context)


def told(vitals: Vitals) -> dict[str, Any]:
    database = vitals.database
    found: dict[str, Any] = {
        "ok": vitals.is_well,
        "problems": vitals.problems,
        "warnings": vitals.warnings,
        "database": database.is_reachable,
        "migrated": database.is_migrated,
    }
    if not database.is_migrated:
        return found
    return found | {
        "clock_ahead_seconds": round(database.clock_ahead.total_seconds(), 3),
        "clusters": vitals.clusters,
        "tasks": {name: _queue(it) for name, it in vitals.tasks.items()},
        "sync": _sync(vitals),
        "mail": _queue(vitals.mail) | {"given_up": vitals.mail_given_up},
    }


def _queue(waiting: Waiting) -> dict[str, int | None]:
    return {"waiting": waiting.count, "oldest_seconds": _seconds(waiting.oldest)}


def _sync(vitals: Vitals) -> dict[str, Any]:
    sync, synced_at = vitals.sync, vitals.synced_at
    return {
        "seconds_ago": _seconds(vitals.at - synced_at if synced_at else None),
        "running": sync is not None and sync.running,
        "failed": sync is not None and sync.failed_at is not None,
    }


def _seconds(age: timedelta | None) -> int | None:
    return None if age is None else max(0, int(age.total_seconds()))
