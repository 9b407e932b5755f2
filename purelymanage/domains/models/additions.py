from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.domains.dns.names import unicode_name


class AdditionQuerySet(models.QuerySet["Addition"]):
    def visible_to(self, user: User) -> Self:
        if user.domain_scope is None:
            return self
        return self.filter(name__in=user.domain_scope)

    def open(self) -> Self:
        return self.filter(state__in=[Addition.State.WAITING, Addition.State.ADDING])

    def newest_first(self) -> Self:
        return self.order_by("-requested_at", "-pk")

    def due(self, at: datetime) -> Self:
        """Those to look for by `at`."""
        waiting = self.filter(state=Addition.State.WAITING, next_look_at__lte=at)
        return waiting.order_by("next_look_at", "pk")

    def abandoned(self, at: datetime) -> Self:
        """Those whose worker must be gone, so that nobody knows what became of them."""
        return self.filter(
            state=Addition.State.ADDING, claimed_at__lte=at - Addition.ABANDONED_AFTER
        )


class Addition(models.Model):
    """A domain that is added as soon as its ownership record is visible."""

    LASTS = timedelta(days=7)
    ABANDONED_AFTER = timedelta(minutes=5)

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for the record"
        ADDING = "adding", "Being added"
        ADDED = "added", "Added"
        CANCELLED = "cancelled", "Cancelled"
        EXPIRED = "expired", "Not seen in seven days"
        FAILED = "failed", "Refused"

    name = models.CharField(max_length=253)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    # PurelyMail adds a domain with it on; then it is switched off.
    allow_account_reset = models.BooleanField(default=False)
    next_look_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    looks = models.PositiveIntegerField(default=0)  # since its first eager minutes
    expires_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)  # times PurelyMail was asked
    claimed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    # What the last look or try brought, in a sentence.
    note = models.CharField(max_length=500, blank=True)

    objects = AdditionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(state__in=["waiting", "adding"]),
                name="one_open_addition_per_domain",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"],
                condition=models.Q(state="waiting"),
                name="addition_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"

    @property
    def shown(self) -> str:
        """Return the name as people read it."""
        return unicode_name(self.name)

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.ADDING)


class OwnershipCodeQuerySet(models.QuerySet["OwnershipCode"]):
    def current(self) -> str:
        """Return the record's value, or nothing before it was ever read."""
        newest = self.order_by("-read_at").first()
        return newest.value if newest else ""


class OwnershipCode(models.Model):
    """The record that proves whose a domain is: one for the account, so one row.

    Kept, so that showing it asks PurelyMail nothing. It is published in the DNS and no
    secret.
    """

    value = models.CharField(max_length=1_000)
    read_at = models.DateTimeField(default=timezone.now)

    objects = OwnershipCodeQuerySet.as_manager()

    def __str__(self) -> str:
        return self.value
