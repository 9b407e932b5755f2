from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone


def in_a_while() -> datetime:
    return timezone.now() + Rewrite.LEASE


class RewriteQuerySet(models.QuerySet["Rewrite"]):
    def open(self) -> Self:
        """Those of which it is not settled yet which of the two rules there is."""
        return self.filter(state=Rewrite.State.OPEN)

    def settled(self) -> Self:
        return self.exclude(state=Rewrite.State.OPEN)

    def due(self, at: datetime) -> Self:
        """Open ones that nobody works on, the longest waiting first."""
        return self.open().filter(lease_until__lte=at).order_by("lease_until")

    def held_by(self, rewrite: Rewrite) -> Self:
        """`rewrite` as long as nobody else has taken it over."""
        return self.open().filter(pk=rewrite.pk, tries=rewrite.tries)


class Rewrite(models.Model):
    """A rule that is being replaced by another one, as PurelyMail can change none.

    Written before the first call and settled once exactly one of the two was seen to
    be there, so that a crash in between leaves a row that a sweep brings to its end.
    """

    # Longer than the longest call. Renewed before each of them, and whoever has lost
    # it makes no further one.
    LEASE = timedelta(minutes=2)

    class State(models.TextChoices):
        OPEN = "open", "Being replaced"
        DONE = "done", "Replaced"
        FAILED = "failed", "Not replaced"

    old_id = models.BigIntegerField()
    # Of the rule that was there in the end, the new one or the old one made again.
    new_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    domain = models.CharField(max_length=253)
    # Both as the API takes them: domain, match_user, prefix, catchall, targets.
    old = models.JSONField()
    new = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    # Whether the old rule may be gone because the panel deleted it.
    is_begun = models.BooleanField(default=False)
    is_going_back = models.BooleanField(default=False)
    reason = models.CharField(max_length=500, blank=True)
    tries = models.PositiveIntegerField(default=1)
    lease_until = models.DateTimeField(default=in_a_while)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    # Who it was where nobody was signed in, such as somebody at a command line.
    requested_as = models.CharField(max_length=150, blank=True)
    requested_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = RewriteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["old_id"],
                condition=models.Q(state="open"),
                name="one_open_rewrite_per_rule",
            ),
            models.CheckConstraint(
                condition=models.Q(state="open") ^ models.Q(settled_at__isnull=False),
                name="settled_rewrites_have_a_date",
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"],
                condition=models.Q(state="open"),
                name="rewrite_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.pattern} ({self.state})"

    @property
    def pattern(self) -> str:
        """What the old rule matches, as one would write an address."""
        star = "*" if self.old["prefix"] else ""
        return f"{self.old['match_user']}{star}@{self.old['domain']}"

    @property
    def wanted(self) -> dict[str, Any]:
        """The rule that is to be there in the end."""
        rule: dict[str, Any] = self.old if self.is_going_back else self.new
        return rule

    @property
    def unwanted(self) -> dict[str, Any]:
        rule: dict[str, Any] = self.new if self.is_going_back else self.old
        return rule
