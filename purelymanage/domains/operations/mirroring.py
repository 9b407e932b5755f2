"""Reads the list of domains alone, after the panel itself has changed something."""

from __future__ import annotations

import contextlib
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.domains import mirror
from purelymanage.domains.models import SyncRun
from purelymanage.domains.sync import Implausible, Reading
from purelymanage.purelymail import types
from purelymanage.purelymail.client import PurelymailClient


def read_domains(client: PurelymailClient) -> None:
    """Read the domains of the account into the mirror."""
    began_at = timezone.now()
    take_domains(client.list_domains(), began_at)


def take_domains(found: list[types.Domain], began_at: datetime) -> None:
    """Write a list into the mirror, unless it is more likely a mistake than true."""
    with contextlib.suppress(Implausible):
        mirror.PART.check(found)
        _apply(found, began_at)


@transaction.atomic(durable=True)
def _apply(found: list[types.Domain], began_at: datetime) -> None:
    is_first = not SyncRun.objects.filter(state=SyncRun.State.DONE).exists()
    reading = Reading(began_at=began_at, is_first=is_first)
    mirror.apply(found, reading)
    log.record_many(reading.found)
