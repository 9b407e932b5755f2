from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from purelymanage.mailboxes.models.changes import Change


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def open(self) -> Self:
        return self.exclude(state=FollowUp.State.DONE)

    def due(self, at: datetime) -> Self:
        """Those that are tried by themselves, and nobody works on just now."""
        waiting = self.filter(state=FollowUp.State.WAITING)
        return waiting.filter(not_before__lte=at).order_by("position", "pk")


class FollowUp(models.Model):
    """One thing that has to follow a mailbox to its new name, told by line.

    Written with the change itself, so that nothing is forgotten in a crash.
    """

    # Longer than what the calls of one may take.
    LEASE = timedelta(minutes=5)

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        FAILED = "failed", "Not done"  # until a person tries again

    change = models.ForeignKey(
        Change, on_delete=models.PROTECT, related_name="follow_ups"
    )
    # Which app does it, and what it is about in that app's words.
    follower = models.CharField(max_length=30)
    key = models.CharField(max_length=100)
    position = models.IntegerField(default=0)
    label = models.CharField(max_length=500)
    # Of what the label names: not everybody may read it.
    domain = models.CharField(max_length=253)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    # What was done, or why it was not.
    outcome = models.CharField(max_length=500, blank=True)
    tries = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["change", "follower", "key"], name="one_follow_up_per_object"
            )
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.state})"

    @property
    def is_done(self) -> bool:
        return self.state == self.State.DONE

    @property
    def is_in_work(self) -> bool:
        """Whether it is being done, or will be within moments."""
        return self.state == self.State.WAITING and not self.outcome

    @property
    def is_worth_telling(self) -> bool:
        """Whether a person cares: looking for what there is to do is done silently."""
        return bool(self.key) or not self.is_done
