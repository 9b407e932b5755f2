from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from purelymanage.sealed import SealedTextField

# A worker that is silent for longer than any of its tasks may take is dead.
LOST_AFTER = timedelta(minutes=10)
STUCK_AFTER = 3  # tries
KEPT_FOR = timedelta(days=30)
LONGEST_PAUSE = timedelta(hours=4)  # between two tries
SLACK = timedelta(minutes=2)  # that two clocks may differ by


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def waiting(self) -> Self:
        return self.filter(state=OutgoingMail.State.WAITING)

    def due(self, at: datetime) -> Self:
        """Mail to try at `at`, the longest waiting first."""
        return self.waiting().filter(next_try_at__lte=at).order_by("next_try_at", "pk")

    def stuck(self) -> Self:
        """Mail that was tried several times in vain, the longest waiting first."""
        return self.waiting().filter(tries__gte=STUCK_AFTER).order_by("pk")

    def lost(self, at: datetime) -> Self:
        """Mail whose worker has died; perhaps it went out, perhaps not."""
        return self.filter(
            state=OutgoingMail.State.SENDING, claimed_at__lt=at - LOST_AFTER
        )

    def from_later(self, at: datetime) -> Self:
        """Mail that waits by a clock that was ahead and was set right."""
        queued = models.Q(queued_at__gt=at + SLACK)
        return self.waiting().filter(
            queued | models.Q(next_try_at__gt=at + LONGEST_PAUSE + SLACK)
        )

    def forgettable(self, at: datetime) -> Self:
        """Mail that was settled so long ago that nobody asks about it."""
        return self.filter(settled_at__lt=at - KEPT_FOR)


class OutgoingMail(models.Model):
    """A mail on its way out, written in the transaction that makes it necessary.

    Its body may hold a link that opens the panel: it is sealed, and erased as soon as
    the mail has gone or was given up.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    recipient = models.EmailField()
    subject = models.CharField(max_length=200)
    sealed = SealedTextField(blank=True, bound_to="place")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField(default=timezone.now)
    next_try_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "outgoing mail"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "sending"])
                ^ models.Q(settled_at__isnull=False),
                name="settled_mail_has_a_date",
            ),
            models.CheckConstraint(
                condition=models.Q(settled_at=None) | models.Q(sealed=""),
                name="settled_mail_has_no_body",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(state="waiting"),
                name="mail_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {self.recipient} ({self.state})"

    @property
    def place(self) -> str:
        """What the sealed body is bound to."""
        return f"mail:{self.uuid}"
