from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.mailboxes.models.mailboxes import Mailbox


class ChangeQuerySet(models.QuerySet["Change"]):
    def asked(self) -> Self:
        """Those of which nobody knows yet what became of them."""
        return self.filter(state=Change.State.ASKED)

    def abandoned(self) -> Self:
        """Those that nobody waits for any more: the account has to be looked at."""
        return self.asked().filter(
            requested_at__lt=timezone.now() - Change.GIVEN_UP_AFTER
        )

    def renames(self) -> Self:
        """Those that gave a mailbox its name, the newest first."""
        mine = self.filter(kind=Change.Kind.RENAME, state=Change.State.DONE)
        return mine.order_by("-settled_at", "-pk")

    def with_open_follow_ups(self) -> Self:
        """Annotate how much of what follows a rename is not done, as `left`."""
        is_open = ~models.Q(follow_ups__state="done")
        return self.annotate(left=models.Count("follow_ups", filter=is_open))

    def doubts_password(self) -> bool:
        """Whether nobody knows if the last new password of a mailbox is its password.

        Ask this of the changes of one mailbox.
        """
        ended = self.filter(kind=Change.Kind.PASSWORD).exclude(
            state__in=[Change.State.ASKED, Change.State.FAILED]
        )
        last = ended.order_by("-requested_at", "-pk").first()
        return last is not None and last.state == Change.State.UNKNOWN

    def settle(self, change: Change, state: Change.State, *, reason: str = "") -> bool:
        """Note how it ended. Return whether it was open: of two, one may tell."""
        return bool(
            self.asked()
            .filter(pk=change.pk)
            .update(state=state, reason=reason[:500], settled_at=timezone.now())
        )


class Change(models.Model):
    """Something PurelyMail was asked to change of a mailbox.

    Written before the call and settled after it, so that a crash in between leaves a
    row that is settled by looking at the account. `wanted` never holds a secret.
    """

    GIVEN_UP_AFTER = timedelta(minutes=5)

    class Kind(models.TextChoices):
        PASSWORD = "password", "Password"
        FLAGS = "flags", "Flags"
        RECOVERY_SAVED = "recovery_saved", "Recovery method"
        RECOVERY_REMOVED = "recovery_removed", "Recovery method removed"
        RENAME = "rename", "Name"
        SUSPENSION = "suspension", "Suspension"

    class State(models.TextChoices):
        ASKED = "asked", "Asked"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unknown"

    mailbox = models.ForeignKey(
        Mailbox, on_delete=models.PROTECT, related_name="changes"
    )
    kind = models.CharField(max_length=20, choices=Kind)
    wanted = models.JSONField(default=dict)
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

    objects = ChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox"],
                condition=models.Q(state="asked"),
                name="one_open_change_per_mailbox",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.mailbox} ({self.state})"

    @property
    def former_name(self) -> tuple[str, datetime]:
        """Of a rename that is done: how the mailbox was called, and until when."""
        return self.wanted["old"], self.settled_at or self.requested_at
