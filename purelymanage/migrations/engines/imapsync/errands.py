"""What is still to be done, and within which limits, before each start."""

from __future__ import annotations

from collections.abc import Sequence

from purelymanage.imap.account import Account
from purelymanage.migrations.engines.base import BudgetUsed, CopyOptions, FolderState

from .command import Errand, can_go
from .complaints import LASTING
from .looking import Missing, Seen, Sight
from .parsing import Transcript

# What is asked for where nobody knows what is missing.
BLIND = 1_000_000_000


class Errands:
    """Chooses by the last look, and by what was said in the runs so far."""

    def __init__(
        self,
        accounts: tuple[Account, Account],
        options: CopyOptions,
        transcripts: Sequence[Transcript],
    ) -> None:
        self._accounts = accounts
        self._options = options
        self._transcripts = transcripts
        self._granted = 0

    def next(self, sight: Sight) -> Errand | None:
        """Return what is to be done now, or None if there is nothing."""
        if sight.failure is not None:
            return self._blind(sight)
        able = [seen for seen in sight.folders if can_go(seen.way)]
        wanted = [seen for seen in able if self._needed(seen)]
        plain = [seen for seen in wanted if not seen.everything]
        chosen = plain
        if not plain and wanted:
            # To know what lies elsewhere, it has to see everything.
            chosen = [seen for seen in able if not seen.everything] + wanted[:1]
        self._reserve(self._sizes(chosen))
        if not chosen or self._no_room(chosen):
            return None
        most_bytes, largest = self._limits(chosen)
        return Errand(
            source=self._accounts[0],
            destination=self._accounts[1],
            options=self._options,
            ways=[seen.way for seen in chosen],
            last_takes_the_rest=not plain,
            largest=largest,
            most_bytes=most_bytes,
        )

    def trial(self) -> Errand:
        """Return one that only gets in."""
        return Errand(
            source=self._accounts[0],
            destination=self._accounts[1],
            options=self._options,
            only_log_in=True,
        )

    def open(self, sight: Sight) -> int:
        """Return how many messages are missing that nobody has refused so far."""
        return sum(len(self._wanted(seen)) for seen in sight.folders)

    def beyond_budget(self, sight: Sight) -> BudgetUsed | None:
        """Return BudgetUsed if something is missing that had no room any more."""
        budget = self._budget()
        sizes = [it.size for seen in sight.folders for it in self._wanted(seen)]
        if budget is not None and any(size > budget for size in sizes):
            return BudgetUsed("As much was copied as is allowed for now.")
        return None

    def _blind(self, sight: Sight) -> Errand | None:
        """Return everything, as nobody knows what is missing."""
        ways = [it.way for it in sight.folders if can_go(it.way) and not it.everything]
        # Without a look, one message may be as large as whatever is allowed.
        self._reserve([BLIND])
        budget = self._budget()
        if not ways or budget == 0:
            return None
        return Errand(
            source=self._accounts[0],
            destination=self._accounts[1],
            options=self._options,
            ways=ways,
            counts=True,
            largest=None if budget is None else budget // 2,
            most_bytes=None if budget is None else budget - budget // 2,
        )

    def _wanted(self, seen: Seen) -> list[Missing]:
        refused = {
            complaint.uid
            for transcript in self._transcripts
            for complaint in transcript.complaints
            if complaint.folder == seen.way.source and complaint.kind in LASTING
        }
        return [missing for missing in seen.missing if missing.uid not in refused]

    def _needed(self, seen: Seen) -> bool:
        if seen.progress.state == FolderState.FAILED:
            return False
        return bool(self._wanted(seen)) or not seen.exists

    def _sizes(self, chosen: list[Seen]) -> list[int]:
        return [missing.size for seen in chosen for missing in self._wanted(seen)]

    def _budget(self) -> int | None:
        """Return how many bytes may still be copied."""
        if self._options.allowance is None:
            return None
        used = sum(sum(it.bytes_copied.values()) for it in self._transcripts)
        return max(0, self._granted - used)

    def _reserve(self, sizes: list[int]) -> None:
        """Ask for leave to copy all of it, as nothing can be asked for in between."""
        budget = self._budget()
        if self._options.allowance is None or budget is None:
            return
        if (wanted := sum(sizes) - budget) > 0:
            self._granted += self._options.allowance.take(1, wanted).granted

    def _no_room(self, chosen: list[Seen]) -> bool:
        """Say whether there is something to copy, and nothing of it has room."""
        budget, sizes = self._budget(), self._sizes(chosen)
        return budget is not None and bool(sizes) and min(sizes) > budget

    def _limits(self, chosen: list[Seen]) -> tuple[int | None, int | None]:
        """Return after how many bytes to end, and what is too large to begin with.

        imapsync adds up after each message. So it is to stop while there is room for
        one more, and to leave out those that would leave no room for anything else.
        """
        budget, sizes = self._budget(), self._sizes(chosen)
        if budget is None:
            return None, None
        if sum(sizes) <= budget:
            return budget, None
        fitting = [size for size in sizes if size <= budget]
        small = [size for size in fitting if size <= budget // 2]
        largest = max(small or fitting, default=0)
        return budget - largest + 1, largest
