"""What becomes of a password that an owner hands over.

Everything that is stored goes through a lock on its campaign: launching and closing see
it as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage import crypto
from purelymanage.audit import log
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.audit.chain import plain_address
from purelymanage.audit.log import Actor
from purelymanage.audit.models import Agent, Entry
from purelymanage.errors import Refused
from purelymanage.migrations.campaigns import limits
from purelymanage.migrations.campaigns.limits import Keys, Way
from purelymanage.migrations.campaigns.rooms import Rooms
from purelymanage.migrations.models import Campaign, Participant, SignIn, Submission
from purelymanage.migrations.models.participants import DOUBTFUL, SubmissionQuerySet
from purelymanage.migrations.operations.sign_ins import end_sign_in, note_untried
from purelymanage.migrations.references import campaign_entry

TASK = "purelymanage.migrations.campaigns.trying.try_kept"
# Of one campaign by the link for everybody: so many people a campaign has at most.
MOST_WAITING = 10_000

State, CameBy = Submission.State, Submission.CameBy


class Over(Refused):
    """The campaign ended while somebody filled in its form."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A password as it came from the form."""

    campaign: Campaign
    address: str
    password: str = field(repr=False)
    user: str = ""  # where it differs from the address
    # Whose own link it came by.
    participant: Participant | None = None
    client: str | None = None
    request: str = ""  # as the log calls it

    @property
    def login(self) -> str:
        return self.user or self.address

    @property
    def came_by(self) -> Submission.CameBy:
        return CameBy.OWN if self.participant else CameBy.SHARED

    @property
    def is_doubtful(self) -> bool:
        return self.came_by == CameBy.SHARED and bool(self.user)

    @property
    def way(self) -> Way:
        # Not where it is used to try other mailboxes.
        return Way.OWN if self.participant and not self.user else Way.SHARED

    @property
    def keys(self) -> Keys:
        server = self.campaign.server_id
        return limits.keys_of(
            way=self.way, server_id=server, user=self.login, client=self.client
        )


@transaction.atomic(durable=True)
def store_right(*, offer: Offer, sign_in: SignIn) -> Participant | None:
    """Keep a password that was right, in the place of the former.

    Answers whose it is, None where somebody has to look at it first, or where it is not
    taken: whoever knows the link for everybody can sign in as themselves and write
    somebody else's address beside it. That must not replace what the other has proved.
    """
    campaign = lock_open(offer.campaign)
    participant = _participants(campaign, [offer])[offer.address]
    end_sign_in(sign_in, SignIn.Outcome.RIGHT)
    now = timezone.now()
    submission = Submission(
        participant=participant,
        user=offer.user,
        came_by=offer.came_by,
        state=State.RIGHT,
        agreed_at=now,
    )
    if is_left_out(submission):
        log.record_many([left_out(submission)])
        return None
    was_removed = participant.removed_at is not None
    _seal(submission, offer.password)
    take_vouching(submission)
    replaced_by(submission).delete()
    submission.save()
    note_right(submission, now)
    log.record_many([received(submission, actor=Agent.STRANGER)])
    # Whom somebody took off the list does not come back without a look either.
    return None if was_removed or submission.is_doubtful else participant


@transaction.atomic(durable=True)
def note_refused(*, offer: Offer, sign_in: SignIn) -> None:
    """Note that a password was wrong; nothing of it is stored."""
    end_sign_in(sign_in, SignIn.Outcome.REFUSED)
    if not offer.is_doubtful:
        # Else anybody could say so of anybody, with a login of their own.
        mine = Participant.objects.present().filter(campaign=offer.campaign)
        mine.filter(address=offer.address).update(refused_at=timezone.now())
    event = CampaignEvent.SUBMISSION_REFUSED
    entry = campaign_entry(
        event, offer.campaign, actor=Agent.STRANGER, address=offer.address
    )
    log.record_many([entry])


