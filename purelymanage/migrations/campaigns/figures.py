"""How far a campaign is, in a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from purelymanage.audit.models import OutgoingMail
from purelymanage.figures import thin
from purelymanage.migrations.campaigns.states import STATES, PersonState, counted
from purelymanage.migrations.models import Campaign, Participant, Submission
from purelymanage.migrations.models.campaigns import CampaignQuerySet
from purelymanage.migrations.models.participants import HAS_COPY
from purelymanage.migrations.operations import invitations
from purelymanage.migrations.state_lists import Segment, segments_of
from purelymanage.prepared import Prepared, Slot


@dataclass(frozen=True, slots=True)
class Figures:
    counts: dict[str, int]
    to_invite: int = 0
    to_remind: int = 0
    on_their_way: int = 0
    bounced: int = 0

    @classmethod
    def of(cls, campaign: Campaign) -> Self:
        last = timezone.now() - invitations.PAUSE
        rows = _counted().ask(campaign=campaign.pk, last=last)
        counts = {it["state"]: it["number"] for it in rows}
        names = _NUMBERS if campaign.is_open else {"bounced"}
        return cls(counts, **{it: sum(row[it] for row in rows) for it in names})

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def states(self) -> list[PersonState]:
        return [it for it in STATES if it.code in self.counts]

    @property
    def segments(self) -> list[Segment[PersonState]]:
        return segments_of(STATES, self.counts)

    @property
    def in_words(self) -> str:
        parts = [f"{thin(it.count)} {it.state.label}" for it in self.segments]
        return f"{thin(self.total)} in all: {', '.join(parts)}"


_NUMBERS = {
    "on_their_way": ~Q(mail_due=""),
    "bounced": Q(mail__state=OutgoingMail.State.FAILED),
    "to_invite": invitations.is_to_invite(),
    "to_remind": invitations.is_to_remind(Slot("last")),
}


@cache
def _counted() -> Prepared[dict[str, Any]]:
    people = Participant.objects.present().filter(campaign=Slot("campaign"))
    return Prepared(counted(people, **_NUMBERS))


def with_ready(campaigns: CampaignQuerySet) -> QuerySet[Any]:
    """Return those that hold right passwords which were not launched yet, and `ready`.

    The one whose passwords are erased first comes first.
    """
    people = Participant.objects.present().without_copy()
    waiting = people.filter(Exists(_right().exclude(secret="")))
    counted = campaigns.filter(purged_at=None).annotate(ready=_number(waiting))
    return counted.filter(ready__gt=0).order_by("ends_at", "pk")


def with_counts(campaigns: CampaignQuerySet) -> QuerySet[Any]:
    """Annotate `people`, and `answered`: of how many a password is right or was used."""
    present = Participant.objects.present()
    answered = present.filter(HAS_COPY | Exists(_right()))
    return campaigns.annotate(people=_number(present), answered=_number(answered))


def _right() -> QuerySet[Submission]:
    mine = Submission.objects.filter(participant=OuterRef("pk"))
    return mine.filter(state=Submission.State.RIGHT)


def _number(people: QuerySet[Participant]) -> Coalesce:
    """Count people for each campaign."""
    rows: QuerySet[Any] = people.filter(campaign=OuterRef("pk")).order_by()
    counted = rows.values("campaign").annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number")), 0)
