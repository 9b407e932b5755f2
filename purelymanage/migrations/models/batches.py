from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.migrations.models.servers import Server
from purelymanage.sealed import SealedTextField


class BatchQuerySet(models.QuerySet["Batch"]):
    def visible_to(self, user: User) -> Self:
        """Every batch, or for a limited person those all within their domains.

        A draft is nobody's but its maker's.
        """
        mine = self.exclude(~models.Q(created_by=user), confirmed_at=None)
        if user.domain_scope is None:
            return mine
        return mine.filter(domains__contained_by=sorted(user.domain_scope))

    def drafts(self) -> Self:
        return self.filter(confirmed_at=None)

    def confirmed(self) -> Self:
        return self.exclude(confirmed_at=None)

    def held(self, at: datetime) -> Self:
        """Batches of which nothing begins: drafts, paused ones, and those of later."""
        return self.filter(
            models.Q(confirmed_at=None)
            | models.Q(paused_at__isnull=False)
            | models.Q(starts_at__gt=at)
        )


class Batch(models.Model):
    """Jobs that belong together; begins as a draft read from a file.

    What it has come to is computed from its jobs, never stored.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    server = models.ForeignKey(Server, on_delete=models.PROTECT, related_name="batches")
    file_name = models.CharField(max_length=200, blank=True)
    # The cells of the file, sealed as they hold passwords; wiped when it is confirmed.
    sheet = SealedTextField(blank=True, bound_to="sheet_place")
    # How the draft is read: columns, the domain, the options for all its jobs.
    wishes = models.JSONField(default=dict, blank=True)
    # Of the destinations, for the rights of people limited to some.
    domains = models.JSONField(default=list, blank=True)
    # What is asked of it at most; None is without a limit of its own.
    parallel_runs = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    # The higher goes first.
    priority = models.SmallIntegerField(default=0)
    paused_at = models.DateTimeField(null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    # Whether mailbox owners are told when their mail has arrived.
    tells_owners = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    # When the digest of what had ended was sent.
    told_at = models.DateTimeField(null=True, blank=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-confirmed_at"], name="batch_confirmed")]

    def __str__(self) -> str:
        return self.name

    @property
    def sheet_place(self) -> str:
        """What the sealed cells are bound to."""
        return f"migrations.batch:{self.uuid}:sheet"
