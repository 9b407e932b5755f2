"""Batches that a worker is still adding copies to."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from purelymanage.migrations.models import Launch
from purelymanage.migrations.models.batches import BatchQuerySet


def with_adding(batches: BatchQuerySet) -> QuerySet[Any]:
    """Annotate `adding`: how far a launch into a batch is, None where there is none.

    In the same query, as pages ask for it again and again.
    """
    launches = Launch.objects.unfinished().filter(campaign__batch=OuterRef("pk"))
    far = JSONObject(done="done", total="total", campaign="campaign_id")
    found: QuerySet[Any] = batches.annotate(
        adding=Subquery(launches.values(far=far)[:1])
    )
    return found
