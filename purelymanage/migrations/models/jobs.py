from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format

from purelymanage.accounts.models import User
from purelymanage.mailboxes.models import HandOver
from purelymanage.migrations.models.batches import Batch
from purelymanage.migrations.models.servers import EngineChoice, Server
from purelymanage.sealed import SealedTextField


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User) -> Self:
        """Every job, or for a limited person those into mailboxes of their domains."""
        return self.within(user.domain_scope)

    def within(self, scope: Iterable[str] | None) -> Self:
        if scope is None:
            return self
        return self.filter(destination_domain__in=list(scope))

    def into(self, address: str) -> Self:
        """Those into a mailbox of the account, which other servers may have as well."""
        return self.filter(destination=address, destination_server=None)

    def present(self) -> Self:
        return self.filter(removed_at=None)

    def with_untried_login(self) -> Self:
        """Those whose login is still to be tried, or is being tried."""
        untried = [Job.Login.WAITING, Job.Login.TRYING]
        return self.present().filter(login__in=untried)

    def with_due_login(self, at: datetime) -> Self:
        """Those to be tried now, also where whoever began has died; oldest first."""
        due = self.with_untried_login().filter(login_due_at__lte=at)
        return due.order_by("login_due_at", "pk")

    def with_login_under_way(self, at: datetime) -> Self:
        """Those whose login somebody is trying, and has not let wait for too long."""
        return self.filter(login=Job.Login.TRYING, login_due_at__gt=at)

    def with_secret_until(self, at: datetime) -> Self:
        """Those with stored passwords whose date has come by then."""
        stored = self.exclude(source_secret="", destination_secret="")
        return stored.filter(secret_expires_at__lte=at)


class Job(models.Model):
    """A mailbox to be copied into one of the account's or of another server.

    The destination is kept as text because the job outlives what it is about, and the
    domain beside it because rights go by domain.
    """

    class Login(models.TextChoices):
        WAITING = "waiting", "Not tried yet"
        TRYING = "trying", "Being tried"
        RIGHT = "right", "Let in"
        WRONG = "wrong", "Not let in"
        UNKNOWN = "unknown", "No answer"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    server = models.ForeignKey(Server, on_delete=models.PROTECT, related_name="jobs")
    source_user = models.CharField(max_length=254)
    source_secret = SealedTextField(blank=True, bound_to="secret_place")
    secret_expires_at = models.DateTimeField(null=True, blank=True)
    secret_wiped_at = models.DateTimeField(null=True, blank=True)
    # A mailbox of the account, or the user of another server.
    destination = models.CharField(max_length=254)
    destination_domain = models.CharField(max_length=253, blank=True, db_index=True)
    destination_server = models.ForeignKey(
        Server,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="jobs_into_it",
    )
    destination_secret = SealedTextField(
        blank=True, bound_to="destination_secret_place"
    )
    # To be created before the first run that needs it; the owner gets a link.
    creates_destination = models.BooleanField(default=False)
    hand_over = models.ForeignKey(
        HandOver, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, null=True, blank=True, related_name="jobs"
    )
    number = models.PositiveIntegerField(null=True, blank=True)  # of the line
    options = models.JSONField(default=dict, blank=True)  # see options.py
    engine = models.CharField(max_length=10, choices=EngineChoice, default="auto")
    # The higher goes first.
    priority = models.SmallIntegerField(default=0)
    starts_at = models.DateTimeField(null=True, blank=True)

    # Whether the source lets us in, tried before anything runs.
    login = models.CharField(max_length=12, choices=Login, blank=True)
    login_words = models.CharField(max_length=500, blank=True)
    login_tried_at = models.DateTimeField(null=True, blank=True)
    login_tries = models.PositiveSmallIntegerField(default=0)
    # When it may be tried next; while it is being tried, when somebody else may.
    login_due_at = models.DateTimeField(null=True, blank=True)

    owner_told_at = models.DateTimeField(null=True, blank=True)
    # Taken out of the lists; what it did stays known.
    removed_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(source_secret="", destination_secret="")
                | models.Q(secret_expires_at__isnull=False),
                name="stored_passwords_expire",
            )
        ]
        indexes = [
            models.Index(fields=["destination"], name="job_destination"),
            models.Index(fields=["batch", "number"], name="job_batch"),
            models.Index(
                fields=["server", "login_due_at"],
                condition=models.Q(login__in=["waiting", "trying"]),
                name="job_login_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_user} to {self.destination}"

    @property
    def needs_password(self) -> bool:
        """Whether nothing can run before somebody enters the password of the source."""
        return not self.source_secret or self.login == self.Login.WRONG

    @property
    def secret_in_words(self) -> str:
        """Say until when its passwords are kept, or since when they are not."""
        both = self.destination_server_id is not None
        if self.source_secret and self.secret_expires_at is not None:
            kept = "Both passwords are" if both else "The password is"
            day = _day(self.secret_expires_at)
            return (
                f"{kept} kept sealed until the copy is complete, at most until {day}."
            )
        if self.secret_wiped_at is not None:
            gone = "Both passwords were" if both else "The password was"
            return f"{gone} erased on {_day(self.secret_wiped_at)}."
        return "No password is stored."

    @property
    def secret_place(self) -> str:
        """What the sealed password is bound to."""
        return f"migrations.job:{self.uuid}:source_password"

    @property
    def destination_secret_place(self) -> str:
        """What the sealed password of the destination is bound to."""
        return f"migrations.job:{self.uuid}:destination_password"

    @property
    def pair(self) -> str:
        """The two mailboxes; a copy between them never runs twice at once."""
        names = [self.server.host, self.source_user, self.destination]
        if self.destination_server is not None:
            names.append(self.destination_server.host)
        return " ".join(names).lower()


def _day(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j F Y")
