"""Gathers what a plan is drawn up from; the credit is told by whoever reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from purelymanage.accounts.models import User
from purelymanage.migrations.models import Run, RunFolder
from purelymanage.migrations.plans import Plan, Speed, draw_up, speed_of

LOOKED_AT = 10

Credit = Callable[[], Decimal | None]

_credit: list[Credit] = []


def register_credit(provider: Credit) -> None:
    if provider not in _credit:
        _credit.append(provider)


def plan_of(run: Run, folders: Iterable[RunFolder], user: User) -> Plan | None:
    """Return the figures of a plan, or None for anything else.

    The credit is the whole account's, so people limited to some domains don't see it.
    """
    if not run.dry_run or run.state != Run.State.DONE:
        return None
    reasons: list[str] = []
    if run.failed:
        reasons = list(run.errors.filter(uid__gt=0).values_list("reason", flat=True))
    credit = None
    if user.domain_scope is None:
        credit = next((it() for it in _credit), None)
    return draw_up(run, folders, speed=_measured(run), reasons=reasons, credit=credit)


def _measured(run: Run) -> Speed:
    earlier = Run.objects.filter(
        job__server=run.job.server_id, dry_run=False, copied__gt=0
    )
    return speed_of(earlier.only("samples").order_by("-pk")[:LOOKED_AT])
