from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.domains.models.domains import Domain
from purelymanage.domains.schedule import TOUCHED_FOR


class HealthQuerySet(models.QuerySet["Health"]):
    def visible_to(self, user: User) -> Self:
        if user.domain_scope is None:
            return self
        return self.filter(domain__name__in=user.domain_scope)

    def due(self, at: datetime) -> Self:
        """Domains to look at by `at` that nobody is looking at, longest due first.

        Those that were looked at later than that were so by a clock that was ahead.
        """
        free = Q(leased_until=None) | Q(leased_until__lte=at)
        late = Q(next_look_at__lte=at) | Q(looked_at__gt=at + self.model.LEASE)
        return (
            self.filter(free, late, domain__gone_at=None)
            .exclude(domain__is_shared=True)
            .order_by("next_look_at", "pk")
        )

    def blind(self, at: datetime) -> Self:
        """Domains that could not be looked up at all for a day."""
        return self.filter(
            blind_since__lte=at - self.model.BLIND_AFTER, domain__gone_at=None
        )

    def disputed(self) -> Self:
        """Domains of which PurelyMail says something else than we see."""
        return self.exclude(disputed=[]).filter(domain__gone_at=None)

    def to_recheck(self, at: datetime) -> Self:
        return self.disputed().filter(next_recheck_at__lte=at).order_by("pk")


class Health(models.Model):
    """What was last seen of a domain in the DNS, and when it is looked at again."""

    # Longer than a whole batch may take.
    LEASE = timedelta(minutes=5)
    BLIND_AFTER = timedelta(hours=24)
    # Between two rechecks that people ask for.
    RECHECK_PAUSE = timedelta(minutes=1)

    class State(models.TextChoices):
        UNSEEN = "unseen", "Not looked at yet"
        UNKNOWN = "unknown", "Could not look"
        GOOD = "good", "Healthy"
        ATTENTION = "attention", "Needs attention"
        BROKEN = "broken", "Broken"

    domain = models.OneToOneField(
        Domain, on_delete=models.CASCADE, related_name="health"
    )
    # As `Observation.as_json` writes it.
    observation = models.JSONField(default=dict)
    # What was last known of each own record, kept while it cannot be looked up.
    known = models.JSONField(default=dict)
    # The state of each cell of the list, by its key: {"mx": "good", …}.
    cells = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.UNSEEN)
    finding_count = models.PositiveIntegerField(default=0)

    looked_at = models.DateTimeField(null=True, blank=True)
    next_look_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True, blank=True)
    state_since = models.DateTimeField(null=True, blank=True)
    # Looks in a row that could tell something and found it red.
    red_looks = models.PositiveIntegerField(default=0)
    red_since = models.DateTimeField(null=True, blank=True)
    # Since when it cannot be looked up at all.
    blind_since = models.DateTimeField(null=True, blank=True)
    # When somebody wanted to know it now, and when somebody changed something.
    asked_at = models.DateTimeField(null=True, blank=True)
    touched_at = models.DateTimeField(null=True, blank=True)

    # What people were last told. Another state is told once it has been seen twice.
    announced_state = models.CharField(max_length=10, default=State.UNSEEN)
    announced_at = models.DateTimeField(null=True, blank=True)
    turning_to = models.CharField(max_length=10, blank=True)
    turning_since = models.DateTimeField(null=True, blank=True)

    # What PurelyMail's check should say if it looked now: {"passes_mx": true, …}.
    sees = models.JSONField(default=dict)
    # The records of which PurelyMail's stored verdict is another one than ours.
    disputed = models.JSONField(default=list)
    rechecked_at = models.DateTimeField(null=True, blank=True)
    next_recheck_at = models.DateTimeField(null=True, blank=True)
    rechecks = models.PositiveIntegerField(default=0)
    disputed_since = models.DateTimeField(null=True, blank=True)

    objects = HealthQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["next_look_at"], name="health_due"),
            models.Index(
                fields=["next_recheck_at"],
                condition=Q(next_recheck_at__isnull=False),
                name="health_to_recheck",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.domain} ({self.state})"

    @property
    def wants_news(self) -> bool:
        """Whether somebody asked since the last look, so that no memory will do."""
        since = self.looked_at
        return any(
            at is not None and (since is None or at >= since)
            for at in (self.asked_at, self.touched_at)
        ) or self.is_touched(timezone.now())

    def is_touched(self, now: datetime) -> bool:
        return self.touched_at is not None and now < self.touched_at + TOUCHED_FOR

    @property
    def was_seen(self) -> bool:
        return self.looked_at is not None

    @property
    def is_being_looked_at(self) -> bool:
        return self.leased_until is not None and self.leased_until > timezone.now()


class ChangeQuerySet(models.QuerySet["Change"]):
    def visible_to(self, user: User) -> Self:
        if user.domain_scope is None:
            return self
        return self.filter(domain__name__in=user.domain_scope)

    def of(self, domain: Domain) -> Self:
        return self.filter(domain=domain)

    def newest_first(self) -> Self:
        return self.order_by(F("seen_at").desc(), "-pk")


class Change(models.Model):
    """Something about a domain that was seen to be different from the look before.

    Rows are only added.
    """

    class Kind(models.TextChoices):
        RECORD = "record", "Record"
        STATE = "state", "State"
        WITNESS = "witness", "PurelyMail's verdict"

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="changes")
    seen_at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=10, choices=Kind)
    # "MX", "SPF", "TXT of mail.example.org", or what of PurelyMail's verdicts.
    subject = models.CharField(max_length=300)
    before = models.JSONField(default=list)
    after = models.JSONField(default=list)
    sentence = models.TextField()

    objects = ChangeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["domain", "-seen_at"], name="change_of_domain"),
        ]

    def __str__(self) -> str:
        return self.sentence

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("What was seen is not rewritten.")
        super().save(*args, **kwargs)
