from __future__ import annotations

from django.db import models
from django.utils import timezone


class KeyProof(models.Model):
    """What a key has made, and no other can: tells a wrong key when the panel starts.

    The row of a key that is in use no more stays, so that no other takes its id.
    """

    name = models.CharField(max_length=40, unique=True)
    proof = models.TextField()
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name
