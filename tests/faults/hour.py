"""An hour of what the workers do by the clock, in no time.

    python -m tests.faults.hour [--minutes 60] [--only NAME …]

The clock of this process is moved by a minute for each round, so that pauses end and
what is due falls due. It prints how many calls to PurelyMail that took, by operation.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from unittest import mock


def work(minutes: int = 60, only: Iterable[str] = (), *, step: int = 1) -> Counter[str]:
    """Do what is scheduled, the rest of what each minute brings included."""
    from django.core.cache import cache
    from django.utils import timezone
    from django.utils.module_loading import import_string
    from django_q.models import Schedule

    from purelymanage.domains.models import SyncRun
    from purelymanage.purelymail.models import CallCount
    from purelymanage.schedules import SCHEDULES

    def calls() -> Counter[str]:
        found: Counter[str] = Counter()
        for operation, number in CallCount.objects.values_list("operation", "number"):
            found[operation] += number
        return found

    chosen = {name: SCHEDULES[name] for name in only or SCHEDULES}
    before, real = calls(), timezone.now
    cache.get("any")  # loaded while the clock is right: what it keeps expires by that
    known = list(SyncRun.objects.values_list("pk", flat=True))
    for minute in range(0, minutes, step):
        ahead = timedelta(minutes=minute)
        with mock.patch("django.utils.timezone.now", lambda: real() + ahead):  # noqa: B023
            # Workers beside us go by another clock; what failed there failed just now.
            failed = SyncRun.objects.filter(state="failed").exclude(pk__in=known)
            found = list(failed.values_list("pk", flat=True))
            SyncRun.objects.filter(pk__in=found).update(finished_at=timezone.now())
            known += found
            for func, kind in chosen.values():
                if kind == Schedule.MINUTES or not minute:
                    import_string(func)()
    return calls() - before


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--only", nargs="+", default=[])
    wishes = parser.parse_args()
    import django

    django.setup()
    sys.stdout.write(json.dumps(work(wishes.minutes, wishes.only)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
