"""What the workers do by the clock. Written to the database after each `migrate`."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django_q.models import OrmQ, Schedule

SCHEDULES = {
    "sync": ("purelymanage.domains.tasks.sync", Schedule.HOURLY),
    "domain records": ("purelymanage.domains.tasks.keep_watch", Schedule.MINUTES),
    "mailbox details": (
        "purelymanage.mailboxes.tasks.fill_in_details",
        Schedule.MINUTES,
    ),
    "app passwords": (
        "purelymanage.mailboxes.tasks.revoke_app_passwords",
        Schedule.MINUTES,
    ),
    "renames": ("purelymanage.mailboxes.tasks.follow_renames", Schedule.MINUTES),
    "hand-overs": (
        "purelymanage.mailboxes.tasks.sweep_hand_overs",
        Schedule.MINUTES,
    ),
    "bulk changes": ("purelymanage.mailboxes.bulk.tasks.sweep", Schedule.MINUTES),
    "audit chain": ("purelymanage.audit.tasks.check_chain", Schedule.DAILY),
    "notices": ("purelymanage.audit.tasks.tell_people", Schedule.MINUTES),
    "mail": ("purelymanage.audit.tasks.sweep_mail", Schedule.MINUTES),
    "old sessions": (
        "purelymanage.accounts.security.tasks.forget_old_sessions",
        Schedule.DAILY,
    ),
    "deletions": ("purelymanage.deletions.tasks.keep_watch", Schedule.MINUTES),
    "rewrites": ("purelymanage.routing.tasks.repair_rewrites", Schedule.MINUTES),
    "temporary rules": ("purelymanage.routing.tasks.end_rules", Schedule.MINUTES),
    "bulk changes of rules": (
        "purelymanage.routing.tasks.sweep_bulks",
        Schedule.MINUTES,
    ),
    "snapshots": ("purelymanage.routing.tasks.keep_snapshot", Schedule.MINUTES),
    "logins of copies": (
        "purelymanage.migrations.login_tests.sweep",
        Schedule.MINUTES,
    ),
    "actions on batches": (
        "purelymanage.migrations.job_actions.sweep",
        Schedule.MINUTES,
    ),
    "batches to tell of": (
        "purelymanage.migrations.tasks.tell_of_batches",
        Schedule.MINUTES,
    ),
    "mails of campaigns": (
        "purelymanage.migrations.campaigns.tasks.send_mails",
        Schedule.MINUTES,
    ),
    "ended campaigns": (
        "purelymanage.migrations.campaigns.tasks.purge",
        Schedule.HOURLY,
    ),
    "launches of campaigns": (
        "purelymanage.migrations.campaigns.tasks.sweep_launches",
        Schedule.MINUTES,
    ),
    "passwords of owners": (
        "purelymanage.migrations.campaigns.trying.sweep",
        Schedule.MINUTES,
    ),
    "sweep runs": ("purelymanage.migrations.tasks.sweep", Schedule.MINUTES),
}

# Nothing by the clock waits longer than until its next turn, and no task longer than
# until it is delivered once more.
LONGEST = {
    Schedule.MINUTES: timedelta(minutes=1),
    Schedule.HOURLY: timedelta(hours=1),
    Schedule.DAILY: timedelta(days=1),
}
SLACK = timedelta(minutes=2)  # that two clocks may differ by
LOOK_EVERY = 30.0  # seconds

_looked_at = float("-inf")


def bring_back(**_: Any) -> None:
    """Let nothing wait for the time of a clock that was ahead and was set right.

    It has written down when to go on; without this all would stand still until then.
    """
    global _looked_at
    if time.monotonic() - _looked_at < LOOK_EVERY:
        return
    _looked_at = time.monotonic()
    now = timezone.now()
    far = Q()
    for kind, longest in LONGEST.items():
        far |= Q(schedule_type=kind, next_run__gt=now + longest + SLACK)
    Schedule.objects.filter(far).update(next_run=now)
    retry = timedelta(seconds=settings.Q_CLUSTER["retry"])
    tasks = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"])
    tasks.filter(lock__gt=now + retry + SLACK).update(lock=now)


def write_schedules(**_: Any) -> None:
    """Make the schedule table say what `SCHEDULES` says; next runs are kept."""
    for name, (func, kind) in SCHEDULES.items():
        Schedule.objects.update_or_create(
            name=name,
            defaults={"func": func, "schedule_type": kind, "repeats": -1},
            create_defaults={
                "func": func,
                "schedule_type": kind,
                "repeats": -1,
                "next_run": timezone.now(),
            },
        )
    Schedule.objects.exclude(name__in=SCHEDULES).delete()
