"""What would become of the people of a campaign right now, as its page shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.migrations.campaigns import verdicts
from purelymanage.migrations.campaigns.verdicts import BY_CODE, Verdict
from purelymanage.migrations.forms.review import LaunchForm
from purelymanage.migrations.models import Campaign, Job, Participant

# Of those that stand against somebody, so many are named.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Somebody at the review."""

    verdict: Verdict
    into: str
    # Who signs in, where it is not the address.
    login: str = ""
    # The mailboxes that are copied into the same one, or that are the same.
    others: tuple[str, ...] = field(default=())

    @property
    def is_launched(self) -> bool:
        return self.verdict.code == "launched"

    @property
    def words(self) -> str:
        """Say what stands against it, with the names of the others."""
        if not self.others:
            return self.verdict.words
        names = ", ".join(self.others[:NAMED])
        more = len(self.others) - NAMED
        names += f" and {more} more" if more > 0 else ""
        if self.verdict.code == "shared":
            verb = "goes" if len(self.others) == 1 else "go"
            return f"{names} {verb} into this one as well."
        return f"{names}: the same old mailbox."


def context_of(
    campaign: Campaign,
    people: Iterable[Participant],
    counts: Mapping[str, int],
    user: User,
) -> dict[str, Any]:
    """Return what the page of a campaign shows about these people beside their states.

    Each gets a `review`. `counts` is how many of all people are in which state.
    """
    if campaign.purged_at is not None or not counts:
        return {}
    found = reviews_of(campaign, [it.pk for it in people])
    for person in people:
        person.review = found.get(person.pk)  # type: ignore[attr-defined]
    tally = verdicts.counts_of(campaign)
    launch = campaign.launches.defer("keys").order_by("pk").last()
    may_launch = user.may(Right.MANAGE) and (tally.ready or tally.merging)
    may_launch = may_launch and not (launch and launch.is_under_way)
    return {
        "tally": tally,
        "launch": launch,
        "launch_form": LaunchForm(None, campaign=campaign) if may_launch else None,
        "complete": counts.get("complete", 0),
    }


def reviews_of(campaign: Campaign, keys: Sequence[int]) -> dict[int, Reviewed]:
    """Return what would become of these people, by their keys. Takes four queries."""
    rows = list(verdicts.with_verdict(campaign).filter(pk__in=keys))
    shared = _others(campaign, rows, "shared", "into")
    twice = _others(campaign, rows, "twice", "source")
    return {
        it.pk: Reviewed(
            BY_CODE[it.verdict],
            it.into,
            it.source if it.source != it.address else "",
            tuple(shared.get(it.pk, ()) or twice.get(it.pk, ())),
        )
        for it in rows
    }


def narrow(campaign: Campaign, people: QuerySet[Any], doubt: str) -> QuerySet[Any]:
    """Return those of `people` that are ready, or whom something stands against."""
    codes = {
        "ready": verdicts.FITTING,
        "shared": verdicts.MERGING,
        "held": verdicts.PROBLEMS,
    }.get(doubt)
    if codes is None:
        return people
    fitting = verdicts.with_verdict(campaign).filter(
        has_password=True, verdict__in=codes
    )
    return people.filter(pk__in=fitting.values("pk"))


def _others(
    campaign: Campaign, rows: Sequence[Any], code: str, column: str
) -> dict[int, list[str]]:
    """Return whom people of a verdict have something in common with."""
    mine = [it for it in rows if it.verdict == code]
    if not mine:
        return {}
    wanted = {getattr(it, column) for it in mine}
    people = verdicts.claiming(campaign).filter(**{f"{column}__in": wanted})
    by_value: dict[str, list[str]] = defaultdict(list)
    for person in people.order_by("address"):
        by_value[getattr(person, column)].append(person.address)
    for value, source in _jobs(campaign, column, wanted):
        if source not in by_value[value]:
            by_value[value].append(source)
    return {
        it.pk: [name for name in by_value[getattr(it, column)] if name != it.address]
        for it in mine
    }


def _jobs(campaign: Campaign, column: str, wanted: set[str]) -> Iterable[Any]:
    if column == "into":
        jobs = Job.objects.present().filter(destination_server=None)
        found = jobs.annotate(value=Lower("destination"))
    else:
        jobs = Job.objects.present().filter(Q(server=campaign.server_id))
        found = jobs.annotate(value=Lower("source_user"))
    rows = found.filter(value__in=wanted).order_by("pk")
    return rows.values_list("value", "source_user")
