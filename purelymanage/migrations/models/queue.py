from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

PK = 1


USUAL = 4


def workers_of_a_host() -> int:
    workers: int = settings.Q_CLUSTER["ALT_CLUSTERS"]["migrations"]["workers"]
    return workers


def default_parallel_runs() -> int:
    return min(USUAL, workers_of_a_host())


class QueueRulesManager(models.Manager["QueueRules"]):
    def present(self) -> QueueRules:
        """Return the row, or what it would say before anybody changed anything."""
        return self.filter(pk=PK).first() or QueueRules(pk=PK)

    def locked(self) -> QueueRules:
        """Return the row for a change, made if need be."""
        self.bulk_create([QueueRules(pk=PK)], ignore_conflicts=True)
        return self.select_for_update().get(pk=PK)


class QueueRules(models.Model):
    """How the queue of copies is to work. There is one row, or none yet."""

    parallel_runs = models.PositiveSmallIntegerField(
        default=default_parallel_runs,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    # While it is paused nothing begins; what runs goes on to its end.
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    # Hours in which nothing begins and what runs makes a pause, by local time.
    pause_from = models.TimeField(null=True, blank=True)
    pause_until = models.TimeField(null=True, blank=True)

    objects = QueueRulesManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=PK), name="one_queue_only"),
            models.CheckConstraint(
                condition=~(models.Q(pause_from=None) ^ models.Q(pause_until=None)),
                name="queue_pauses_have_both_ends",
            ),
        ]

    def __str__(self) -> str:
        return "The queue of copies"
