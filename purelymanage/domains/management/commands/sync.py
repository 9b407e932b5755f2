from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError

from purelymanage.audit.models import Agent
from purelymanage.domains.models import SyncRun
from purelymanage.domains.sync import sync
from purelymanage.errors import Refused


class Command(BaseCommand):
    help = "Read the PurelyMail account into the panel now."

    def handle(self, **options: Any) -> None:
        try:
            run = sync(actor=Agent.OPERATOR)
        except Refused as exc:
            raise CommandError(str(exc)) from exc
        if run.state == SyncRun.State.FAILED:
            raise CommandError(f"Nothing was changed. {run.reason}")
        self.stdout.write(f"Synced {run.summary}.")
