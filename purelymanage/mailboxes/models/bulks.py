from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.mailboxes.models.hand_overs import HandOver
from purelymanage.sealed import SealedTextField

B = TypeVar("B", bound=models.Model)
R = TypeVar("R", bound=models.Model)


class BulksQuerySet(models.QuerySet[B]):
    """What is asked of bulk changes, whatever they change."""

    def visible_to(self, user: User) -> Self:
        """Every bulk change, or for a limited person those all within their domains.

        A draft is nobody's but its maker's.
        """
        mine = self.exclude(~models.Q(requested_by=user), state=Bulk.State.DRAFT)
        if user.domain_scope is None:
            return mine
        return mine.filter(domains__contained_by=sorted(user.domain_scope))

    def drafts(self) -> Self:
        return self.filter(state=Bulk.State.DRAFT)

    def forgotten(self, at: datetime) -> Self:
        """Drafts that nobody started for too long."""
        return self.drafts().filter(requested_at__lt=at - Bulk.DRAFT_LIFE)

    def running(self) -> Self:
        return self.filter(state=Bulk.State.RUNNING)

    def free(self, at: datetime) -> Self:
        """Those that run and that no worker holds, or none that is still alive."""
        return self.running().filter(
            models.Q(lease_until=None) | models.Q(lease_until__lt=at)
        )

    def held_by(self, bulk: Any) -> Self:
        """This bulk, as long as the attempt that `bulk` was claimed for holds it."""
        return self.running().filter(pk=bulk.pk, attempt=bulk.attempt)

    def counts_of(self, bulks: Iterable[B]) -> dict[int, dict[str, int]]:
        """Count the rows in each state of several at once."""
        found: dict[int, dict[str, int]] = {}
        mine = self.filter(pk__in=[bulk.pk for bulk in bulks]).order_by()
        counted = mine.values_list("pk", "rows__state")
        for pk, state, count in counted.annotate(models.Count("rows")):
            if count:
                found.setdefault(pk, {})[state] = count
        return found


class BulkQuerySet(BulksQuerySet["Bulk"]):
    def with_old_secrets(self, at: datetime) -> Self:
        """Ended or stopped ones whose rows had their time to be tried again."""
        before = at - Bulk.SECRETS_LIFE
        stopped = models.Q(state=Bulk.State.STOPPED, started_at__lt=before)
        return self.filter(stopped | models.Q(settled_at__lt=before))


class Bulk(models.Model):
    """One change of many mailboxes, carried out row by row in the background.

    Begins as a draft: what was selected or read from a file, to be looked through.
    """

    # Of no use to anybody after this: the rows may hold sealed passwords.
    DRAFT_LIFE = timedelta(hours=24)
    # Failed rows can be tried again with the same password for as long as this.
    SECRETS_LIFE = timedelta(hours=72)
    # Longer than any row may take, with all its calls.
    LEASE = timedelta(minutes=4)

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
    # The cells of a file, sealed as they may hold passwords; wiped when it starts.
    sheet = SealedTextField(blank=True, bound_to="sheet_place")
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

    @property
    def name(self) -> str:
        """What it is called in the audit log."""
        return f"bulk change {self.pk}"

    @property
    def sheet_place(self) -> str:
        """What the sealed cells are bound to."""
        return f"mailboxes.bulk:{self.uuid}:sheet"

    @property
    def is_draft(self) -> bool:
        return self.state == Bulk.State.DRAFT

    @property
    def is_running(self) -> bool:
        return self.state == Bulk.State.RUNNING


class BulkRowsQuerySet(models.QuerySet[R]):
    """What is asked of the rows of bulk changes, whatever they change."""

    def waiting(self) -> Self:
        return self.filter(state=BulkRow.State.WAITING)

    def failed(self) -> Self:
        return self.filter(state=BulkRow.State.FAILED)

    def open(self) -> Self:
        """Those that are still to be done, or whose worker may have died."""
        return self.filter(state__in=[BulkRow.State.WAITING, BulkRow.State.WORKING])

    def in_turn(self) -> Self:
        """What a dead worker left behind first; what had trouble goes to the end."""
        left_behind = models.When(state=BulkRow.State.WORKING, then=0)
        return self.open().order_by(
            models.Case(left_behind, default=1), "tries", "number"
        )

    def left_behind(self, at: datetime) -> Self:
        """Those that a dead worker was at when the rest was cancelled."""
        nobody = models.Q(bulk__lease_until=None) | models.Q(bulk__lease_until__lt=at)
        return self.filter(
            nobody, state=BulkRow.State.WORKING, bulk__state=Bulk.State.CANCELLED
        )

    def by_state(self) -> dict[str, int]:
        """Count the rows in each state."""
        counted = self.order_by().values_list("state").annotate(models.Count("pk"))
        return dict(counted)

    def by_verdict(self) -> dict[str, int]:
        counted = self.order_by().values_list("verdict").annotate(models.Count("pk"))
        return dict(counted)


class BulkRowQuerySet(BulkRowsQuerySet["BulkRow"]):
    pass


class BulkRow(models.Model):
    """One mailbox of a bulk change, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        WORKING = "working", "Being done"
        DONE = "done", "Done"
        SAME = "same", "Already so"
        FAILED = "failed", "Failed"
        LEFT_OUT = "left_out", "Left out"

    class Verdict(models.TextChoices):
        """What a line of a file means for the account."""

        NEW = "new", "New"
        CHANGED = "changed", "Changed"
        SAME = "same", "Same"
        ERROR = "error", "Error"

    bulk = models.ForeignKey(Bulk, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()  # of the line in the file, or in the choice
    address = models.CharField(max_length=300)
    wishes = models.JSONField(default=dict)  # of this row alone
    verdict = models.CharField(max_length=10, choices=Verdict, blank=True)
    # Of a line in a file: pairs of a column's name and a sentence.
    faults = models.JSONField(default=list)
    # A password, wiped when it is used.
    secret = SealedTextField(blank=True, bound_to="secret_place")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=500, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    # How often PurelyMail did not answer while this was done.
    tries = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
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
        indexes = [models.Index(fields=["bulk", "state"], name="bulk_row_state")]

    def __str__(self) -> str:
        return f"{self.address} ({self.state})"

    @property
    def secret_place(self) -> str:
        """What the sealed password is bound to."""
        return f"mailboxes.bulk_row:{self.bulk_id}:{self.number}:secret"
