from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from purelymanage.accounts.permissions import Role

VALID = timedelta(days=7)


def hash_token(token: str) -> str:
    """Return what is stored: a random token of this length needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> Self:
        """Neither accepted nor withdrawn; the link may be too old by now."""
        return self.filter(accepted_at=None, withdrawn_at=None)

    def usable(self, at: datetime) -> Self:
        return self.pending().filter(expires_at__gt=at)

    def of_token(self, token: str) -> Invitation | None:
        return self.filter(token_hash=hash_token(token)).first()


class Invitation(models.Model):
    """A link that makes whoever opens it first a person of this panel.

    Only the hash of its token is kept: nobody who reads the database can use it.
    """

    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role)
    domain_scope: models.Field[list[str] | None, list[str] | None] = ArrayField(
        models.CharField(max_length=253), null=True, blank=True
    )
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    sent_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="one_pending_invitation_per_email",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(withdrawn_at=None),
                name="accepted_invitations_are_not_withdrawn",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def is_usable(self) -> bool:
        settled = self.accepted_at or self.withdrawn_at
        return settled is None and not self.is_expired
