from __future__ import annotations

from django.db import models

from purelymanage.migrations.models.runs import Run


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def in_a_row(self, run: Run) -> list[Attempt]:
        """The attempts of `run` since one of them copied something, newest first."""
        found: list[Attempt] = []
        for attempt in self.filter(run=run, ended_at__isnull=False).order_by("-number"):
            if attempt.copied:
                break
            found.append(attempt)
        return found


class Attempt(models.Model):
    """The time in which a run held a slot: from its claim until it was given back.

    A run that is interrupted has several. They show whether any limit was exceeded.
    """

    class End(models.TextChoices):
        SETTLED = "settled", "Came to an end"
        POSTPONED = "postponed", "Failed, to be tried again"
        PUT_OFF = "put_off", "Made a pause"
        INTERRUPTED = "interrupted", "Was interrupted"
        LOST = "lost", "Lost its worker"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    host = models.CharField(max_length=253, blank=True)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=12, choices=End, blank=True)
    trouble = models.CharField(max_length=12, choices=Run.Trouble, blank=True)
    copied = models.PositiveBigIntegerField(default=0)
    bytes_copied = models.PositiveBigIntegerField(default=0)
    # What it has taken leave for, and of which day the last of that was.
    reserved = models.PositiveBigIntegerField(default=0)
    reserved_on = models.DateField(null=True, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "number"], name="one_row_per_attempt_of_a_run"
            )
        ]

    def __str__(self) -> str:
        return f"{self.run}, attempt {self.number}"
