"""Mails to the people of a campaign: asked for together, sent by workers in portions."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.accounts.models import User
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.audit.mail import queue_mail
from purelymanage.audit.models import OutgoingMail
from purelymanage.errors import Refused
from purelymanage.migrations.campaigns import links, mails
from purelymanage.migrations.models import Campaign, Participant, Submission
from purelymanage.migrations.models.participants import HAS_COPY
from purelymanage.migrations.operations.campaigns import (
    hold,
    people_in_words,
    refuse_if_over,
)
from purelymanage.migrations.references import record_campaign
from purelymanage.prepared import Slot

# What mail servers take from one sender without calling it spam, with room for what
# the panel has to say otherwise.
MAILS_A_MINUTE = 60
MINUTE = timedelta(minutes=1)
# Nobody gets two of a kind within a day, whoever presses the button how often.
PAUSE = timedelta(days=1)
TASK = "purelymanage.migrations.campaigns.tasks.send_mails"
LOCK = 0x51_07_3C  # any number that nobody else locks

NOBODY = "There is nobody left whom such a mail could be sent to."
NOT_LISTED = (
    "This address came by the link for everybody, so nobody knows whose it is. Put it "
    "on the list first."
)
NOT_SENT = "No mail has gone out to this address that could have come back."
TOO_SOON = "The last mail went out less than a day ago. Copy the link instead."


def to_invite(campaign: Campaign) -> QuerySet[Participant]:
    """Those on the list who have not been asked yet."""
    return campaign.participants.present().filter(is_to_invite())


def to_remind(campaign: Campaign, at: datetime) -> QuerySet[Participant]:
    """Those who were asked, have not answered, and were left alone for a day."""
    return campaign.participants.present().filter(is_to_remind(at - PAUSE))


def is_to_invite() -> Q:
    return _REACHABLE & Q(invited_at=None) & ~Q(_has_password())


def is_to_remind(last: datetime | Slot) -> Q:
    """Whether somebody was written to, but not after `last`, and has not answered."""
    asked = Q(invited_at__lte=last, withdrawn_at=None)
    reminded = Q(reminded_at=None) | Q(reminded_at__lte=last)
    bounced = Q(mail__state=OutgoingMail.State.FAILED)
    return _REACHABLE & asked & reminded & ~bounced & ~Q(_has_password())


_REACHABLE = Q(is_listed=True, mail_due="") & ~HAS_COPY


def recipients(campaign: Campaign, kind: str) -> QuerySet[Participant]:
    """Return who would get such a mail now."""
    if kind == Participant.Mail.REMINDER:
        return to_remind(campaign, timezone.now())
    return to_invite(campaign)


@transaction.atomic(durable=True)
def invite_people(*, campaign: Campaign, actor: User) -> int:
    """Let everybody be invited who was not, and return how many those are."""
    held = hold(campaign)
    refuse_if_over(held)
    number = _ask_for(to_invite(held), Participant.Mail.INVITATION)
    words = people_in_words(number)
    record_campaign(CampaignEvent.PEOPLE_INVITED, held, actor=actor, people=words)
    return number


@transaction.atomic(durable=True)
def remind_people(*, campaign: Campaign, actor: User) -> int:
    """Let everybody be reminded who has not answered, and return how many those are."""
    held = hold(campaign)
    refuse_if_over(held)
    found = to_remind(held, timezone.now())
    number = _ask_for(found, Participant.Mail.REMINDER)
    words = people_in_words(number)
    record_campaign(CampaignEvent.PEOPLE_REMINDED, held, actor=actor, people=words)
    return number


@transaction.atomic(durable=True)
def invite_again(*, participant: Participant, actor: User) -> None:
    """Send somebody the invitation once more, or for the first time."""
    campaign = hold(participant.campaign)
    refuse_if_over(campaign)
    present = campaign.participants.present().select_for_update(of=("self",))
    row = present.select_related("mail").filter(pk=participant.pk).first()
    if row is None or row.has_copy:
        raise Refused(NOBODY)
    if not row.is_listed:
        raise Refused(NOT_LISTED)
    last = max((it for it in (row.invited_at, row.reminded_at) if it), default=None)
    is_lost = row.mail is not None and row.mail.state == OutgoingMail.State.FAILED
    if row.mail_due or (last and last > timezone.now() - PAUSE and not is_lost):
        raise Refused(TOO_SOON)
    row.mail_due, row.mail_due_at = Participant.Mail.INVITATION, timezone.now()
    row.save(update_fields=["mail_due", "mail_due_at"])
    async_task(TASK)
    record_campaign(
        CampaignEvent.PEOPLE_INVITED, campaign, actor=actor, people=row.address
    )


@transaction.atomic(durable=True)
def note_came_back(*, participant: Participant, note: str, actor: User) -> None:
    """Note that somebody's last mail was refused after it had been accepted.

    Such an answer goes to the mailbox of the sender, which the panel does not read.
    """
    campaign = hold(participant.campaign)
    row = campaign.participants.present().filter(pk=participant.pk)
    mails = OutgoingMail.objects.filter(pk__in=row.exclude(mail=None).values("mail"))
    failed = OutgoingMail.State.FAILED
    said = note or "It came back to its sender."
    if not mails.filter(state=OutgoingMail.State.SENT).update(
        state=failed, last_error=said[:300]
    ):
        raise Refused(NOT_SENT)
    record_campaign(
        CampaignEvent.MAIL_CAME_BACK, campaign, actor=actor, address=participant.address
    )


def send_due() -> int:
    """Hand over as many mails as this minute may have, and return how many.

    What is not wanted any more, as its campaign ended or its person answered, is left.
    """
    with transaction.atomic(durable=True):
        # One after the other, so that two workers do not each send a portion.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        now = timezone.now()
        _forget_unwanted(now)
        lately = OutgoingMail.objects.filter(queued_at__gt=now - MINUTE)
        sent = Participant.objects.filter(mail__in=lately).count()
        due = Participant.objects.with_due_mail(now).select_related("campaign")
        rows = due.select_for_update(of=("self",), skip_locked=True)
        found = list(rows[: max(0, MAILS_A_MINUTE - sent)])
        for row in found:
            _send(row, now)
        return len(found)


def _send(row: Participant, now: datetime) -> None:
    link = links.link_of(row)
    if not link:
        link = links.url_of(links.mint(row))
    mail = mails.compose(row.campaign, row, row.mail_due, link=link)
    row.mail = queue_mail(to=row.address, subject=mail.subject, text=mail.text)
    if row.mail_due == Participant.Mail.REMINDER:
        row.reminded_at = now
    else:
        row.invited_at = now
    row.mail_due, row.mail_due_at = "", None
    row.save(
        update_fields=[
            "token_hash",
            "token",
            "mail",
            "mail_due",
            "mail_due_at",
            "invited_at",
            "reminded_at",
        ]
    )


def _forget_unwanted(now: datetime) -> None:
    due = Participant.objects.exclude(mail_due="")
    over = Q(campaign__closed_at__isnull=False) | Q(campaign__ends_at__lte=now)
    unwanted = over | Q(removed_at__isnull=False) | HAS_COPY
    answered = Q(mail_due=Participant.Mail.REMINDER) & Q(_has_password())
    due.filter(unwanted | answered).update(mail_due="", mail_due_at=None)


def _ask_for(people: QuerySet[Participant], kind: Participant.Mail) -> int:
    number = people.update(mail_due=kind, mail_due_at=timezone.now())
    if not number:
        raise Refused(NOBODY)
    async_task(TASK)
    return number


def _has_password() -> Exists:
    """Whether a password is right or waits, and that of the owner as far as one sees."""
    states = [
        Submission.State.RIGHT,
        Submission.State.WAITING,
        Submission.State.TRYING,
    ]
    mine = Submission.objects.beyond_doubt().exclude(secret="")
    return Exists(mine.filter(participant=OuterRef("pk"), state__in=states))
