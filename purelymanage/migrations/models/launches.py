from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.migrations.models.campaigns import Campaign

# A step takes a second or two: after so long without one nobody works on it.
SILENCE = timedelta(minutes=1)


class LaunchQuerySet(models.QuerySet["Launch"]):
    def unfinished(self) -> Self:
        return self.filter(finished_at=None)

    def silent(self, at: datetime) -> Self:
        """Those that nobody has gone on with for a while."""
        return self.unfinished().filter(moved_at__lt=at - SILENCE)


class Launch(models.Model):
    """A launch of more people than somebody waits for, made by a worker in steps.

    `done` counts the people of `keys` that were gone through, and moves on in the
    transaction that makes their copies, so that nobody is taken twice or left out.
    """

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="launches"
    )
    # Of those who were ready when somebody pressed the button, in their order.
    keys = models.JSONField()
    merges = models.BooleanField(default=False)
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    copies = models.PositiveIntegerField(default=0)
    # Passwords that no key opens any more.
    unreadable = models.PositiveIntegerField(default=0)
    # Why it ended before everybody was gone through.
    words = models.CharField(max_length=500, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = LaunchQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"],
                condition=models.Q(finished_at=None),
                name="one_launch_at_a_time_per_campaign",
            )
        ]

    def __str__(self) -> str:
        return f"launch of {self.total} in {self.campaign}"

    @property
    def is_under_way(self) -> bool:
        return self.finished_at is None

    @property
    def is_silent(self) -> bool:
        return self.is_under_way and self.moved_at < timezone.now() - SILENCE

    @property
    def mark(self) -> str:
        """Name what is told of it, for pages that ask whether it is another by now."""
        return f"{self.done}-{self.total}-{int(self.is_silent)}"

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total
