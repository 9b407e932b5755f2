"""Mails to the people of a campaign that are still here: taken back, or erased.

All of it is part of a larger change.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit.models import OutgoingMail
from purelymanage.migrations.campaigns import mails, outcomes
from purelymanage.migrations.models import Campaign, Participant

ONE_STEP = 1_000


def take_back_mails(campaign: Campaign, people: QuerySet[Participant]) -> None:
    """Send people nothing that waits, and do not say any more that it was sent."""
    # Locked, so that none of them is sent meanwhile.
    waiting = OutgoingMail.objects.waiting().select_for_update().order_by("pk")
    found = list(_to(people, _not_of_others(campaign, waiting)).defer("sealed"))
    addresses = {it.recipient for it in found}
    known = {it.address: it for it in people.filter(address__in=addresses)}
    elsewhere = _asked_elsewhere(campaign, addresses)
    unwanted, unsaid = [], []
    for mail in found:
        person = known[mail.recipient]
        if mail.pk == person.mail_id:
            _unsay(campaign, person)
            unsaid.append(person)
        elif person.address in elsewhere or not _is_about(mail, campaign, person):
            continue
        unwanted.append(mail.pk)
    Participant.objects.bulk_update(
        unsaid, ["invited_at", "reminded_at"], batch_size=ONE_STEP
    )
    OutgoingMail.objects.filter(pk__in=unwanted).delete()


def erase_mails(campaign: Campaign) -> None:
    """Forget whom a campaign has written to."""
    people = campaign.participants.all()
    take_back_mails(campaign, people)
    settled = OutgoingMail.objects.filter(
        settled_at__isnull=False, queued_at__gte=campaign.created_at
    )
    theirs = _to(people, _not_of_others(campaign, settled))
    # What the panel writes to those who use it is not the campaign's.
    theirs.exclude(recipient__in=User.objects.values("email")).delete()


def _to(
    people: QuerySet[Participant], found: QuerySet[OutgoingMail]
) -> QuerySet[OutgoingMail]:
    return found.filter(recipient__in=people.order_by().values("address"))


def _not_of_others(
    campaign: Campaign, found: QuerySet[OutgoingMail]
) -> QuerySet[OutgoingMail]:
    others = Participant.objects.exclude(campaign=campaign).exclude(mail=None)
    return found.exclude(pk__in=others.values("mail"))


def _asked_elsewhere(campaign: Campaign, addresses: set[str]) -> set[str]:
    """Return who has mail of another campaign that cannot be told from ours."""
    others = Participant.objects.present().exclude(campaign=campaign)
    others = others.filter(
        address__in=addresses,
        campaign__closed_at=None,
        campaign__ends_at__gt=timezone.now(),
    )
    return set(others.values_list("address", flat=True))


def _is_about(mail: OutgoingMail, campaign: Campaign, person: Participant) -> bool:
    """Whether this is an earlier mail, or one about a password that was tried later."""
    kinds = Participant.Mail.values
    subjects = {_subject(campaign, person, it) for it in kinds}
    return mail.subject in subjects | outcomes.subjects(person.address)


def _unsay(campaign: Campaign, person: Participant) -> None:
    """Go back to when the last mail before went out, if one did."""
    invited, reminded = person.invited_at, person.reminded_at
    if reminded is not None and (invited is None or reminded > invited):
        person.reminded_at = _sent_at(campaign, person, Participant.Mail.REMINDER)
    else:
        person.invited_at = _sent_at(campaign, person, Participant.Mail.INVITATION)


def _sent_at(campaign: Campaign, person: Participant, kind: str) -> datetime | None:
    sent = OutgoingMail.objects.filter(
        state=OutgoingMail.State.SENT,
        recipient=person.address,
        subject=_subject(campaign, person, kind),
    )
    return sent.order_by("queued_at").values_list("queued_at", flat=True).last()


def _subject(campaign: Campaign, person: Participant, kind: str) -> str:
    subject = mails.compose(campaign, person, kind, link="").subject
    return " ".join(subject.split())[:200]
