from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.deletions.models import Kind, open_hour, open_state

# The worst to fail first: without MX no mail arrives.
VERDICTS = ("passes_mx", "passes_spf", "passes_dkim", "passes_dmarc")


class DomainQuerySet(models.QuerySet["Domain"]):
    def visible_to(self, user: User) -> Self:
        """Every domain, or for a limited person their own."""
        if user.domain_scope is None:
            return self
        return self.filter(name__in=user.domain_scope)

    def present(self) -> Self:
        """Domains that PurelyMail listed at the last sync."""
        return self.filter(gone_at=None)

    def with_deletion(self) -> Self:
        """Annotate what is to be deleted with `deletion_state` and `delete_after`."""
        return self.annotate(
            deletion_state=open_state(Kind.DOMAIN, "name", "name"),
            delete_after=open_hour(Kind.DOMAIN, "name", "name"),
        )

    def search(self, words: str) -> Self:
        """Domains whose name contains each of the words."""
        found = self
        for word in words.split():
            found = found.filter(name__icontains=word)
        return found

    def healthy(self) -> Self:
        return self.filter(**dict.fromkeys(VERDICTS, True))

    def unhealthy(self) -> Self:
        return self.exclude(**dict.fromkeys(VERDICTS, True))

    def worst_first(self) -> Self:
        return self.order_by(*VERDICTS, "name")


class Domain(models.Model):
    """A domain of the account as PurelyMail last told it."""

    name = models.CharField(max_length=253, unique=True)
    is_shared = models.BooleanField(default=False)
    allow_account_reset = models.BooleanField(default=True)
    symbolic_subaddressing = models.BooleanField(default=True)
    passes_mx = models.BooleanField(default=False)
    passes_spf = models.BooleanField(default=False)
    passes_dkim = models.BooleanField(default=False)
    passes_dmarc = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = DomainQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def records(self) -> list[tuple[str, bool]]:
        """The four kinds of record and whether PurelyMail is content with each."""
        return [
            ("MX", self.passes_mx),
            ("SPF", self.passes_spf),
            ("DKIM", self.passes_dkim),
            ("DMARC", self.passes_dmarc),
        ]

    @property
    def is_healthy(self) -> bool:
        return all(passes for _, passes in self.records)

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Each kind of record with its state: PurelyMail needs MX and SPF."""
        needed = ("MX", "SPF")
        return [
            (kind, "good" if passes else "broken" if kind in needed else "attention")
            for kind, passes in self.records
        ]

    @property
    def tone(self) -> str:
        tones = {tone for _, tone in self.cells}
        return next(t for t in ("broken", "attention", "good") if t in tones)

    @property
    def verdict(self) -> str:
        """PurelyMail's view of the records in a few words."""
        wrong = [kind for kind, passes in self.records if not passes]
        if not wrong:
            return "Healthy"
        if not self.passes_mx:
            return "Mail does not arrive"
        *most, last = wrong
        names = f"{', '.join(most)} and {last}" if most else last
        return f"{names} {'fail' if most else 'fails'}"


@dataclass(frozen=True)
class Freshness:
    """What a page says about the age of the mirror."""

    synced_at: datetime | None
    failed_at: datetime | None  # where the last sync failed
    reason: str
    running: bool


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def freshness(self) -> Freshness:
        """Return when the mirror was last right and what became of it since."""
        newest = self.order_by("state", "-started_at").distinct("state")
        runs = {run.state: run for run in newest}
        done, failed = runs.get(SyncRun.State.DONE), runs.get(SyncRun.State.FAILED)
        active = [runs.get(SyncRun.State.QUEUED), runs.get(SyncRun.State.RUNNING)]
        if failed and done and done.started_at > failed.started_at:
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
        return self.started_at < timezone.now() - self.STALE_AFTER
