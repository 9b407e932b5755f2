"""What would become of the people of a campaign right now, as its page shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.migrations.campaigns import verdict_list, verdicts
from purelymanage.migrations.campaigns.verdict_list import BY_CODE, Counts, Verdict
from purelymanage.migrations.forms.review import LaunchForm
from purelymanage.migrations.models import Campaign, Launch, Submission

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
    # Which password of theirs was signed in with.
    submission: int | None = None

    @property
    def is_launched(self) -> bool:
        return self.verdict.code in verdict_list.LAUNCHED

    @property
    def asks(self) -> bool:
        """Whether somebody has to agree to their login."""
        return self.verdict.code in verdict_list.UNVOUCHED

    @property
    def words(self) -> str:
        """Say what stands against it, with the names of the others."""
        if not self.others:
            return self.verdict.words
        names = ", ".join(self.others[:NAMED])
        more = len(self.others) - NAMED
        names += f" and {more} more" if more > 0 else ""
        if self.verdict.code == "twice":
            return f"{names}: the same old mailbox."
        verb = "goes" if len(self.others) == 1 else "go"
        words = f"{names} {verb} into this one as well."
        return f"{self.verdict.words} {words}" if self.asks else words


@dataclass
class Review:
    """What a campaign's page says of all its people; computed where it is asked for."""

    campaign: Campaign
    user: User
    # Or only a list of some of them.
    is_whole: bool = True
    # Who is judged although no password of theirs is there.
    _shown: Sequence[int] = ()

    @cached_property
    def tally(self) -> Counts:
        return verdict_list.counts_of(self._codes.values())

    @cached_property
    def launch(self) -> Launch | None:
        return self.campaign.launches.defer("keys").order_by("pk").last()

    @cached_property
    def launch_form(self) -> LaunchForm | None:
        if self.launch is not None and self.launch.is_under_way:
            return None
        tally = self.tally
        waiting = tally.ready or tally.merging or tally.logins
        if self.user.may(Right.MANAGE) and waiting:
            return LaunchForm(None, campaign=self.campaign, logins=self._logins)
        return None

    def of(self, people: Iterable[Any]) -> list[Any]:
        """Return these few people, each with what would become of them as `review`."""
        few = list(people)
        keys = [it.pk for it in few]
        if self.is_whole:
            self._shown = keys
            rows = verdicts.some_with_source(self.campaign, keys)
            for row in rows:
                row.verdict, _ = self._codes[row.pk]
        else:
            rows = verdicts.some_with_verdict(self.campaign, keys)
        found = _reviews(self.campaign, rows)
        for person in few:
            person.review = found.get(person.pk)
        return few

    def narrow(self, keys: Iterable[int], doubt: str) -> Sequence[int] | None:
        """Return which of these people are ready, or have something against them.

        By their keys, in their order; None where everybody is meant.
        """
        codes = {
            "ready": verdict_list.FITTING,
            "shared": verdict_list.MERGING,
            "login": verdict_list.UNVOUCHED,
            "held": verdict_list.PROBLEMS,
        }.get(doubt)
        if codes is None:
            return None
        found = self._codes
        wanted = {pk for pk, (code, has) in found.items() if has and code in codes}
        return [pk for pk in keys if pk in wanted]

    @property
    def _logins(self) -> list[int]:
        """Those passwords of other logins that can be agreed to with the launch."""
        if not self.tally.logins:
            return []
        found = self._codes.items()
        people = [pk for pk, (code, has) in found if has and code == "login"]
        right = Submission.objects.filter(state=Submission.State.RIGHT)
        theirs = right.filter(participant__in=people).order_by("pk")
        return list(theirs.values_list("pk", flat=True))

    @cached_property
    def _codes(self) -> dict[int, tuple[str, bool]]:
        return verdicts.codes_of(self.campaign, self._shown)


def _reviews(campaign: Campaign, rows: Sequence[Any]) -> dict[int, Reviewed]:
    # Whoever agrees to such a login makes it a conflict.
    shared = _others(campaign, rows, {"shared", "login"}, "into")
    others = shared | _others(campaign, rows, {"twice"}, "source")
    return {
        it.pk: Reviewed(
            BY_CODE[it.verdict],
            it.into,
            it.source if it.source != it.address else "",
            tuple(others.get(it.pk, ())),
            it.stored_pk,
        )
        for it in rows
    }


def _others(
    campaign: Campaign, rows: Sequence[Any], codes: set[str], column: str
) -> dict[int, list[str]]:
    """Return whom people of such a verdict have something in common with."""
    mine = [it for it in rows if it.verdict in codes]
    if not mine:
        return {}
    wanted = {getattr(it, column) for it in mine}
    by_value: dict[str, list[str]] = defaultdict(list)
    for value, name in verdicts.claims_on(campaign, column, wanted):
        if name not in by_value[value]:
            by_value[value].append(name)
    return {
        it.pk: [name for name in by_value[getattr(it, column)] if name != it.address]
        for it in mine
    }
