from __future__ import annotations

from django.db import models


class Bucket(models.Model):
    """One row: the calls that PurelyMail may be asked for at once."""

    # The moment at which it is full again stands for what is in it.
    full_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"full at {self.full_at:%Y-%m-%d %H:%M:%S}"


class CallCount(models.Model):
    """How often an operation was called within an hour."""

    hour = models.DateTimeField()
    operation = models.CharField(max_length=50)
    number = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["hour", "operation"], name="one_count_an_hour"
            ),
        )

    def __str__(self) -> str:
        return f"{self.operation} at {self.hour:%Y-%m-%d %H}h"
