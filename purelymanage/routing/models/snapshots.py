from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.accounts.models import User


class SnapshotContent(models.Model):
    """The configuration of the whole account at some time, each kept only once.

    `state` holds domains, mailboxes and rules by name, and nothing secret.
    """

    digest = models.CharField(max_length=64, unique=True)
    state = models.JSONField()
    # Of each domain how many mailboxes and rules, as lists need no more than this.
    counts = models.JSONField()

    def __str__(self) -> str:
        return self.digest[:12]

    def counts_for(self, user: User) -> dict[str, int]:
        """Count what somebody may see of it."""
        mine = [it for name, it in self.counts.items() if user.covers(name)]
        return {
            "domains": sum(bool(it["domain"]) for it in mine),
            "mailboxes": sum(it["mailboxes"] for it in mine),
            "rules": sum(it["rules"] for it in mine),
        }

    def state_for(self, user: User) -> dict[str, Any]:
        """Return what somebody may see of it."""
        if user.domain_scope is None:
            whole: dict[str, Any] = self.state
            return whole
        return {
            "domains": {
                name: it
                for name, it in self.state["domains"].items()
                if user.covers(name)
            },
            "mailboxes": {
                address: it
                for address, it in self.state["mailboxes"].items()
                if user.covers(address.rpartition("@")[2])
            },
            "rules": [it for it in self.state["rules"] if user.covers(it["domain"])],
        }


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    def for_list(self) -> Self:
        """Fetch what a list shows, and not the configurations themselves."""
        found = self.select_related("content", "requested_by").defer("content__state")
        return found.order_by("-taken_at", "-pk")

    def before(self, snapshot: Snapshot) -> Self:
        older = models.Q(taken_at__lt=snapshot.taken_at)
        same = models.Q(taken_at=snapshot.taken_at, pk__lt=snapshot.pk)
        return self.filter(older | same).order_by("-taken_at", "-pk")

    def of_day(self, day: date) -> Self:
        return self.filter(day=day)

    def older_than(self, moment: datetime) -> Self:
        return self.filter(taken_at__lt=moment).order_by("taken_at", "pk")


class Snapshot(models.Model):
    """When the configuration was looked at, and what it was then."""

    # After this, the first one of each month is kept.
    DAILY_FOR = timedelta(days=90)

    class Occasion(models.TextChoices):
        DAILY = "daily", "Daily"
        ASKED = "asked", "Taken by hand"
        MAILBOXES = "mailboxes", "Before a bulk change of mailboxes"
        RULES = "rules", "Before a bulk change of rules"
        RESTORE = "restore", "Before a restore"

    content = models.ForeignKey(
        SnapshotContent, on_delete=models.PROTECT, related_name="snapshots"
    )
    occasion = models.CharField(max_length=10, choices=Occasion)
    # Of daily ones, of which there is one each day.
    day = models.DateField(null=True, blank=True, unique=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    taken_at = models.DateTimeField(default=timezone.now)
    # When PurelyMail was last read before: the mirror may lag behind.
    synced_at = models.DateTimeField(null=True)

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-taken_at"], name="snapshot_latest")]

    def __str__(self) -> str:
        return f"the snapshot of {timezone.localtime(self.taken_at):%Y-%m-%d %H:%M}"
