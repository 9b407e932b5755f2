from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone

from purelymanage.accounts.models.people import User
from purelymanage.accounts.permissions import Right
from purelymanage.accounts.security import devices

NOTED_EVERY = timedelta(minutes=1)


def longest_idle() -> timedelta:
    """Return after how long without its person a session is over."""
    return timedelta(hours=settings.SESSION_IDLE_HOURS)


class PersonSessionQuerySet(models.QuerySet["PersonSession"]):
    def visible_to(self, user: User) -> Self:
        """One's own; whoever manages people sees everybody's."""
        return self if user.may(Right.MANAGE_PEOPLE) else self.filter(user=user)

    def open(self) -> Self:
        """Not ended, and neither too old nor too idle to be let in again."""
        alive = Session.objects.filter(
            session_key=OuterRef("session_key"), expire_date__gt=timezone.now()
        )
        return self.filter(
            Exists(alive), ended_at=None, seen_at__gt=timezone.now() - longest_idle()
        )


class PersonSession(models.Model):
    """A browser in which somebody is signed in.

    This row and not the cookie decides: without an open row the next request is one
    of a stranger. `session_key` follows when Django gives the browser a new key.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions"
    )
    session_key = models.CharField(max_length=40, unique=True)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    # When its person last did something; what pages ask for by themselves is not that.
    seen_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = PersonSessionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["user", "-seen_at"],
                condition=models.Q(ended_at=None),
                name="open_sessions_of_a_person",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.device}"

    @property
    def is_idle(self) -> bool:
        return self.seen_at < timezone.now() - longest_idle()

    @property
    def device(self) -> str:
        """Browser and system in words, as the browser claims."""
        return devices.describe(self.user_agent)
