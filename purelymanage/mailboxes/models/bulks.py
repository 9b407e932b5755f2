from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.mailboxes.models.hand_overs import HandOver


class BulkQuerySet(models.QuerySet["Bulk"]):
    def visible_to(self, user: User) -> Self:
        """Every bulk change, or for a limited person those all within their domains."""
        if user.domain_scope is None:
            return self
        return self.filter(domains__contained_by=sorted(user.domain_scope))


class Bulk(models.Model):
    """One change of many mailboxes, carried out row by row in the background.

    Begins as a draft: what was selected or read from a file, to be looked through.
    """

    # Of no use to anybody after this: the rows may hold sealed passwords.
    DRAFT_LIFE = timedelta(hours=24)

    class Kind(models.TextChoices):
        CREATE = "create", "Create"
        RESET = "reset", "Reset passwords"
        FLAGS = "flags", "Set flags"
        TAG = "tag", "Tag"
        DELETE = "delete", "Delete"

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped"  # can be resumed
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    # What is wanted of each row: flags, tags, defaults of the form.
    wishes = models.JSONField(default=dict)
    file_name = models.CharField(max_length=200, blank=True)
    domains = models.JSONField(default=list)
    reason = models.CharField(max_length=500, blank=True)  # why it stopped
    failures_in_a_row = models.PositiveIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = BulkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.requested_at:%Y-%m-%d %H:%M}"


class BulkRowQuerySet(models.QuerySet["BulkRow"]):
    def waiting(self) -> Self:
        return self.filter(state=BulkRow.State.WAITING)

    def failed(self) -> Self:
        return self.filter(state=BulkRow.State.FAILED)


class BulkRow(models.Model):
    """One mailbox of a bulk change, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        WORKING = "working", "Being done"
        DONE = "done", "Done"
        SAME = "same", "Already so"
        FAILED = "failed", "Failed"
        LEFT_OUT = "left_out", "Left out"

    bulk = models.ForeignKey(Bulk, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()  # of the line in the file, or in the choice
    address = models.CharField(max_length=300)
    wishes = models.JSONField(default=dict)  # of this row alone
    secret = models.TextField(blank=True)  # sealed password, wiped when used
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=500, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    hand_over = models.ForeignKey(
        HandOver, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = BulkRowQuerySet.as_manager()

    class Meta:
        ordering = ["bulk", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["bulk", "number"], name="one_row_per_line_of_a_bulk"
            )
        ]

    def __str__(self) -> str:
        return f"{self.address} ({self.state})"

    @property
    def secret_place(self) -> str:
        """What the sealed password is bound to."""
        return f"mailboxes.bulk_row:{self.bulk_id}:{self.number}:secret"
