from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.mailboxes.models.bulks import (
    Bulk,
    BulkRow,
    BulkRowsQuerySet,
    BulksQuerySet,
)
from purelymanage.routing.models.snapshots import Snapshot


class RuleBulkQuerySet(BulksQuerySet["RuleBulk"]):
    pass


class RuleBulk(models.Model):
    """A change of many rules, carried out one by one in the background.

    Begins as a draft that shows what would happen to each.
    """

    State = Bulk.State

    class Kind(models.TextChoices):
        TEMPLATE = "template", "One rule over many domains"
        IMPORT = "import", "Import"
        RESTORE = "restore", "Restore"

    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    # What the forms said, to show and to change it.
    wishes = models.JSONField(default=dict)
    # The cells of a file until it starts.
    sheet = models.JSONField(null=True, blank=True)
    file_name = models.CharField(max_length=200, blank=True)
    snapshot = models.ForeignKey(
        Snapshot, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
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

    objects = RuleBulkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.requested_at:%Y-%m-%d %H:%M}"

    @property
    def name(self) -> str:
        """What it is called in the audit log."""
        return f"bulk change of rules {self.pk}"

    @property
    def is_draft(self) -> bool:
        return self.state == RuleBulk.State.DRAFT

    @property
    def is_running(self) -> bool:
        return self.state == RuleBulk.State.RUNNING


class RuleBulkRowQuerySet(BulkRowsQuerySet["RuleBulkRow"]):
    def in_turn(self) -> Self:
        """As any rows; but deletions are last, so that no mail is without a rule."""
        left_behind = models.When(state=RuleBulkRow.State.WORKING, then=0)
        removed = models.When(verdict=RuleBulkRow.Verdict.REMOVED, then=2)
        return self.open().order_by(
            models.Case(left_behind, removed, default=1), "tries", "number"
        )

    def to_delete(self) -> Self:
        return self.open().filter(verdict=RuleBulkRow.Verdict.REMOVED)


class RuleBulkRow(models.Model):
    """One rule of a bulk change, and what became of it."""

    State = BulkRow.State

    class Verdict(models.TextChoices):
        """What a row means for the account."""

        NEW = "new", "New"
        CHANGED = "changed", "Changed"
        REMOVED = "removed", "Removed"
        SAME = "same", "Same"
        ERROR = "error", "Error"

    bulk = models.ForeignKey(RuleBulk, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()  # of the line in the file, or in the plan
    pattern = models.CharField(max_length=320)
    domain = models.CharField(max_length=253, blank=True)
    # As the API takes them: domain, match_user, prefix, catchall, targets.
    old = models.JSONField(null=True, blank=True)
    new = models.JSONField(null=True, blank=True)
    # What the panel keeps of it by itself: note, ends_on.
    wishes = models.JSONField(default=dict)
    verdict = models.CharField(max_length=10, choices=Verdict)
    # Pairs of a column's name and a sentence.
    faults = models.JSONField(default=list)
    # Pairs of a tone and a sentence: what the checks say of the rule.
    warnings = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=500, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    # How often PurelyMail did not answer while this was done.
    tries = models.PositiveIntegerField(default=0)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = RuleBulkRowQuerySet.as_manager()

    class Meta:
        ordering = ["bulk", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["bulk", "number"], name="one_row_per_line_of_a_rule_bulk"
            )
        ]
        indexes = [models.Index(fields=["bulk", "state"], name="rule_bulk_row_state")]

    def __str__(self) -> str:
        return f"{self.pattern} ({self.state})"
