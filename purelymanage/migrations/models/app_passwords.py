from __future__ import annotations

from typing import Self

from django.db import models

from purelymanage.mailboxes.models import AppPassword
from purelymanage.migrations.models.runs import Run


class RunPasswordQuerySet(models.QuerySet["RunPassword"]):
    def in_use(self) -> Self:
        """Those of attempts that are running."""
        return self.filter(
            run__state=Run.State.RUNNING, run__attempt=models.F("attempt")
        )


class RunPassword(models.Model):
    """Which attempt of a run an app password was made for. It goes with it."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="app_passwords")
    attempt = models.PositiveIntegerField()
    app_password = models.OneToOneField(
        AppPassword, on_delete=models.CASCADE, related_name="+"
    )

    objects = RunPasswordQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.app_password} for {self.run}"
