"""Passwords that could not be tried when they came: who tries one, and what comes of it.

A row is claimed by a lease. Whoever dies leaves it to run out, and somebody else begins
anew; whoever is late finds that the row is not theirs any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, IntegerField, Q, Value, When
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.audit.models import Agent, Entry
from purelymanage.migrations.campaigns import limits
from purelymanage.migrations.campaigns.limits import Keys, Way
from purelymanage.migrations.campaigns.outcomes import Outcome, tell
from purelymanage.migrations.models import (
    Campaign,
    Participant,
    Server,
    SignIn,
    Submission,
)
from purelymanage.migrations.models.participants import SubmissionQuerySet
from purelymanage.migrations.operations.sign_ins import (
    add_sign_in,
    end_sign_in,
    lock_server,
)
from purelymanage.migrations.operations.submissions import (
    is_left_out,
    left_out,
    note_right,
    received,
    replaced_by,
    take_vouching,
)
from purelymanage.migrations.references import campaign_entry

LEASE = timedelta(seconds=90)
# How long to wait after each time that nobody answered; the last one repeats until the
# campaign ends.
PAUSES = [timedelta(minutes=it) for it in (0.5, 2, 10, 30, 60)]
# Copies may fill a server for days; nobody should hear of a wrong password so late.
PATIENCE_WITH_COPIES = timedelta(minutes=2)
NEVER_ANSWERED = "the mail server did not answer as long as the campaign was open"
NOT_TAKEN = "It is right, but nobody knows whether this login belongs to the address."

State, CameBy = Submission.State, Submission.CameBy


@dataclass(frozen=True, slots=True)
class Claim:
    """A password that is ours to try, and the place it has at the server."""

    submission: Submission
    sign_in: SignIn


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the trial came to, with words for administrators unless it was right."""

    outcome: SignIn.Outcome
    words: str = ""


@transaction.atomic(durable=True)
def claim_kept(*, server_id: int, most: int) -> list[Claim]:
    """Take passwords to try, as many as the server may be asked for.

    This opens the stored passwords, which is why it is written down here. First comes
    what did not come by the link for everybody, then people who were listed and sign in
    under their own address: whoever only guesses does not make them wait.
    """
    now = timezone.now()
    server = lock_server(server_id)
    due = _due(server_id, now)
    free = min(most, _room(server, due, now))
    if free <= 0:
        return []
    rows = due.select_for_update(of=("self",), skip_locked=True)
    rows = rows.select_related("participant__campaign__server")
    claims: list[Claim] = []
    for submission in rows.order_by(*_first(), "due_at", "pk")[: 3 * free]:
        if len(claims) == free:
            break
        claim = _claim(submission, now)
        if claim is not None:
            claims.append(claim)
    log.record_many([_opened(it.submission) for it in claims])
    return claims


@transaction.atomic(durable=True)
def settle_kept(*, claim: Claim, verdict: Verdict) -> Participant | None:
    """Note what came of a trial and tell the owner.

    Answers whose password was right, None where somebody has to look at it first.
    """
    campaign = Campaign.objects.select_for_update(no_key=True).get(
        pk=claim.sign_in.campaign_id
    )
    held = (
        Submission.objects.filter(
            pk=claim.submission.pk, state=State.TRYING, due_at=claim.submission.due_at
        )
        .select_for_update(of=("self",))
        .select_related("participant")
        .first()
    )
    end_sign_in(claim.sign_in, verdict.outcome)
    if held is None:
        return None
    held.participant.campaign = campaign
    if verdict.outcome == SignIn.Outcome.RIGHT:
        return _take(held)
    if verdict.outcome == SignIn.Outcome.REFUSED:
        log.record_many([_refuse(held, verdict.words)])
    elif campaign.is_open:
        _put_off(held, verdict.words)
    else:
        log.record_many([_give_up(held)])
    return None


@transaction.atomic(durable=True)
def give_up_late_ones() -> int:
    """Erase what could not be tried before its campaign ended."""
    now = timezone.now()
    over = Campaign.objects.exclude(pk__in=Campaign.objects.open(now).values("pk"))
    rows = Submission.objects.untried().filter(participant__campaign__in=over)
    # What is being tried this moment is settled by whoever does it.
    free = rows.exclude(pk__in=Submission.objects.under_way(now).values("pk"))
    locked = free.select_for_update(of=("self",), skip_locked=True)
    late = list(locked.select_related("participant__campaign").order_by("pk")[:500])
    log.record_many([_give_up(submission) for submission in late])
    return len(late)


def due_servers() -> list[int]:
    """Return the servers with passwords that are due."""
    due = Submission.objects.due(timezone.now()).order_by()
    return sorted(set(due.values_list("participant__campaign__server", flat=True)))


