from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.sealed import SealedTextField


class AppPasswordQuerySet(models.QuerySet["AppPassword"]):
    def due(self, at: datetime) -> Self:
        """Those that are to be revoked by now, the longest waiting first."""
        return self.filter(revoke_after__lte=at).order_by("revoke_after")

    def of_people(self) -> Self:
        """Those that a person asked for, not the panel for its own work."""
        return self.filter(made_by__isnull=False)

    def listed(self) -> Self:
        """In the order of the page, with who made them."""
        return self.select_related("made_by").order_by("-made_at", "-pk")


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
    secret = SealedTextField(blank=True, bound_to="secret_place")
    # Nobody where the panel made it for itself.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    made_at = models.DateTimeField(default=timezone.now)
    # Who wants it revoked, once somebody does.
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    requested_as = models.CharField(max_length=150, blank=True)
    revoke_tries = models.PositiveIntegerField(default=0)
    # Empty: it is kept until somebody revokes it. One without a secret is looked at
    # then, and where a person asked for it, it stays as a note that it may exist.
    revoke_after = models.DateTimeField(null=True, blank=True)

    objects = AppPasswordQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["revoke_after"], name="app_password_due")]

    def __str__(self) -> str:
        return f"{self.name} of {self.address}"

    @property
    def what(self) -> str:
        """What it is for, in the words of whoever made it."""
        if self.made_by_id is None:
            return self.purpose
        return f"“{self.name}”, {self.purpose}" if self.purpose else f"“{self.name}”"

    @property
    def may_exist(self) -> bool:
        """Whether nobody knows if PurelyMail made it, nor ever will here."""
        return not self.secret and self.revoke_after is None

    @property
    def is_being_made(self) -> bool:
        return not self.secret and self.revoke_after is not None

    @property
    def is_being_revoked(self) -> bool:
        return bool(self.secret and self.revoke_after)

    @property
    def is_wanted_gone(self) -> bool:
        return bool(self.requested_by_id or self.requested_as)

    @property
    def secret_place(self) -> str:
        """What the sealed password is bound to."""
        return f"mailboxes.app_password:{self.uuid}:secret"
