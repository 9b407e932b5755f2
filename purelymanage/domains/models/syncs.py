from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone


@dataclass(frozen=True)
class Freshness:
    """What a page says about the age of the mirror."""

    synced_at: datetime | None
    failed_at: datetime | None  # where the last sync failed
    reason: str
    running: bool

    @property
    def mark(self) -> str:
        """Name this state, for pages that ask whether it is another by now."""
        times = (it.timestamp() if it else 0 for it in (self.synced_at, self.failed_at))
        return "-".join(map(str, (int(self.running), *times)))


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def freshness(self) -> Freshness:
        """Return when the mirror was last right and what became of it since."""
        # By their order: a clock that was set back knows no newest.
        newest = self.order_by("state", "-pk").distinct("state")
        runs = {run.state: run for run in newest}
        done, failed = runs.get(SyncRun.State.DONE), runs.get(SyncRun.State.FAILED)
        active = [runs.get(SyncRun.State.QUEUED), runs.get(SyncRun.State.RUNNING)]
        if failed and done and done.pk > failed.pk:
            failed = None
        return Freshness(
            synced_at=done.finished_at if done else None,
            failed_at=failed.finished_at if failed else None,
            reason=failed.reason if failed else "",
            running=any(run is not None and not run.is_stale for run in active),
        )


class SyncRun(models.Model):
    """One reading of the account, and what came of it."""

    # Longer than the queue lets any task run.
    STALE_AFTER = timedelta(minutes=10)

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    summary = models.CharField(max_length=500, blank=True)
    # How many of each list have been read while the rest is still on its way.
    arrived = models.JSONField(null=True)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="running"),
                name="one_sync_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="queued"),
                name="one_sync_waits",
            ),
        ]
        indexes = [models.Index(fields=["-finished_at"], name="sync_newest")]

    def __str__(self) -> str:
        return f"Sync of {self.started_at:%Y-%m-%d %H:%M} ({self.state})"

    @property
    def is_stale(self) -> bool:
        """Whether it has not been worked on for so long that its worker must be gone."""
        return abs(timezone.now() - self.started_at) > self.STALE_AFTER
