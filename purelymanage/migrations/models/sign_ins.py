from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.utils import timezone

from purelymanage.migrations.models.campaigns import Campaign
from purelymanage.migrations.models.servers import Server


class SignInQuerySet(models.QuerySet["SignIn"]):
    def under_way(self, at: datetime) -> Self:
        """Those that hold a connection to their server right now."""
        return self.filter(ended_at=None, holds_until__gt=at)


class SignIn(models.Model):
    """A password from the public form on its way to a server.

    Counted before it is tried, so that neither one person nor many together can use
    the form to guess passwords, or make a server shut us out. Who it was is kept as
    keyed hashes alone, and only for as long as limits look back.
    """

    class Outcome(models.TextChoices):
        RIGHT = "right", "Right"
        REFUSED = "refused", "Refused"
        UNANSWERED = "unanswered", "No answer"

    server = models.ForeignKey(
        Server, on_delete=models.CASCADE, related_name="sign_ins"
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="sign_ins"
    )
    address_key = models.CharField(max_length=64)
    client_key = models.CharField(max_length=64)
    begun_at = models.DateTimeField(default=timezone.now)
    # Until when it counts as under way if nobody says how it went.
    holds_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)

    objects = SignInQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome="") ^ models.Q(ended_at__isnull=False),
                name="ended_sign_ins_have_an_outcome",
            )
        ]
        indexes = [
            models.Index(fields=["address_key", "-begun_at"], name="sign_in_address"),
            models.Index(fields=["client_key", "-begun_at"], name="sign_in_client"),
            models.Index(fields=["campaign", "-begun_at"], name="sign_in_campaign"),
            models.Index(fields=["server", "-begun_at"], name="sign_in_server"),
            models.Index(
                fields=["server", "holds_until"],
                condition=models.Q(ended_at=None),
                name="sign_in_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"sign-in at {self.server}"