@transaction.atomic(durable=True)
def keep_untried(
    *,
    offers: Sequence[Offer],
    due_at: datetime,
    sign_in: SignIn | None = None,
    words: str = "",
) -> list[Offer]:
    """Keep passwords that could not be tried, for a worker.

    They are of one campaign; of many at once, each would wait for the locks of all
    before it. Answers those that there is no room for in the campaign. Where so many of
    a mailbox wait already, one of these goes without a word.
    """
    campaign = lock_open(offers[0].campaign)
    waiting = Submission.objects.untried().filter(participant__campaign=campaign)
    room = max(0, MOST_WAITING - waiting.count())
    left = [it for it in offers if it.participant is None][room:]
    offers = [it for it in offers if not any(it is other for other in left)]
    people = _participants(campaign, offers)
    now = timezone.now()
    theirs = waiting.filter(participant__in=people.values()).defer("secret", "words")
    rooms = Rooms(theirs.order_by("made_at", "pk"))
    new: list[Submission] = []
    gone: list[Submission] = []
    for offer in offers:
        participant = people[offer.address]
        submission = Submission(
            participant=participant,
            user=offer.user,
            came_by=offer.came_by,
            client_key=offer.keys.client,
            state=State.WAITING,
            words=words[:500],
            tries=1 if sign_in else 0,
            due_at=due_at,
            agreed_at=now,
        )
        _seal(submission, offer.password)
        new.append(submission)
        if displaced := rooms.put(submission):
            gone.append(displaced)
        if offer.participant and participant.withdrawn_at:
            participant.withdrawn_at = None
            participant.save(update_fields=["withdrawn_at"])
    if gone:
        # Unless a worker has begun to try them meanwhile.
        keys = [it.pk for it in gone if it.pk]
        Submission.objects.filter(pk__in=keys, state=State.WAITING).delete()
        new = [it for it in new if it not in gone]
    Submission.objects.bulk_create(new)
    if sign_in is not None:
        end_sign_in(sign_in, SignIn.Outcome.UNANSWERED)
    else:
        note_untried(campaign, [it.keys for it in offers], now)
    if new and due_at <= now:
        _hand_on_once(campaign, new)
    log.record_many([_kept(campaign, it) for it in offers])
    return left


@transaction.atomic(durable=True)
def add_on_behalf(
    *, participant: Participant, user: str, password: str, actor: Actor
) -> None:
    """Take a password that its owner gave to somebody; a worker tries it."""
    campaign = lock_open(participant.campaign)
    held = _lock(participant)
    now = timezone.now()
    # What owners entered themselves is tried all the same.
    held.submissions.untried().filter(came_by=CameBy.ADDED).delete()
    submission = Submission(
        participant=held,
        user="" if user.casefold() == held.address else user,
        came_by=CameBy.ADDED,
        state=State.WAITING,
        due_at=now,
    )
    _seal(submission, password)
    submission.save()
    _hand_on_once(campaign, [submission])
    event = CampaignEvent.SUBMISSION_ADDED
    log.record_many(
        [campaign_entry(event, campaign, actor=actor, address=held.address)]
    )


@transaction.atomic(durable=True)
def withdraw_submission(
    *, participant: Participant, actor: Actor = Agent.STRANGER
) -> None:
    """Erase what an owner handed over, until it was made a copy of."""
    campaign = Campaign.objects.select_for_update(no_key=True).get(
        pk=participant.campaign_id
    )
    held = _lock(participant)
    if held.has_copy:
        raise Refused("Copying has been prepared, so it cannot be withdrawn here.")
    erased, _ = held.submissions.all().delete()
    if not erased:
        return
    held.submitted_at = held.refused_at = None
    held.withdrawn_at = timezone.now()
    held.save(update_fields=["submitted_at", "refused_at", "withdrawn_at"])
    event = CampaignEvent.SUBMISSION_WITHDRAWN
    log.record_many(
        [campaign_entry(event, campaign, actor=actor, address=held.address)]
    )


def note_opened(*, participant: Participant) -> None:
    """Note that a link was opened, by a person or by whatever scans their mail."""
    unopened = Participant.objects.filter(pk=participant.pk, opened_at=None)
    unopened.update(opened_at=timezone.now())


def lock_open(campaign: Campaign) -> Campaign:
    """Let nobody launch or close a campaign until this transaction has ended."""
    held = Campaign.objects.select_for_update(no_key=True).filter(pk=campaign.pk)
    found = held.first()
    if found is None or not found.is_open:
        raise Over("This campaign is over.")
    if found.server_id != campaign.server_id:
        raise Over("This campaign asks for passwords of another server by now.")
    return found


def is_left_out(right: Submission) -> bool:
    """Whether a right password is not taken, as it proves nothing about the address.

    It neither replaces one that opens another mailbox, nor brings somebody back who was
    taken off the list. Whoever signs in as the address itself owns it.
    """
    if not right.is_doubtful:
        return False
    if right.participant.removed_at is not None:
        return True
    former = _former(right)
    return former is not None and not _is_same_login(former, right)


