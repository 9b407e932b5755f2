"""What launching would make of people: in words, and how many of each there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What launching would make of somebody. `words` say what stands against it."""

    code: str
    label: str
    tone: str
    words: str = ""


VERDICTS = (
    Verdict(
        "switched",
        "Another login since",
        "attention",
        "Somebody else has signed in for this copy. It does not take that by itself.",
    ),
    Verdict("launched", "Launched", "good"),
    Verdict("unset", "Not said", "attention", "Say where this mailbox goes."),
    Verdict(
        "invalid",
        "Invalid",
        "broken",
        "There can be no mailbox of this name at PurelyMail.",
    ),
    Verdict(
        "foreign",
        "Unknown domain",
        "broken",
        "Its domain is not one of this account. Add it first, or choose another.",
    ),
    Verdict(
        "frozen",
        "To be deleted",
        "attention",
        "The mailbox or its domain is to be deleted and frozen until then.",
    ),
    Verdict(
        "asked",
        "Being created",
        "waiting",
        "PurelyMail has been asked to create it, and its answer is awaited.",
    ),
    Verdict("itself", "The same", "broken", "This is the old mailbox itself."),
    Verdict(
        "twice",
        "Twice",
        "broken",
        "The same old mailbox is copied already, or on this list twice.",
    ),
    Verdict(
        "login",
        "Other login",
        "attention",
        "Somebody else has signed in for this address.",
    ),
    Verdict(
        "shared",
        "Shared",
        "attention",
        "Another old mailbox goes into this one as well.",
    ),
    Verdict("exists", "Exists", "good"),
    Verdict("new", "Will be created", "waiting"),
)
BY_CODE = {it.code: it for it in VERDICTS}
FITTING = {"exists", "new"}
# Can be launched, if somebody says that this is what they want.
MERGING = {"shared"}
# Their logins are not the addresses that were asked for, and nobody has agreed yet.
UNVOUCHED = {"login", "switched"}
LAUNCHED = {"launched", "switched"}
PROBLEMS = set(BY_CODE) - FITTING - MERGING - UNVOUCHED - LAUNCHED


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of a campaign's people are where."""

    ready: int = 0
    merging: int = 0
    # They wait for somebody to agree to their login; after the launch, `switched`.
    logins: int = 0
    switched: int = 0
    # Their passwords are right, but they cannot go where they should.
    held: int = 0
    launched: int = 0
    # To be created among those that are ready.
    new: int = 0
    total: int = 0

    def __bool__(self) -> bool:
        return self.total > 0

    @property
    def without(self) -> int:
        """Those whose password is not there."""
        ready = self.ready + self.merging + self.logins
        return self.total - ready - self.held - self.launched


def counts_of(codes: Iterable[tuple[str, bool]]) -> Counts:
    """Count people by their verdicts."""
    found = Counter(codes)

    def number(codes: set[str]) -> int:
        return sum(found[code, True] for code in codes)

    return Counts(
        ready=number(FITTING),
        merging=number(MERGING),
        logins=number({"login"}),
        switched=number({"switched"}),
        held=number(PROBLEMS),
        launched=sum(found[code, has] for code in LAUNCHED for has in (True, False)),
        new=number({"new"}),
        total=found.total(),
    )
