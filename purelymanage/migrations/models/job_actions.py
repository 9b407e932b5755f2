from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from purelymanage.migrations.models.batches import Batch


class JobActionQuerySet(models.QuerySet["JobAction"]):
    def unfinished(self) -> Self:
        return self.filter(finished_at=None)

    def claimable(self) -> Self:
        """Those that nobody works on, or whose worker has fallen silent."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        return self.unfinished().filter(free)


class JobAction(models.Model):
    """The same thing asked of many jobs of a batch, carried out one by one.

    `done` counts the jobs of `keys` that were gone through, and moves on in the
    transaction that changes the job, so that nothing is done twice or left out.
    """

    class Kind(models.TextChoices):
        PLAN = "plan", "Dry run"
        COPY = "copy", "Run"
        RETRY = "retry", "Retry"
        STOP = "stop", "Stop"
        REMOVE = "remove", "Remove"

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="actions")
    kind = models.CharField(max_length=10, choices=Kind)
    keys = models.JSONField()
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    # The first of them: [key of the job, its destination, the sentence].
    refusals = models.JSONField(default=list)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobActionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(finished_at=None),
                name="one_action_at_a_time_per_batch",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.total} in {self.batch}"

    @property
    def reached(self) -> str:
        """Differs as soon as there is something new to say; another one may be as far."""
        return f"{self.pk}-{self.done}"

    @property
    def carried_out(self) -> int:
        return self.done - self.refused
