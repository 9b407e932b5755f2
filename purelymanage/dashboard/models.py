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


class TokenCheckQuerySet(models.QuerySet["TokenCheck"]):
    def newest(self) -> TokenCheck | None:
        """The one that waits to be carried out, else the last one that was."""
        return self.order_by("-asked_at", "-pk").first()


class TokenCheck(models.Model):
    """A question to PurelyMail whether the token is right, and the answer in words."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"

    # Longer than PurelyMail is waited for.
    STALE_AFTER = timedelta(minutes=1)

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    is_right = models.BooleanField(default=False)
    sentence = models.CharField(max_length=500, blank=True)
    next_step = models.CharField(max_length=300, blank=True)

    objects = TokenCheckQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="waiting"),
                name="one_token_check_waits",
            ),
            models.CheckConstraint(
                condition=models.Q(state="waiting")
                ^ models.Q(settled_at__isnull=False),
                name="settled_token_checks_have_a_date",
            ),
        ]

    def __str__(self) -> str:
        return f"Token check of {self.asked_at:%Y-%m-%d %H:%M} ({self.state})"

    @property
    def is_busy(self) -> bool:
        return self.state == self.State.WAITING and not self.is_stale

    @property
    def is_stale(self) -> bool:
        """Whether it waits for so long that its worker must be gone."""
        return (
            self.state == self.State.WAITING
            and self.asked_at < timezone.now() - self.STALE_AFTER
        )


class SetupManager(models.Manager["Setup"]):
    def present(self) -> Setup:
        """Return the row, or what it would say before anybody did anything."""
        return self.filter(pk=Setup.PK).first() or Setup()

    def locked(self) -> Setup:
        """Return the row for a change, made if need be."""
        self.bulk_create([Setup()], ignore_conflicts=True)
        return self.select_for_update().get(pk=Setup.PK)


class Setup(models.Model):
    """What owners said while they set the panel up. There is one row, or none yet.

    Whether a step is done is not here: that is looked at where it can be seen.
    """

    PK = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=PK)
    put_off = models.JSONField(default=list)  # names of steps
    # Whether mail arrives only people can see.
    mail_arrived_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = SetupManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="one_setup_only")
        ]

    def __str__(self) -> str:
        return "Finished" if self.finished_at else "Under way"
