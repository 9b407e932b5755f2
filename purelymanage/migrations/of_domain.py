"""The copies into a domain, for its page and for the warning before a move."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.domains.related import Count
from purelymanage.figures import thin
from purelymanage.migrations.models import Job, Run

# Whoever has not copied for so long has given up or forgotten it.
PLANNED_FOR = timedelta(days=60)


def copies_of(name: str, user: User) -> Count | None:
    if not user.may(Right.SEE_MIGRATIONS):
        return None
    mine = Job.objects.visible_to(user).filter(destination_domain=name)
    number = mine.count()
    return Count(
        "copies",
        number,
        f"{thin(number)} cop{'y' if number == 1 else 'ies'}",
        f"{reverse('migrations:job-list')}?{urlencode({'q': f'@{name}'})}",
        "move",
        done=number - unfinished(mine).count() if number else 0,
    )


def is_move_planned(name: str) -> bool:
    """Whether mail that is to be copied into the domain has not got there yet."""
    planned = Job.objects.filter(
        destination_domain=name, created_at__gte=timezone.now() - PLANNED_FOR
    )
    return unfinished(planned).exists()


def unfinished(jobs: QuerySet[Job]) -> QuerySet[Job]:
    done = Run.objects.filter(job=OuterRef("pk"), dry_run=False, state=Run.State.DONE)
    return jobs.exclude(Exists(done))
