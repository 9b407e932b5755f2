from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.utils import timezone

from purelymanage.audit.verification import Position


class ChainCheckQuerySet(models.QuerySet["ChainCheck"]):
    def finished(self) -> Self:
        return self.exclude(finished_at=None)

    def latest_finished(self) -> ChainCheck | None:
        return self.finished().order_by("-finished_at").first()

    def under_way(self, since: datetime) -> ChainCheck | None:
        open_ones = self.filter(finished_at=None, begun_at__gte=since)
        return open_ones.order_by("-begun_at").first()

    def positions(self) -> list[Position]:
        """Where good walks have ended lately."""
        good = self.finished().filter(problem="", sequence__gt=0)
        ends = good.order_by("-finished_at").values_list("sequence", "hmac")[:30]
        return [Position(sequence, hmac) for sequence, hmac in ends]


class ChainCheck(models.Model):
    """One walk along the whole chain, and how far it has come.

    A good one is a checkpoint as well: the next walk must find the same entry there.
    """

    begun_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    sequence = models.BigIntegerField(default=0)
    hmac = models.CharField(max_length=64, blank=True)
    problem = models.CharField(max_length=600, blank=True)

    objects = ChainCheckQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-finished_at"], name="check_newest")]

    def __str__(self) -> str:
        return self.problem or Position(self.sequence).in_words
