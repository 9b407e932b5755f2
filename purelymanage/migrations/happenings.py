"""Whether a copy has begun, waits or has ended, or a login was tried.

Told from the newest rows, so that it costs the same however many there are. What was
written first may be committed last, and is no longer the newest once it can be seen:
so several are taken, more than may come while one is being committed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Sum, Value

from purelymanage.accounts.models import User
from purelymanage.http import mark_of
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.models.runs import RunQuerySet, Scope, scope_of
from purelymanage.migrations.together import Together
from purelymanage.prepared import Slot

OVERTAKING = 50
AGO = datetime(2000, 1, 1, tzinfo=UTC)


def mark_of_all(user: User) -> str:
    return mark_of(_of_all(scope_of(user)).read())


def mark_of_batch(user: User, batch: int) -> str:
    return mark_of(_of_batch(scope_of(user)).read(batch=batch))


@lru_cache(maxsize=200)
def _of_all(scope: Scope) -> Together:
    runs: RunQuerySet = Run.objects.within(scope).filter(job__removed_at=None)
    return Together(*_begun_and_ended(runs))


@lru_cache(maxsize=200)
def _of_batch(scope: Scope) -> Together:
    jobs = Job.objects.within(scope).present().filter(batch=Slot("batch"))
    runs: RunQuerySet = Run.objects.within(scope).filter(job__batch=Slot("batch"))
    tried = ExpressionWrapper(F("login_tried_at") - Value(AGO), DurationField())
    logins = jobs.values_list("login").order_by("login")
    return Together(
        logins.annotate(Count("pk"), tried=Sum(tried)),
        *_begun_and_ended(runs),
    )


def _begun_and_ended(runs: RunQuerySet) -> list[Any]:
    """Return what differs after each step of a run: queued, handed, claimed, ended."""
    ended = runs.newest_of_jobs().settled().order_by("-finished_at", "-pk")
    return [
        runs.order_by("-pk").values_list("pk")[:OVERTAKING],
        runs.busy().order_by("pk").values_list("pk", "state", "attempt"),
        ended.values_list("pk")[:OVERTAKING],
    ]
