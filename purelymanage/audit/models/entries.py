from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from purelymanage.audit import chain
from purelymanage.audit.events import EVENTS

HOUR = timedelta(hours=1)
LEEWAY = 100  # entries


class Viewer(Protocol):
    """Whoever looks: `None` as scope is every domain."""

    domain_scope: list[str] | None

    def may(self, right: Any) -> bool: ...


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
        """Entries whose target, person, event or details contain each of the words."""
        if not words.split():
            return self
        found = self.annotate(
            said=Cast("details", models.TextField()),
            differed=Cast("diff", models.TextField()),
        )
        for word in words.split():
            found = found.filter(
                models.Q(target__icontains=word)
                | models.Q(actor_name__icontains=word)
                | models.Q(event__icontains=word)
                | models.Q(said__icontains=word)
                | models.Q(differed__icontains=word)
            )
        return found

    def of_kind(self, what: str) -> Self:
        """Entries of one event, or of every event of a subject such as "mailbox"."""
        if "." in what:
            return self.filter(event=what)
        return self.filter(
            event__in=[code for code in EVENTS if code.startswith(f"{what}.")]
        )

    def between(self, since: datetime | None, until: datetime | None) -> Self:
        """Entries from `since` on and before `until`.

        The place in the chain is limited as well: pages are read along it, and without
        that limit an old day would be looked for from the newest entry backwards. Times
        follow that order but for the clocks of several hosts, hence some leeway.
        """
        found = self
        if since:
            later = Entry.objects.filter(recorded_at__gte=since - HOUR)
            nearest = later.order_by("recorded_at").values_list("sequence", flat=True)
            after = min(nearest[:LEEWAY], default=None)
            if after is None:
                return self.none()
            found = found.filter(recorded_at__gte=since, sequence__gte=after)
        if until:
            earlier = Entry.objects.filter(recorded_at__lt=until + HOUR)
            nearest = earlier.order_by("-recorded_at").values_list(
                "sequence", flat=True
            )
            before = max(nearest[:LEEWAY], default=None)
            if before is None:
                return self.none()
            found = found.filter(recorded_at__lt=until, sequence__lte=before)
        return found

    def head(self) -> tuple[int, str]:
        """Return the sequence and HMAC of the last entry."""
        last = self.order_by("-sequence").values_list("sequence", "hmac").first()
        return last or (0, "")


class Entry(models.Model):
    """One thing that happened, written in the transaction that made it happen.

    The names are kept as text because the row outlives what it is about. Entries are
    written by `log` alone, which numbers and seals them; nothing changes them later.
    """

    sequence = models.BigIntegerField(unique=True, editable=False)
    event = models.CharField(max_length=60)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    actor_name = models.CharField(max_length=254)
    actor_role = models.CharField(max_length=20, blank=True)
    target = models.CharField(max_length=300)
    domain = models.CharField(max_length=253, blank=True)
    details = models.JSONField(default=dict)
    # The name of each field that changed, with its value before and after.
    diff = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    recorded_at = models.DateTimeField(default=timezone.now)
    previous_hmac = models.CharField(max_length=64, blank=True, editable=False)
    hmac = models.CharField(max_length=64, editable=False)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["recorded_at"], name="entry_time"),
            models.Index(fields=["target", "sequence"], name="entry_target"),
            models.Index(fields=["domain", "sequence"], name="entry_domain"),
            models.Index(fields=["actor_name", "sequence"], name="entry_actor"),
            models.Index(fields=["event", "sequence"], name="entry_event"),
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.sentence}"

    def content(self) -> tuple[Any, ...]:
        """What is sealed, in the order of `chain.CONTENT`."""
        values = {name: getattr(self, name) for name in chain.CONTENT}
        values["recorded_at"] = chain.microseconds(self.recorded_at)
        return tuple(values.values())

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
            return EVENTS[self.event].label.format(target=self.target, **self.details)
        except (ValueError, KeyError):  # written by another version of the panel
            return f"{self.event} {self.target}"

    @property
    def marked_sentence(self) -> SafeString:
        """The sentence with the name of what it happened to made strong."""
        # The braces of a label are no HTML, so it may be escaped as it is.
        label = str(escape(EVENTS[self.event].label)) if self.is_known else ""
        try:
            return format_html(
                label or "{event} {target}",
                event=self.event,
                target=format_html("<strong>{}</strong>", self.target),
                **self.details,
            )
        except (ValueError, KeyError):
            return escape(self.sentence)

    @property
    def is_known(self) -> bool:
        """False where another version of the panel wrote it."""
        return self.event in EVENTS

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """The fields that changed, with what they were and what they are."""
        return [(name, before, after) for name, (before, after) in self.diff.items()]
