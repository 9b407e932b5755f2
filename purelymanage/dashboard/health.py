"""Whether the panel works, for whoever starts it or watches over it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from purelymanage.broker import CLUSTERS, silent_clusters
from purelymanage.domains.models import SyncRun

_is_migrated = False  # once true for as long as this process runs


@never_cache
@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 where everything works and 503 where something does not.

    Strangers may ask, so it tells states and ages, and neither names nor reasons.
    """
    answer: dict[str, Any] = {"database": False, "migrated": False}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        answer["database"] = True
        answer["migrated"] = _migrated()
        if answer["migrated"]:
            silent = silent_clusters()
            answer["clusters"] = {name: name not in silent for name in CLUSTERS}
            answer["sync"] = _sync()
    except DatabaseError:
        answer["database"] = False
    answer["ok"] = answer["migrated"] and all(answer.get("clusters", {}).values())
    return JsonResponse(answer, status=200 if answer["ok"] else 503)


def _migrated() -> bool:
    global _is_migrated
    if not _is_migrated:
        executor = MigrationExecutor(connection)
        targets = executor.loader.graph.leaf_nodes()
        _is_migrated = not executor.migration_plan(targets)
    return _is_migrated


def _sync() -> dict[str, Any]:
    freshness = SyncRun.objects.freshness()
    age = None
    if freshness.synced_at:
        age = int((timezone.now() - freshness.synced_at).total_seconds())
    return {
        "seconds_ago": age,
        "running": freshness.running,
        "failed": freshness.failed_at is not None,
    }
