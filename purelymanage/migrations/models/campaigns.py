from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.models.invitations import hash_token
from purelymanage.migrations.models.batches import Batch
from purelymanage.migrations.models.servers import Server
from purelymanage.sealed import SealedTextField


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def visible_to(self, user: User) -> Self:
        """Every campaign, or for a limited person those all within their domains."""
        if user.domain_scope is None:
            return self
        return self.filter(domains__contained_by=sorted(user.domain_scope))

    def of_token(self, token: str) -> Campaign | None:
        found = self.select_related("server").filter(token_hash=hash_token(token))
        return found.first()

    def open(self, at: datetime) -> Self:
        """Those that take passwords: neither closed nor over."""
        return self.filter(closed_at=None, ends_at__gt=at)

    def to_purge(self, at: datetime) -> Self:
        """Those that ended so long ago that nothing of their people is needed."""
        before = at - Campaign.KEPT
        ended = models.Q(closed_at__lte=before) | models.Q(ends_at__lte=before)
        return self.filter(ended, purged_at=None)


class Campaign(models.Model):
    """Asks mailbox owners for the passwords of their old mailboxes, by links.

    A week after its end everything about its people is erased; the row stays, so that
    its link goes on saying that it is over.
    """

    KEPT = timedelta(days=7)

    class Rule(models.TextChoices):
        SAME = "same", "The same name at a domain"
        MAPPED = "mapped", "As a table says"
        REVIEWED = "reviewed", "Chosen at the review"

    class Language(models.TextChoices):
        ENGLISH = "en", "English"
        GERMAN = "de", "Deutsch"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    server = models.ForeignKey(
        Server, on_delete=models.PROTECT, related_name="campaigns"
    )
    rule = models.CharField(max_length=10, choices=Rule, default=Rule.SAME)
    # Where `rule` is the same name.
    destination_domain = models.CharField(max_length=253, blank=True)
    # Of the destinations, for the rights of people limited to some: [""] where they
    # are not known yet, which is in nobody's scope.
    domains = models.JSONField(default=list, blank=True)

    # What owners read.
    language = models.CharField(
        max_length=2, choices=Language, default=Language.ENGLISH
    )
    signed_by = models.CharField(max_length=100)  # in the place of a logo
    purpose = models.TextField(max_length=2000)
    retention = models.TextField(max_length=1000)
    contact = models.EmailField()
    invitation_subject = models.CharField(max_length=150)
    invitation_text = models.TextField(max_length=5000)
    reminder_subject = models.CharField(max_length=150)
    reminder_text = models.TextField(max_length=5000)

    # The link for everybody: found by its hash, kept sealed to be shown again.
    token_hash = models.CharField(max_length=64, unique=True)
    token = SealedTextField(blank=True, bound_to="token_place")

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True)

    # What became of the passwords, and how those that come later join.
    batch = models.OneToOneField(
        Batch, on_delete=models.PROTECT, null=True, blank=True, related_name="campaign"
    )
    launched_at = models.DateTimeField(null=True, blank=True)
    launched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    begins_with_plan = models.BooleanField(default=True)
    takes_late_ones = models.BooleanField(default=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-created_at"], name="campaign_newest")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(batch=None) | models.Q(launched_at__isnull=False),
                name="launched_campaigns_have_a_date",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def token_place(self) -> str:
        """What the sealed token is bound to."""
        return f"migrations.campaign:{self.uuid}:token"

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, by hand or by its date; None while it is open."""
        if self.closed_at is not None:
            return min(self.closed_at, self.ends_at)
        return self.ends_at if self.ends_at <= timezone.now() else None

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def erased_at(self) -> datetime:
        """When everything about its people is erased at the latest."""
        return (self.ended_at or self.ends_at) + self.KEPT
