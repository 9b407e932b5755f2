from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from purelymanage.deletions import clock
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.operations import execution

FOR_AN_HOUR = 3600.0


class Command(BaseCommand):
    help = "Delete what has waited long enough, and announce what is next."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="list what is due without deleting any of it",
        )

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        if dry_run:
            for deletion in PendingDeletion.objects.due(clock.now()):
                self.stdout.write(f"{deletion.name}: due")
            return
        execution.resolve_abandoned()
        execution.announce_due()
        for deletion in execution.execute_due(seconds=FOR_AN_HOUR):
            outcome = deletion.get_state_display().lower()
            note = f" ({deletion.note})" if deletion.note else ""
            self.stdout.write(f"{deletion.name}: {outcome}{note}")
