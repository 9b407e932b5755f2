from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.audit.actors import Actor, as_columns


class CreationQuerySet(models.QuerySet["Creation"]):
    def asked(self) -> Self:
        """Requests of which nobody knows yet what became of them."""
        return self.filter(state=Creation.State.ASKED)

    def overdue(self) -> Self:
        """Those that nobody waits for any more, whatever they had to wait for."""
        given_up = timezone.now() - Creation.GIVEN_UP_AFTER
        return self.asked().filter(requested_at__lt=given_up)

    def made_just_now(self, address: str, actor: Actor) -> bool:
        """Whether this person created it so lately that they may think of that page."""
        since = timezone.now() - Creation.JUST_NOW
        mine = self.filter(address=address, **as_columns(actor))
        return mine.filter(state=Creation.State.DONE, settled_at__gt=since).exists()

    def settle(self, creation: Creation, *, reason: str = "") -> bool:
        """Note how a request ended, failed where there is a reason.

        Return whether it was still open: of two that settle it, one may tell.
        """
        state = Creation.State.FAILED if reason else Creation.State.DONE
        return bool(
            self.asked()
            .filter(pk=creation.pk)
            .update(state=state, reason=reason[:500], settled_at=timezone.now())
        )


class Creation(models.Model):
    """A mailbox that PurelyMail was asked to create.

    Written before the call and settled after it, so that a crash in between leaves a
    row that the next sync settles by looking at the account.
    """

    GIVEN_UP_AFTER = timedelta(minutes=5)
    JUST_NOW = timedelta(minutes=15)

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    address = models.EmailField()
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

    objects = CreationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address"],
                condition=models.Q(state="asked"),
                name="one_open_creation_per_address",
            )
        ]
        indexes = [
            models.Index(
                fields=["address"],
                condition=models.Q(state="done"),
                name="creation_done",
            )
        ]

    def __str__(self) -> str:
        return f"{self.address} ({self.state})"
