from __future__ import annotations

from django.db import models
from django.utils import timezone


class CreditReading(models.Model):
    """The account's credit in dollars as PurelyMail told it.

    A stretch in which it stays the same is two rows, its beginning and its end.
    """

    amount = models.DecimalField(max_digits=12, decimal_places=4)
    read_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["-read_at"], name="credit_newest")]

    def __str__(self) -> str:
        return f"${self.amount:.2f} on {self.read_at:%Y-%m-%d %H:%M}"
