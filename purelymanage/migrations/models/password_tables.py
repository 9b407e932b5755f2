from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.migrations.models.batches import Batch
from purelymanage.sealed import SealedTextField


class PasswordTableQuerySet(models.QuerySet["PasswordTable"]):
    def visible_to(self, user: User) -> Self:
        """Nobody's but its maker's, and only as long as the batch is theirs to see."""
        batches = Batch.objects.visible_to(user)
        return self.filter(created_by=user, batch__in=batches)


class PasswordTable(models.Model):
    """New passwords for jobs of a batch, until somebody has looked what they match.

    It is deleted as soon as they are stored, and in any case after a day.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, related_name="password_tables"
    )
    # The jobs that were chosen.
    keys = models.JSONField()
    # The cells of the file, sealed as they hold passwords.
    sheet = SealedTextField(bound_to="sheet_place")
    file_name = models.CharField(max_length=200, blank=True)
    columns = models.JSONField(default=dict, blank=True)
    # The servers as they were: passwords are for those, and for no others.
    directions = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = PasswordTableQuerySet.as_manager()

    def __str__(self) -> str:
        return f"passwords for {self.batch}"

    @property
    def sheet_place(self) -> str:
        """What the sealed cells are bound to."""
        return f"migrations.password_table:{self.uuid}:sheet"
