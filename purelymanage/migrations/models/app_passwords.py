from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.utils import timezone

from purelymanage.migrations.models.runs import Run


class AppPasswordQuerySet(models.QuerySet["AppPassword"]):
    def left_over(self, at: datetime) -> Self:
        """Those that no running attempt uses and that are due to be revoked."""
        in_use = models.Q(
            run__state=Run.State.RUNNING, run__attempt=models.F("attempt")
        )
        return self.exclude(in_use).filter(revoke_after__lte=at)


class AppPassword(models.Model):
    """An app password the panel made, for as long as it exists at PurelyMail.

    The row is written before the call that makes the password, and deleted when it was
    seen not to work any more. PurelyMail can neither list app passwords nor revoke one
    without being told it, so the sealed text is the only handle there is. It is empty
    while nobody knows whether the password was made.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="app_passwords")
    attempt = models.PositiveIntegerField()
    address = models.EmailField()
    name = models.CharField(max_length=100)
    secret = models.TextField(blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    revoke_tries = models.PositiveIntegerField(default=0)
    revoke_after = models.DateTimeField(default=timezone.now)

    objects = AppPasswordQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} of {self.address}"

    @property
    def secret_place(self) -> str:
        """What the sealed password is bound to."""
        return f"migrations.app_password:{self.uuid}:secret"
