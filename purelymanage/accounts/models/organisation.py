from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.http import HttpRequest

PK = 1


def default_grace_hours() -> int:
    return int(settings.DELETION_GRACE_HOURS)


def default_credit_attention() -> Decimal:
    return Decimal(settings.CREDIT_ATTENTION)


def default_credit_critical() -> Decimal:
    return Decimal(settings.CREDIT_CRITICAL)


class OrganisationManager(models.Manager["Organisation"]):
    def present(self) -> Organisation:
        """Return the row, or what it would say before anybody changed anything."""
        return self.filter(pk=PK).first() or Organisation(pk=PK)

    def locked(self) -> Organisation:
        """Return the row for a change, made if need be."""
        self.bulk_create([Organisation(pk=PK)], ignore_conflicts=True)
        return self.select_for_update().get(pk=PK)


class Organisation(models.Model):
    """What the owners decided for everybody. There is one row, or none yet."""

    name = models.CharField(max_length=100, blank=True)
    grace_hours = models.PositiveSmallIntegerField(default=default_grace_hours)
    credit_attention = models.DecimalField(
        max_digits=8, decimal_places=2, default=default_credit_attention
    )
    credit_critical = models.DecimalField(
        max_digits=8, decimal_places=2, default=default_credit_critical
    )
    # Since when everybody must have a second factor; None is "not at all".
    second_factor_required_since = models.DateTimeField(null=True, blank=True)
    second_person_required = models.BooleanField(default=False)
    checkpoint_address = models.EmailField(blank=True)

    objects = OrganisationManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(pk=PK), name="one_organisation_only"
            ),
            models.CheckConstraint(
                condition=models.Q(credit_critical__lte=models.F("credit_attention")),
                name="critical_credit_is_not_above_attention",
            ),
        ]

    def __str__(self) -> str:
        return self.name or "This organisation"

    @property
    def grace(self) -> timedelta:
        """How long a deletion waits."""
        return timedelta(hours=self.grace_hours)


def organisation_of(request: HttpRequest) -> Organisation:
    """Return the organisation, read once for each request."""
    kept: Organisation | None = getattr(request, "organisation", None)
    if kept is None:
        kept = Organisation.objects.present()
        request.organisation = kept  # type: ignore[attr-defined]  # kept beside it
    return kept
