from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class CreditReading(models.Model):
    """The account's credit in dollars as PurelyMail told it.

    A stretch in which it stays the same is two rows, its beginning and its end.
    """

    amount = models.DecimalField(max_digits=12, decimal_places=4)
    read_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["-read_at"], name="credit_newest")]

    def __str__(self) -> str:
        return f"${self.amount:.2f} on {self.read_at:%Y-%m-%d %H:%M}"


class ErrorKindQuerySet(models.QuerySet["ErrorKind"]):
    def recent(self) -> Self:
        """Kinds that were met not long ago, the newest first."""
        since = Now() - ErrorKind.KEPT_FOR
        return self.filter(last_at__gt=since).order_by("-last_at", "-pk")


class ErrorKind(models.Model):
    """A kind of error: how often it was met, and where and when for the last time."""

    KEPT_FOR = timedelta(days=30)

    kind = models.CharField(max_length=200)
    place = models.CharField(max_length=300)
    count = models.PositiveBigIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    # Of the last time.
    request_id = models.CharField(max_length=64, blank=True)
    task = models.CharField(max_length=200, blank=True)
    host = models.CharField(max_length=253, blank=True)

    objects = ErrorKindQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "place"], name="one_row_per_kind_of_error"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.place}"


class ClusterReportQuerySet(models.QuerySet["ClusterReport"]):
    def alive(self, at: datetime) -> Self:
        return self.filter(heard_at__gt=at - ClusterReport.SILENT_AFTER)


class ClusterReport(models.Model):
    """What a running cluster of workers says about itself with its signs of life."""

    SILENT_AFTER = timedelta(seconds=30)

    cluster = models.CharField(max_length=100)
    host = models.CharField(max_length=253)
    pid = models.PositiveIntegerField()
    began_at = models.DateTimeField()
    heard_at = models.DateTimeField()  # by the clock of the database
    processes = models.PositiveIntegerField(default=0)
    memory = models.PositiveBigIntegerField(default=0)  # bytes of all its processes
    # Of the copies it carries out, by the pk of the run: bytes of memory.
    copies = models.JSONField(default=dict)

    objects = ClusterReportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cluster", "host", "pid"], name="one_report_per_cluster"
            )
        ]

    def __str__(self) -> str:
        return f"{self.cluster} on {self.host}"
