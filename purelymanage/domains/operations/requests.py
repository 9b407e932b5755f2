"""What people ask of the schedule: look now, and look often for a while."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.log import Actor
from purelymanage.domains.models import DomainQuerySet, Health
from purelymanage.errors import Refused

# How soon somebody may ask again for the same domain, alone or among many.
AGAIN_AFTER = timedelta(seconds=15)
MANY = 20
MANY_AGAIN_AFTER = timedelta(minutes=5)
LOOK = "purelymanage.domains.tasks.look_at_due"


@transaction.atomic(durable=True)
def check_now(*, domains: DomainQuerySet, actor: Actor) -> int:
    """Have these domains looked at as soon as a worker is free; return how many.

    A few are then looked at each minute for a while.
    What somebody asked for a moment ago is left out. Raise `Refused` if that is all.
    """
    wanted = domains.present().filter(is_shared=False)
    names = sorted(wanted.values_list("name", flat=True))
    if not names:
        raise Refused("There is no domain to look at.")
    now = timezone.now()
    pause = AGAIN_AFTER if len(names) <= MANY else MANY_AGAIN_AFTER
    Health.objects.bulk_create(
        [Health(domain=domain) for domain in wanted.filter(health=None)],
        ignore_conflicts=True,
    )
    free = Q(asked_at=None) | Q(asked_at__lte=now - pause)
    asked = Health.objects.filter(free, domain__name__in=names).update(
        asked_at=now, next_look_at=now
    )
    if not asked:
        raise Refused(_too_soon(names, pause))
    if len(names) <= MANY:
        # Whoever asks for a few is waiting for something to arrive.
        Health.objects.filter(domain__name__in=names, asked_at=now).update(
            touched_at=now
        )
    async_task(LOOK)
    one = names[0] if len(names) == 1 else f"{asked} domains"
    log.record(
        Event.DOMAIN_CHECK_REQUESTED,
        actor=actor,
        target=one,
        domain=names[0] if len(names) == 1 else "",
    )
    return asked


def touch(name: str) -> None:
    """Look at a domain every minute for ten minutes: somebody is changing it.

    Call it in the transaction that settles the change.
    """
    now = timezone.now()
    Health.objects.filter(domain__name=name).update(touched_at=now, next_look_at=now)


def _too_soon(names: list[str], pause: timedelta) -> str:
    if len(names) == 1:
        return f"{names[0]} has just been looked at. Try again in a few seconds."
    seconds = int(pause.total_seconds())
    span = f"{seconds // 60} minutes" if seconds >= 60 else f"{seconds} seconds"
    return (
        f"All of these {len(names)} domains have been asked for within the last {span}."
    )
