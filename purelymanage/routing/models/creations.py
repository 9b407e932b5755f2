from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone


class RuleCreationQuerySet(models.QuerySet["RuleCreation"]):
    def asked(self) -> Self:
        """Requests of which nobody knows yet what became of them."""
        return self.filter(state=RuleCreation.State.ASKED)

    def overdue(self) -> Self:
        """Those that nobody waits for any more, whatever they had to wait for."""
        given_up = timezone.now() - RuleCreation.GIVEN_UP_AFTER
        return self.asked().filter(requested_at__lt=given_up)

    def settle(self, creation: RuleCreation, *, reason: str = "") -> bool:
        """Note how a request ended, failed where there is a reason.

        Return whether it was still open: of two that settle it, one may tell.
        """
        state = RuleCreation.State.FAILED if reason else RuleCreation.State.DONE
        return bool(
            self.asked()
            .filter(pk=creation.pk)
            .update(state=state, reason=reason[:500], settled_at=timezone.now())
        )


class RuleCreation(models.Model):
    """A rule that PurelyMail was asked to create.

    Written before the call and settled after it, so that a crash in between leaves a
    row that the next sync settles by looking at the account.
    """

    GIVEN_UP_AFTER = timedelta(minutes=5)

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    domain = models.CharField(max_length=253)
    match_user = models.CharField(max_length=254, blank=True)
    prefix = models.BooleanField()
    catchall = models.BooleanField()
    targets = models.JSONField()
    note = models.TextField(max_length=2_000, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    reason = models.CharField(max_length=500, blank=True)
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

    objects = RuleCreationQuerySet.as_manager()

    class Meta:
        constraints = [
            # PurelyMail allows no second rule for the same addresses.
            models.UniqueConstraint(
                fields=["domain", "match_user", "prefix"],
                condition=models.Q(state="asked"),
                name="one_open_creation_per_match",
            )
        ]

    def __str__(self) -> str:
        return f"{self.pattern} ({self.state})"

    @property
    def pattern(self) -> str:
        """What the rule matches, as one would write an address."""
        return f"{self.match_user}{'*' if self.prefix else ''}@{self.domain}"

    @property
    def kept(self) -> dict[str, Any]:
        """What the mirror keeps of it beside what PurelyMail tells."""
        return {
            "note": self.note,
            "made_by": self.requested_by,
            "made_as": self.requested_as,
        }
