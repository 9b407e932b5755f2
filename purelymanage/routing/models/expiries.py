from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.deletions.models import PendingDeletion


class ExpiryQuerySet(models.QuerySet["Expiry"]):
    def visible_to(self, user: User) -> Self:
        if user.domain_scope is None:
            return self
        return self.filter(domain__in=user.domain_scope)

    def of(self, remote_id: int) -> Self:
        return self.filter(remote_id=remote_id)

    def unrequested(self) -> Self:
        """Those whose rule nobody was asked to delete yet, the first to end first."""
        return self.filter(deletion=None).order_by("ends_on", "pk")


class Expiry(models.Model):
    """Until when a rule is to be there. PurelyMail knows nothing of this.

    It names the rule by its id at PurelyMail and follows when that changes. The rule is
    deleted by the queue of deletions, whose waiting time ends with the day.
    """

    remote_id = models.BigIntegerField(unique=True)
    domain = models.CharField(max_length=253)
    ends_on = models.DateField()  # the last day, in the time zone of the panel
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    set_at = models.DateTimeField(default=timezone.now)
    reminded_at = models.DateTimeField(null=True, blank=True)
    deletion = models.OneToOneField(
        PendingDeletion,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    # Why its deletion could not be asked for.
    trouble = models.CharField(max_length=300, blank=True)

    objects = ExpiryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "expiries"
        indexes = [models.Index(fields=["ends_on"], name="expiry_ends_on")]

    def __str__(self) -> str:
        return f"the rule {self.remote_id} until {self.ends_on}"

    @property
    def ends_at(self) -> datetime:
        return end_of(self.ends_on)


def end_of(day: date) -> datetime:
    """Return the moment at which a day is over in the time zone of the panel."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))


def first_day(grace: timedelta, now: datetime) -> date:
    """Return the first day whose end leaves a deletion its whole waiting time."""
    return timezone.localdate(now + grace)
