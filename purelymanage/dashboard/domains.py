"""The domains on the first page: counted by the database, and the worst of them."""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.accounts.models import User
from purelymanage.domains.models import Domain, DomainQuerySet, Standing
from purelymanage.domains.presentation.rows import Row, row_of

SHOWN = 6
# Beyond these, the findings tell of domains in one line.
NAMED = 3


@dataclass(frozen=True)
class Domains:
    """What the first page says about somebody's domains, however many they are.

    It is read in several queries, so that a look between them may make a count differ
    from the rows beside it.
    """

    standings: dict[str, int]
    worst: list[Row]
    deaf: list[Row]  # the first ones, as of the wrong ones
    wrong: list[Row]

    @property
    def count(self) -> int:
        return sum(self.standings.values())

    @property
    def healthy_count(self) -> int:
        return self.standings[Standing.RIGHT]

    @property
    def deaf_count(self) -> int:
        return max(self.standings[Standing.DEAF], len(self.deaf))

    @property
    def wrong_count(self) -> int:
        return max(self.standings[Standing.WRONG], len(self.wrong))

    @property
    def other_count(self) -> int:
        """Those which are not among the worst."""
        return max(self.count - len(self.worst), 0)

    @property
    def others_are_healthy(self) -> bool:
        shown = [vars(row.domain)["standing"] for row in self.worst]
        return self.other_count == self.healthy_count - shown.count(Standing.RIGHT)


def domains_of(user: User) -> Domains:
    mine = Domain.objects.visible_to(user).present()
    standings = mine.standings()
    return Domains(
        standings,
        worst=_rows(mine.with_standing(), SHOWN),
        deaf=_some(mine, standings, Standing.DEAF),
        wrong=_some(mine, standings, Standing.WRONG),
    )


def _some(
    mine: DomainQuerySet, standings: dict[str, int], standing: Standing
) -> list[Row]:
    if not standings[standing]:
        return []
    return _rows(mine.that_are(standing), NAMED)


def _rows(domains: DomainQuerySet, number: int) -> list[Row]:
    return [row_of(it) for it in domains.for_grid().worst_seen_first()[:number]]