def take_vouching(right: Submission) -> None:
    """Let an administrator's word for a login hold for another password of it."""
    former = _former(right)
    if former and former.is_vouched and _is_same_login(former, right):
        right.vouched_at = former.vouched_at or former.made_at


def replaced_by(right: Submission) -> SubmissionQuerySet:
    """Return the former of a right password, and what it leaves no reason to try.

    One that is doubtful leaves what the owner may have entered to be tried.
    """
    others = Submission.objects.filter(participant=right.participant)
    others = others.exclude(pk=right.pk)
    if right.is_doubtful:
        return others.filter(DOUBTFUL | Q(state=State.RIGHT))
    return others


def _former(right: Submission) -> Submission | None:
    return right.participant.submissions.filter(state=State.RIGHT).first()


def _is_same_login(one: Submission, other: Submission) -> bool:
    return one.source_user.casefold() == other.source_user.casefold()


def received(right: Submission, *, actor: Actor) -> Entry:
    """Return the entry of a right password, with who signs in where that is another."""
    participant = right.participant
    event, details = CampaignEvent.SUBMISSION_RECEIVED, {"address": participant.address}
    if right.user:
        event, details["user"] = CampaignEvent.SUBMISSION_OF_LOGIN, right.user
    return campaign_entry(event, participant.campaign, actor=actor, **details)


def left_out(right: Submission) -> Entry:
    """Return the entry of a right password that is not taken."""
    return campaign_entry(
        CampaignEvent.SUBMISSION_LEFT_OUT,
        right.participant.campaign,
        actor=Agent.STRANGER,
        address=right.participant.address,
        user=right.source_user,
    )


def note_right(right: Submission, now: datetime) -> None:
    """Note at its participant that a password is right; part of a larger change."""
    participant, columns = right.participant, ["submitted_at"]
    if participant.removed_at is not None:
        participant.removed_at, participant.is_listed = None, False
        participant.token_hash, participant.token = None, ""
        columns += ["removed_at", "is_listed", "token_hash", "token"]
    participant.submitted_at = now
    if not right.is_doubtful:
        # Else it stays what the owner did.
        participant.refused_at = participant.withdrawn_at = None
        columns += ["refused_at", "withdrawn_at"]
    participant.save(update_fields=columns)


def hand_on(server_id: int) -> None:
    """Let a worker try what is kept and due at a server."""
    async_task(TASK, server_id, task_name=f"passwords of owners at server {server_id}")


def open_secret(submission: Submission) -> str:
    return crypto.unseal(submission.secret, bound_to=submission.secret_place)


def _seal(submission: Submission, password: str) -> None:
    submission.secret = crypto.seal(password, bound_to=submission.secret_place)


def _hand_on_once(campaign: Campaign, new: Sequence[Submission]) -> None:
    """Begin with the first that is due; whoever works on it takes the others as well."""
    server = campaign.server_id
    others = Submission.objects.due(timezone.now())
    others = others.exclude(pk__in=[it.pk for it in new])
    if not others.filter(participant__campaign__server=server).exists():
        hand_on(server)


def _kept(campaign: Campaign, offer: Offer) -> Entry:
    event, address = CampaignEvent.SUBMISSION_KEPT, offer.address
    entry = campaign_entry(event, campaign, actor=Agent.STRANGER, address=address)
    # Whoever writes it may do so for others.
    entry.address, entry.request_id = plain_address(offer.client), offer.request
    return entry


def _participants(
    campaign: Campaign, offers: Sequence[Offer]
) -> dict[str, Participant]:
    """Return whose passwords they are by address, also those nobody had listed."""
    addresses = {it.address for it in offers}
    mine = Participant.objects.select_for_update(of=("self",)).order_by("pk")
    found = list(mine.filter(campaign=campaign, address__in=addresses))
    # Nobody else adds one meanwhile: they would need the lock on the campaign.
    known = {it.address for it in found}
    new = [Participant(campaign=campaign, address=it) for it in addresses - known]
    found += Participant.objects.bulk_create(new)
    for participant in found:
        participant.campaign = campaign
    return {it.address: it for it in found}


def _lock(participant: Participant) -> Participant:
    found = Participant.objects.present().select_for_update(of=("self",))
    held = found.filter(pk=participant.pk).first()
    if held is None:
        raise Refused(f"{participant} is not on the list any more.")
    return held
