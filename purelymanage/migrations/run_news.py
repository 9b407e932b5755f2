"""What the page of a run asks for every second or two."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django.db.models import Exists, OuterRef

from purelymanage.accounts.models import User
from purelymanage.migrations.models import Run, RunFolder
from purelymanage.migrations.models.runs import Scope, scope_of
from purelymanage.prepared import Prepared, Slot


def newest_of_job(user: User, job: int) -> Any:
    """Return the newest run of a job, with `has_failed_folder`, or None."""
    return _newest_of_job(scope_of(user)).first(job=job)


def folders_since(run: Run, since: datetime) -> list[RunFolder]:
    """Return what was written of the folders of a run later than `since`."""
    return _folders_since().ask(run=run.pk, since=since)


def written_last(folders: Iterable[RunFolder]) -> datetime | None:
    return max((it.written_at for it in folders if it.written_at), default=None)


@lru_cache(maxsize=200)
def _newest_of_job(scope: Scope) -> Prepared[Any]:
    runs = Run.objects.within(scope).newest_of_jobs().filter(job=Slot("job"))
    failed = RunFolder.objects.filter(run=OuterRef("pk"), state=RunFolder.State.FAILED)
    return Prepared(
        runs.with_all_of_job().defer("log").annotate(has_failed_folder=Exists(failed))
    )


@cache
def _folders_since() -> Prepared[RunFolder]:
    folders = RunFolder.objects.filter(run=Slot("run"), written_at__gt=Slot("since"))
    return Prepared(folders.order_by("position"))
