from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from purelymanage.audit.models import Agent
from purelymanage.errors import Refused
from purelymanage.migrations.operations import queue_rules


class Command(BaseCommand):
    help = "Let no further copy begin; what runs goes on to its end."

    def handle(self, **options: Any) -> None:
        try:
            queue_rules.pause_queue(actor=Agent.OPERATOR)
        except Refused as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write("The queue is paused.")
