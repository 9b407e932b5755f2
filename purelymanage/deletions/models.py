from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.deletions.impact import Account, Impact
from purelymanage.deletions.policy import NOTICE

OPEN = ("approval", "waiting", "deleting", "paused")
CANCELLABLE = ("approval", "waiting", "paused")
SETTLED = ("deleted", "cancelled", "refused", "failed")


class Kind(models.TextChoices):
    MAILBOX = "mailbox", "Mailbox"
    DOMAIN = "domain", "Domain"
    RULE = "rule", "Rule"


class PendingDeletionQuerySet(models.QuerySet["PendingDeletion"]):
    def visible_to(self, user: User) -> Self:
        """Every deletion, or for a limited person those in their domains."""
        if user.domain_scope is None:
            return self
        return self.filter(domain__in=user.domain_scope)

    def open(self) -> Self:
        return self.filter(state__in=OPEN)

    def waiting(self) -> Self:
        return self.filter(state=PendingDeletion.State.WAITING)

    def cancellable(self) -> Self:
        return self.filter(state__in=CANCELLABLE)

    def stopped(self) -> Self:
        """Those that go on only if a person wants them to."""
        return self.filter(
            state__in=[PendingDeletion.State.PAUSED, PendingDeletion.State.APPROVAL]
        )

    def due(self, at: datetime) -> Self:
        """Deletions that may run at `at`: announced an hour ago, and not overdue.

        One whose hour passed long ago was held up, most likely as the panel stood
        still. Nobody expects it any more, so it is announced anew first.
        """
        return (
            self.waiting()
            .filter(delete_after__lte=at, delete_after__gt=at - NOTICE)
            .exclude(warned_at=None)
            .order_by("delete_after", "pk")
        )

    def unannounced(self, at: datetime) -> Self:
        """Deletions of the coming hour that nobody was told of, or no longer expects."""
        never = Q(warned_at=None, delete_after__lte=at + NOTICE)
        return self.waiting().filter(never | Q(delete_after__lte=at - NOTICE))

    def abandoned(self, at: datetime) -> Self:
        """Deletions whose worker is gone, or that were left for a look at the account."""
        return self.filter(
            state=PendingDeletion.State.DELETING, lease_until__lte=at
        ).order_by("lease_until")

    def filtered(self, *, kind: str, domain: str, person: str) -> Self:
        """Those that a filter asks for; an empty one asks for all."""
        found = self
        if kind:
            found = found.filter(kind=kind)
        if domain:
            found = found.filter(domain=domain)
        if person:
            found = found.filter(requested_by__email=person)
        return found

    def soonest_first(self) -> Self:
        return self.order_by(F("delete_after").asc(nulls_first=True), "label", "pk")

    def on(self, kind: str, key: str, domain: str) -> Self:
        """Open deletions of one object, or of the domain that it belongs to."""
        itself = Q(kind=kind, key=key)
        return self.open().filter(itself | Q(kind=Kind.DOMAIN, key=domain))

    def ended_since(self, at: datetime) -> Self:
        return self.filter(state__in=SETTLED, settled_at__gte=at).order_by(
            "-settled_at", "-pk"
        )