def has_due(server_id: int) -> bool:
    return _due(server_id, timezone.now()).exists()


def _due(server_id: int, now: datetime) -> SubmissionQuerySet:
    mine = Campaign.objects.open(now).filter(server=server_id)
    return Submission.objects.due(now).filter(participant__campaign__in=mine)


def _room(server: Server, due: SubmissionQuerySet, now: datetime) -> int:
    oldest = due.first()
    if oldest is None or oldest.due_at is None:
        return 0
    least = 1 if now - oldest.due_at > PATIENCE_WITH_COPIES else 0
    return limits.free_places(server, now, least=least)


def _first() -> list[Case]:
    """Order by whom there is the least doubt about."""
    return [
        Case(When(it, then=Value(0)), default=Value(1), output_field=IntegerField())
        for it in (
            ~Q(came_by=CameBy.SHARED),
            Q(participant__is_listed=True),
            Q(user=""),
        )
    ]


def _claim(submission: Submission, now: datetime) -> Claim | None:
    """Take one, unless so many of its mailbox or its campaign were refused."""
    campaign = submission.participant.campaign
    keys = _keys(submission)
    used_up = limits.is_used_up(campaign, keys.way, now)
    if used_up or limits.too_often_until(keys, now):
        submission.state = State.WAITING
        submission.due_at = now + limits.QUARTER
        submission.save(update_fields=["state", "due_at"])
        return None
    submission.state, submission.due_at = State.TRYING, now + LEASE
    submission.tries = min(submission.tries + 1, 30_000)
    submission.save(update_fields=["state", "due_at", "tries"])
    return Claim(submission, add_sign_in(campaign, keys, now))


def _keys(submission: Submission) -> Keys:
    server = submission.participant.campaign.server_id
    user = submission.source_user
    # By a link of one's own other mailboxes count like those of strangers.
    is_own = submission.came_by == CameBy.OWN and not submission.user
    vouched = is_own or submission.came_by == CameBy.ADDED
    way = Way.WORKER_OWN if vouched else Way.WORKER
    return limits.keys_of(way=way, server_id=server, user=user, client=None)


def _take(held: Submission) -> Participant | None:
    """Let a password that is right take the place of the former and the older ones."""
    participant = held.participant
    if is_left_out(held):
        _settle(held, State.REFUSED, NOT_TAKEN)
        log.record_many([left_out(held)])
        return None
    was_removed = participant.removed_at is not None
    take_vouching(held)
    # Whoever entered another one since wants that to be tried as well.
    newer = Q(made_at__gt=held.made_at) & ~Q(state=State.RIGHT)
    replaced_by(held).exclude(newer).delete()
    held.state, held.words, held.due_at = State.RIGHT, "", None
    held.client_key = ""
    columns = ["state", "words", "due_at", "client_key", "vouched_at"]
    held.save(update_fields=columns)
    note_right(held, timezone.now())
    tell(held, Outcome.RIGHT)
    log.record_many([received(held, actor=Agent.PANEL)])
    return None if was_removed or held.is_doubtful else participant


def _refuse(held: Submission, words: str) -> Entry:
    participant = held.participant
    _settle(held, State.REFUSED, words)
    if not held.is_doubtful:
        participant.refused_at = timezone.now()
        participant.save(update_fields=["refused_at"])
    tell(held, Outcome.REFUSED)
    return campaign_entry(
        CampaignEvent.SUBMISSION_REFUSED,
        participant.campaign,
        actor=Agent.STRANGER,
        address=participant.address,
    )


def _give_up(held: Submission) -> Entry:
    campaign = held.participant.campaign
    _settle(held, State.UNANSWERED, "The server never answered.")
    tell(held, Outcome.UNANSWERED)
    return campaign_entry(
        CampaignEvent.SUBMISSION_UNANSWERED,
        campaign,
        address=held.participant.address,
        reason=NEVER_ANSWERED,
    )


def _put_off(held: Submission, words: str) -> None:
    pause = PAUSES[min(held.tries, len(PAUSES)) - 1]
    held.state, held.due_at = State.WAITING, timezone.now() + pause
    held.words = words[:500]
    held.save(update_fields=["state", "due_at", "words"])


def _settle(held: Submission, state: Submission.State, words: str) -> None:
    held.state, held.secret, held.due_at = state, "", None
    held.words, held.client_key = words[:500], ""
    held.save(update_fields=["state", "secret", "due_at", "words", "client_key"])


def _opened(submission: Submission) -> Entry:
    participant = submission.participant
    event, address = CampaignEvent.SUBMISSION_OPENED, participant.address
    return campaign_entry(event, participant.campaign, address=address)
