from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone


class AppPasswordQuerySet(models.QuerySet["AppPassword"]):
    def due(self, at: datetime) -> Self:
        """Those that are to be revoked by now, the longest waiting first."""
        return self.filter(revoke_after__lte=at).order_by("revoke_after")

    def kept(self) -> Self:
        """Those that work until somebody revokes them."""
        return self.filter(revoke_after=None).exclude(secret="")


class AppPassword(models.Model):
    """An app password the panel made, for as long as it exists at PurelyMail.

    The row is written before the call that makes the password, and deleted when it was
    seen not to work any more. PurelyMail can neither list app passwords nor revoke one
    without being told it, so the sealed text is the only handle there is. It is empty
    while nobody knows whether the password was made.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    address = models.EmailField(db_index=True)
    name = models.CharField(max_length=100)
    purpose = models.CharField(max_length=200, blank=True)
    secret = models.TextField(blank=True)  # sealed
    # Nobody where the panel made it for itself.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    made_at = models.DateTimeField(default=timezone.now)
    revoke_tries = models.PositiveIntegerField(default=0)
    # Empty: it is kept until somebody revokes it.
    revoke_after = models.DateTimeField(null=True, blank=True)

    objects = AppPasswordQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["revoke_after"], name="app_password_due")]

    def __str__(self) -> str:
        return f"{self.name} of {self.address}"

    @property
    def secret_place(self) -> str:
        """What the sealed password is bound to."""
        return f"mailboxes.app_password:{self.uuid}:secret"
