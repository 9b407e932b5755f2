from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.log import Actor
from purelymanage.audit.models import Agent, OutgoingMail
from purelymanage.audit.panel_events import PanelEvent
from purelymanage.dashboard import checked
from purelymanage.dashboard.doctor.results import Result, Tone
from purelymanage.dashboard.models import Setup, TokenCheck
from purelymanage.dashboard.operations import note_credit
from purelymanage.dashboard.setup import steps
from purelymanage.dashboard.setup.steps import Name
from purelymanage.errors import Refused

TOKEN = "the API token"  # noqa: S105  # what events about it are about
SETUP = "the set-up of the panel"


@transaction.atomic(durable=True)
def check_token(*, actor: User) -> None:
    """Have a worker ask PurelyMail, unless one does so already."""
    check, is_new = TokenCheck.objects.get_or_create(state=TokenCheck.State.WAITING)
    if not is_new:
        # Its task was lost, unless somebody else has just noticed that as well.
        lost = TokenCheck.objects.filter(pk=check.pk, asked_at=check.asked_at)
        if not check.is_stale or not lost.update(
            asked_at=timezone.now(), claimed_at=None
        ):
            return
    async_task("purelymanage.dashboard.setup.tasks.check_token", check.pk)
    log.record(PanelEvent.TOKEN_CHECK_REQUESTED, actor=actor, target=TOKEN)


def carry_out_check(pk: int) -> str:
    """Ask PurelyMail, and write down what it says. Safe to be delivered twice."""
    claimed_at = timezone.now()
    unclaimed = TokenCheck.objects.filter(
        pk=pk, state=TokenCheck.State.WAITING, claimed_at=None
    )
    if not unclaimed.update(claimed_at=claimed_at):
        return "not asked for any more"
    result, credit = checked.purelymail()
    _settle(pk, claimed_at, result, credit)
    return result.sentence


@transaction.atomic(durable=True)
def _settle(pk: int, claimed_at: datetime, result: Result, credit: Decimal) -> None:
    now, is_right = timezone.now(), result.tone == Tone.GOOD
    mine = TokenCheck.objects.filter(
        pk=pk, state=TokenCheck.State.WAITING, claimed_at=claimed_at
    )
    if not mine.update(
        state=TokenCheck.State.DONE,
        settled_at=now,
        is_right=is_right,
        sentence=result.sentence[:500],
        next_step=result.fix[:300],
    ):
        return
    TokenCheck.objects.filter(state=TokenCheck.State.DONE).exclude(pk=pk).delete()
    if is_right:
        note_credit(credit, at=now)
    log.record(
        PanelEvent.TOKEN_CHECKED,
        actor=Agent.PANEL,
        target=TOKEN,
        result=result.sentence,
    )


@transaction.atomic(durable=True)
def put_off(*, step: Name, actor: User) -> None:
    """Let a step wait until after the others."""
    if step is Name.TOKEN:
        raise Refused("Without the token nothing else works, so it cannot wait.")
    setup = Setup.objects.locked()
    if step in setup.put_off:
        return
    setup.put_off = [*setup.put_off, str(step)]
    setup.save(update_fields=["put_off"])
    log.record(
        PanelEvent.SETUP_STEP_PUT_OFF,
        actor=actor,
        target=SETUP,
        step=f"“{steps.TITLES[step]}”",
    )


@transaction.atomic(durable=True)
def confirm_mail(*, actor: User) -> None:
    """Believe somebody who has the test mail before them."""
    setup = Setup.objects.locked()
    mail = steps.newest_test_mail(actor)
    sent_at = mail.settled_at if mail else None
    if mail is None or sent_at is None or mail.state != OutgoingMail.State.SENT:
        raise Refused("No test mail has left the panel yet.")
    if setup.mail_arrived_at and sent_at < setup.mail_arrived_at:
        return
    setup.mail_arrived_at = timezone.now()
    setup.save(update_fields=["mail_arrived_at"])
    log.record(PanelEvent.TEST_MAIL_ARRIVED, actor=actor, target=actor.email)


@transaction.atomic(durable=True)
def finish(*, actor: Actor) -> None:
    """Ask nobody to set the panel up any more."""
    setup = Setup.objects.locked()
    if setup.finished_at:
        return
    setup.finished_at = timezone.now()
    setup.save(update_fields=["finished_at"])
    log.record(PanelEvent.SETUP_FINISHED, actor=actor, target=SETUP)
