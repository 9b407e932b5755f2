from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.imap.account import Account, Security


class EngineChoice(models.TextChoices):
    AUTO = "auto", "Whatever the panel prefers"
    PIPELINE = "pipeline", "Pipeline"
    IMAPSYNC = "imapsync", "imapsync"


class ServerQuerySet(models.QuerySet["Server"]):
    def visible_to(self, user: User) -> Self:
        """Every server: they belong to no domain, so everybody may choose from them."""
        return self if user.may(Right.SEE_MIGRATIONS) else self.none()

    def editable_by(self, user: User) -> Self:
        """What somebody may change; not limited people, as others' copies use them."""
        return self if may_edit_servers(user) else self.none()

    def present(self) -> Self:
        return self.filter(removed_at=None)

    def with_use(self) -> Self:
        """Annotate `running`, `copies_from`, `copies_into` and `bytes_today`."""
        # Both refer to servers.
        from purelymanage.migrations.models.jobs import Job
        from purelymanage.migrations.models.runs import Run

        def number(rows: models.QuerySet[Any], key: str) -> Coalesce:
            mine = rows.filter(**{key: models.OuterRef("pk")}).order_by()
            counted = mine.values(key).annotate(number=models.Count("pk"))
            return Coalesce(models.Subquery(counted.values("number")), 0)

        open_runs, jobs = Run.objects.open(), Job.objects.present()
        days = ServerDay.objects.of_servers(datetime.now(UTC).date())
        days = days.filter(server=models.OuterRef("pk"))
        return self.annotate(
            running=number(open_runs, "job__server")
            + number(open_runs, "job__destination_server"),
            copies_from=number(jobs, "server"),
            copies_into=number(jobs, "destination_server"),
            bytes_today=Coalesce(models.Subquery(days.values("bytes")), 0),
        )


def may_edit_servers(user: User) -> bool:
    return user.may(Right.MANAGE) and user.domain_scope is None


class Server(models.Model):
    """A mail server that mailboxes are copied from, and how it is reached."""

    class Protection(models.TextChoices):
        TLS = Security.TLS.value, "TLS"
        STARTTLS = Security.STARTTLS.value, "STARTTLS"
        CLEAR = Security.CLEAR.value, "None, everything in clear text"

    name = models.CharField(max_length=100)
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(
        default=993, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    security = models.CharField(
        max_length=10, choices=Protection, default=Protection.TLS
    )
    verify_certificate = models.BooleanField(default=True)
    preset = models.CharField(max_length=20, blank=True)
    engine = models.CharField(max_length=10, choices=EngineChoice, default="auto")
    # What is asked of this server at most; None is without a limit of its own.
    parallel_runs = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    bytes_a_day = models.PositiveBigIntegerField(null=True, blank=True)
    # The same of each of its mailboxes.
    bytes_a_day_each = models.PositiveBigIntegerField(null=True, blank=True)
    messages_a_second = models.FloatField(null=True, blank=True)
    # Hours in which nothing begins and what runs makes a pause, by local time.
    pause_from = models.TimeField(null=True, blank=True)
    pause_until = models.TimeField(null=True, blank=True)
    # Folders that are not copied from here; `*` stands for any characters.
    left_out_folders = models.JSONField(default=list, blank=True)
    # What the last test of this server said.
    tested_at = models.DateTimeField(null=True, blank=True)
    test_passed = models.BooleanField(null=True, blank=True)
    test_sentence = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    # Taken out of the lists; what was copied from it stays known.
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ServerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                condition=models.Q(removed_at=None),
                name="one_server_per_name",
            ),
            models.CheckConstraint(
                condition=~(models.Q(pause_from=None) ^ models.Q(pause_until=None)),
                name="server_pauses_have_both_ends",
            ),
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_protected(self) -> bool:
        """Whether nobody on the way can read along or pretend to be this server."""
        return self.security != self.Protection.CLEAR and self.verify_certificate

    @property
    def doubt(self) -> str:
        """What speaks against this server before anything is copied from it."""
        if self.test_passed is None:
            return "not tested"
        return "" if self.test_passed else "did not pass its last test"

    def account(self, user: str, password: str) -> Account:
        return Account(
            host=self.host,
            port=self.port,
            user=user,
            password=password,
            security=Security(self.security),
            verify_certificate=self.verify_certificate,
            ca_file=settings.IMAP_CA_FILE,
        )


class ServerDayQuerySet(models.QuerySet["ServerDay"]):
    def of_servers(self, day: date) -> Self:
        """What all mailboxes of a server come to together."""
        return self.filter(day=day, user="")


class ServerDay(models.Model):
    """How much was copied from or into a server on one day (UTC).

    With a `user` it is that of one mailbox, counted where each has a limit of its own.
    What attempts under way have taken leave for counts as copied, see allowance.py.
    """

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="days")
    user = models.CharField(max_length=254, blank=True)
    day = models.DateField()
    bytes = models.PositiveBigIntegerField(default=0)

    objects = ServerDayQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["server", "user", "day"], name="one_row_per_day_of_a_server"
            )
        ]

    def __str__(self) -> str:
        return f"{self.server} on {self.day}"