class PendingDeletion(models.Model):
    """Something that PurelyMail will be told to delete when its waiting time ends.

    The row names the object instead of pointing at it, because it has to outlive it:
    it is also the record that the deletion took place.
    """

    class State(models.TextChoices):
        APPROVAL = "approval", "Waits for a second person"
        WAITING = "waiting", "Waiting"
        DELETING = "deleting", "Being deleted"
        PAUSED = "paused", "Needs another look"
        DELETED = "deleted", "Deleted"
        CANCELLED = "cancelled", "Cancelled"
        REFUSED = "refused", "Refused"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=254)
    label = models.CharField(max_length=320)
    domain = models.CharField(max_length=253)
    impact = models.JSONField(default=dict)
    # The account as it was when it stopped this: the mirror may not know it yet.
    found = models.JSONField(default=dict)
    # What it takes to make a rule again.
    restore = models.JSONField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    # What was asked for together is undone together.
    batch = models.UUIDField(default=uuid.uuid4, db_index=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # When the waiting time began, and when it ends; unknown before the approval.
    waits_since = models.DateTimeField(null=True)
    delete_after = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True)

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    # Counts the claims: a worker that lost its claim finds another number.
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    restored_at = models.DateTimeField(null=True)
    restored_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = PendingDeletionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=Q(state__in=OPEN),
                name="one_open_deletion_per_object",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, settled_at=None)
                | Q(state__in=SETTLED, settled_at__isnull=False),
                name="settled_deletions_have_a_date",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["waiting", "deleting", "deleted"])
                | Q(delete_after__isnull=False),
                name="running_deletions_have_an_hour",
            ),
            models.CheckConstraint(
                condition=Q(state="deleting", lease_until__isnull=False)
                | (~Q(state="deleting") & Q(lease_until=None)),
                name="claimed_deletions_have_a_lease",
            ),
        ]
        indexes = [
            # For the task that looks each minute.
            models.Index(
                fields=["delete_after"],
                condition=Q(state="waiting"),
                name="deletion_waiting",
            ),
            models.Index(fields=["-settled_at"], name="deletion_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.state})"

    @property
    def word(self) -> str:
        return self.get_kind_display().lower()

    @property
    def name(self) -> str:
        """What is deleted, as a sentence names it."""
        if self.kind == Kind.RULE:
            return f"the rule for {self.label}"
        return self.label

    @property
    def title(self) -> str:
        """What is deleted, as it begins a sentence; an address stays as it is."""
        return f"Rule for {self.label}" if self.kind == Kind.RULE else self.label

    @property
    def foreseen(self) -> Impact:
        """What was shown to whoever asked for it."""
        return Impact.from_json(self.impact)

    @property
    def stopped_by(self) -> Account:
        """What was there when it stopped, if it did."""
        return Account.from_json(self.found)

    @property
    def is_cancellable(self) -> bool:
        return self.state in CANCELLABLE

    @property
    def left(self) -> timedelta:
        """How long it still waits."""
        if self.delete_after is None:
            return timedelta(0)
        return max(self.delete_after - timezone.now(), timedelta(0))


def name_of(deletions: list[PendingDeletion]) -> str:
    """Name what was asked for together: “events@example.org” or “3 mailboxes”."""
    if len(deletions) == 1:
        return deletions[0].name
    word = deletions[0].word
    return f"{len(deletions)} {word}{'es' if word == 'mailbox' else 's'}"


def open_state(kind: Kind, key: str, domain: str) -> Subquery:
    """Annotate rows with the state of the deletion that they, or their domain, await."""
    return Subquery(_open(kind, key, domain).values("state")[:1])


def open_hour(kind: Kind, key: str, domain: str) -> Subquery:
    return Subquery(_open(kind, key, domain).values("delete_after")[:1])


def _open(kind: Kind, key: str, domain: str) -> PendingDeletionQuerySet:
    itself = Q(kind=kind, key=OuterRef(key))
    whole = Q(kind=Kind.DOMAIN, key=OuterRef(domain))
    found = PendingDeletion.objects.open().filter(itself | whole)
    return found.order_by(F("delete_after").asc(nulls_last=True), "pk")


class PrecautionQuerySet(models.QuerySet["Precaution"]):
    def in_work(self) -> Self:
        return self.filter(state__in=[Precaution.State.ASKED, Precaution.State.UNDOING])

    def claimable(self, at: datetime) -> Self:
        return self.in_work().filter(try_after__lte=at).order_by("try_after")


class Precaution(models.Model):
    """Something that protects people while a mailbox waits for its deletion."""

    class Kind(models.TextChoices):
        LOCK = "lock", "Locked"
        ROUTE = "route", "Routed elsewhere"

    class State(models.TextChoices):
        ASKED = "asked", "Asked for"
        TAKEN = "taken", "In force"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"
        KEPT = "kept", "Cannot be undone"
        FAILED = "failed", "Failed"

    deletion = models.ForeignKey(
        PendingDeletion, on_delete=models.CASCADE, related_name="precautions"
    )
    kind = models.CharField(max_length=10, choices=Kind)
    target = models.EmailField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    # What was there before and what was made, as undoing it needs them.
    known = models.JSONField(default=dict)
    tries = models.PositiveIntegerField(default=0)
    try_after = models.DateTimeField(default=timezone.now)
    note = models.CharField(max_length=500, blank=True)

    objects = PrecautionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["deletion", "kind"], name="each_precaution_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.deletion.label} ({self.state})"

    @property
    def is_in_work(self) -> bool:
        return self.state in (self.State.ASKED, self.State.UNDOING)
