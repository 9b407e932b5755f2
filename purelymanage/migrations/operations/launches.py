"""Launches of so many people that a worker makes their copies.

Each step is a transaction of its own, short enough for those who hand over passwords
meanwhile. Nobody has to claim a launch: the lock on its campaign lets one step follow
the other, whoever does it, and each begins where the one before has ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.campaign_events import CampaignEvent
from purelymanage.audit.models import Agent, Entry
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.migrations import queue
from purelymanage.migrations.campaigns import verdicts
from purelymanage.migrations.models import Campaign, Launch
from purelymanage.migrations.operations import campaign_copies
from purelymanage.migrations.operations.batches import NOT_ALLOWED
from purelymanage.migrations.references import campaign_entry, record_campaign

TASK = "purelymanage.migrations.campaigns.tasks.go_on_launching"
STEP = 500  # people
ENDED = "This launch has ended already."


def begin(
    *, campaign: Campaign, keys: Sequence[int], merges: bool, actor: User
) -> Launch:
    """Let a worker launch these people; part of a larger change."""
    launch = Launch.objects.create(
        campaign=campaign,
        keys=list(keys),
        merges=merges,
        total=len(keys),
        requested_by=actor,
    )
    hand_on(launch.pk)
    event = CampaignEvent.LAUNCH_BEGUN
    copies = campaign_copies.in_words(len(keys))
    record_campaign(event, campaign, actor=actor, copies=copies)
    return launch


@transaction.atomic(durable=True)
def take_step(pk: int) -> bool:
    """Launch the next people of a launch, and tell whether any are left.

    They were ready when it was asked for. Who is not any more, as they withdrew or
    their new mailbox was taken, stays at the review.
    """
    found = Launch.objects.unfinished().defer("keys").filter(pk=pk).first()
    if found is None:
        return False
    held = campaign_copies.hold(found.campaign)
    # What it was before the lock was waited for may be old.
    launch = Launch.objects.select_related("requested_by").get(pk=pk)
    if not launch.is_under_way:
        return False
    try:
        campaign_copies.refuse_if_impossible(held, launch.requested_by)
    except Refused as exc:
        _end(launch, words=str(exc))
        log.record_many([_given_up(held, launch)])
        return False
    entries = _launch_next(held, launch)
    if launch.done >= launch.total:
        _end(launch)
        entries.append(_launched(held, launch))
    log.record_many(entries)
    queue.dispatch()
    return launch.is_under_way


@transaction.atomic(durable=True)
def stop_launch(*, campaign: Campaign, actor: User) -> Launch:
    """Launch nobody any more who has not been yet; what was made stays."""
    held = campaign_copies.hold(campaign)
    if not campaign_copies.may(actor, held.domains):
        raise Refused(NOT_ALLOWED)
    launch = Launch.objects.unfinished().filter(campaign=held).first()
    if launch is None:
        raise Refused(ENDED)
    _end(launch, words=f"{actor} stopped it.")
    event, copies = CampaignEvent.LAUNCH_STOPPED, _so_far(launch)
    record_campaign(event, held, actor=actor, copies=copies)
    return launch


def hand_on_silent() -> int:
    """Let a worker go on where one has died, and return with how many launches."""
    found = Launch.objects.silent(timezone.now()).values_list("pk", flat=True)
    for pk in (keys := list(found)):
        hand_on(pk)
    return len(keys)


def hand_on(pk: int) -> None:
    async_task(TASK, pk, task_name=f"launch {pk}")


def _launch_next(campaign: Campaign, launch: Launch) -> list[Entry]:
    assert campaign.batch is not None
    step = launch.keys[launch.done : launch.done + STEP]
    ready = verdicts.ready(campaign, merges=launch.merges).filter(pk__in=step)
    maker = launch.requested_by
    made = campaign_copies.make_copies(
        campaign=campaign,
        batch=campaign.batch,
        people=list(ready.order_by("address", "pk")),
        maker=maker,
    )
    launch.done += len(step)
    launch.copies += len(made.jobs)
    launch.unreadable += made.unreadable
    launch.moved_at = timezone.now()
    launch.save(update_fields=["done", "copies", "unreadable", "moved_at"])
    return campaign_copies.entries(campaign, made.jobs, maker)


def _end(launch: Launch, *, words: str = "") -> None:
    launch.finished_at, launch.words = timezone.now(), words[:500]
    launch.save(update_fields=["finished_at", "words"])


def _so_far(launch: Launch) -> str:
    return f"{thin(launch.copies)} of {campaign_copies.in_words(launch.total)}"


def _launched(campaign: Campaign, launch: Launch) -> Entry:
    event, copies = CampaignEvent.CAMPAIGN_LAUNCHED, launch.copies
    return campaign_entry(
        event,
        campaign,
        actor=launch.requested_by,
        copies=campaign_copies.in_words(copies),
    )


def _given_up(campaign: Campaign, launch: Launch) -> Entry:
    return campaign_entry(
        CampaignEvent.LAUNCH_GIVEN_UP,
        campaign,
        actor=Agent.PANEL,
        copies=_so_far(launch),
        reason=launch.words,
    )
