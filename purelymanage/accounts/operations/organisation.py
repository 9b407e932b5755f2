from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import Organisation, User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.audit.mail import queue_mail, try_at_once
from purelymanage.audit.models import OutgoingMail
from purelymanage.errors import Refused

TWO = 2
TEST_MAIL = "A test mail from PurelyManage"


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """What the owners decide for everybody."""

    name: str
    grace_hours: int
    credit_attention: Decimal
    credit_critical: Decimal
    second_factor_required: bool
    second_person_required: bool
    checkpoint_address: str

    @classmethod
    def present(cls, organisation: Organisation) -> Decisions:
        return cls(
            name=organisation.name,
            grace_hours=organisation.grace_hours,
            credit_attention=organisation.credit_attention,
            credit_critical=organisation.credit_critical,
            second_factor_required=organisation.second_factor_required_since
            is not None,
            second_person_required=organisation.second_person_required,
            checkpoint_address=organisation.checkpoint_address,
        )


@transaction.atomic(durable=True)
def change_organisation(*, decisions: Decisions, actor: User) -> None:
    """Decide for everybody; what was requested before keeps its waiting time."""
    organisation = Organisation.objects.locked()
    before = Decisions.present(organisation)
    diff = {
        field.name.replace("_", " "): (_word(old), _word(new))
        for field in fields(Decisions)
        if (old := getattr(before, field.name))
        != (new := getattr(decisions, field.name))
    }
    if not diff:
        return
    asks_two = decisions.second_person_required and not before.second_person_required
    if asks_two and User.people.able_to_approve().count() < TWO:
        raise Refused(
            "A second person can only be asked where there are two owners or "
            "administrators of all domains."
        )

    organisation.name = decisions.name
    organisation.grace_hours = decisions.grace_hours
    organisation.credit_attention = decisions.credit_attention
    organisation.credit_critical = decisions.credit_critical
    organisation.second_person_required = decisions.second_person_required
    organisation.checkpoint_address = decisions.checkpoint_address
    if not decisions.second_factor_required:
        organisation.second_factor_required_since = None
    elif not before.second_factor_required:
        organisation.second_factor_required_since = timezone.now()
    organisation.save()
    log.record(
        Event.ORGANISATION_CHANGED,
        actor=actor,
        target=organisation.name or "the organisation",
        diff=diff,
        changes=", ".join(diff),
    )


@transaction.atomic(durable=True)
def send_test_mail(*, actor: User) -> None:
    """Send a mail to whoever asks, so that they see whether it arrives.

    One that has not gone out yet is tried at once instead of sending another.
    """
    # Two clicks at once are one after the other.
    User.objects.select_for_update().get(pk=actor.pk)
    own = OutgoingMail.objects.filter(recipient=actor.email, subject=TEST_MAIL)
    if mail := own.filter(settled_at=None).order_by("pk").last():
        if not try_at_once(mail):
            return
    else:
        queue_mail(
            to=actor.email,
            subject=TEST_MAIL,
            text="Somebody wanted to see whether mail from PurelyManage arrives. "
            "As you can read this, invitations and warnings will arrive as well.\n",
        )
    log.record(Event.TEST_MAIL_SENT, actor=actor, target=actor.email)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
