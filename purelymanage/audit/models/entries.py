from __future__ import annotations

from typing import Protocol, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.audit.events import Event


class Viewer(Protocol):
    """Whoever looks: `None` as scope is every domain."""

    domain_scope: list[str] | None


class Agent(models.TextChoices):
    """Who did it where it was no person of the panel."""

    OUTSIDE = "outside this panel", "Somebody outside this panel"
    PANEL = "the panel", "The panel"
    OPERATOR = "an operator", "An operator"
    STRANGER = "a stranger", "Somebody"


AGENTS = dict(Agent.choices)


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, user: Viewer) -> Self:
        """Every entry, or for a limited person those about their domains."""
        if user.domain_scope is None:
            return self
        return self.filter(domain__in=user.domain_scope)

    def search(self, words: str) -> Self:
        """Entries whose target, person or event contains each of the words."""
        found = self
        for word in words.split():
            found = found.filter(
                models.Q(target__icontains=word)
                | models.Q(actor_name__icontains=word)
                | models.Q(event__icontains=word)
            )
        return found


class Entry(models.Model):
    """One thing that happened, written in the transaction that made it happen.

    The names are kept as text because the row outlives what it is about.
    """

    event = models.CharField(max_length=60)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    actor_name = models.CharField(max_length=254)
    target = models.CharField(max_length=300)
    domain = models.CharField(max_length=253, blank=True)
    details = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    recorded_at = models.DateTimeField(default=timezone.now)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["-recorded_at", "-id"], name="entry_newest"),
            models.Index(fields=["target", "-recorded_at"], name="entry_of_target"),
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.sentence}"

    @property
    def who(self) -> str:
        """Whoever did it, as the sentence begins."""
        return str(AGENTS.get(self.actor_name, self.actor_name))

    @property
    def is_from_outside(self) -> bool:
        return self.actor_id is None and self.actor_name == Agent.OUTSIDE

    @property
    def sentence(self) -> str:
        """What happened, as it reads after the name of whoever did it."""
        try:
            return Event(self.event).label.format(target=self.target, **self.details)
        except (ValueError, KeyError):  # written by another version of the panel
            return f"{self.event} {self.target}"
