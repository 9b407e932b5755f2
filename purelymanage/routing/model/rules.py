"""What a routing rule matches, as PurelyMail reads it. Plain data without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self


class Kind(StrEnum):
    """The portal's names for the flags, and one for what it does not offer."""

    EXACT = "exact"
    PREFIX = "prefix"
    ANY = "any"
    CATCH_ALL = "catch_all"
    CUSTOM = "custom"


KINDS = {
    # Whether there is a name, the flag `prefix`, the flag `catchall`.
    (True, False, False): Kind.EXACT,
    (True, True, False): Kind.PREFIX,
    (False, True, False): Kind.ANY,
    (False, True, True): Kind.CATCH_ALL,
}


class RuleLike(Protocol):
    """A row of the mirror, or what the API answers."""

    @property
    def domain(self) -> str: ...
    @property
    def match_user(self) -> str: ...
    @property
    def prefix(self) -> bool: ...
    @property
    def catchall(self) -> bool: ...
    @property
    def targets(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in lower case. `id` is 0 before PurelyMail has given it one."""

    domain: str
    match_user: str
    prefix: bool
    catchall: bool
    targets: tuple[str, ...]
    id: int = 0

    @classmethod
    def of(cls, row: RuleLike, *, id: int = 0) -> Self:
        return cls(
            domain=row.domain.lower(),
            match_user=row.match_user.lower(),
            prefix=row.prefix,
            catchall=row.catchall,
            targets=tuple(target.strip().lower() for target in row.targets),
            id=id,
        )

    @property
    def kind(self) -> Kind:
        flags = (bool(self.match_user), self.prefix, self.catchall)
        return KINDS.get(flags, Kind.CUSTOM)

    @property
    def match(self) -> tuple[str, str, bool]:
        """What no two rules may share; the two kinds of “any” share it too."""
        return self.domain, self.match_user, self.prefix

    @property
    def deed(self) -> tuple[tuple[str, str, bool], bool, frozenset[str]]:
        """What the rule does, whatever its id and the order of its targets."""
        return self.match, self.catchall, frozenset(self.targets)

    @property
    def pattern(self) -> str:
        return f"{self.match_user}{'*' if self.prefix else ''}@{self.domain}"

    @property
    def strength(self) -> tuple[bool, int, bool, int]:
        """Order rules by it: exact beats prefix, and a longer prefix a shorter one.

        The rest only settles what PurelyMail does not allow to happen.
        """
        return not self.prefix, len(self.match_user), not self.catchall, -self.id

    def fits(self, local: str) -> bool:
        """Tell whether a name matches, mailboxes left aside."""
        if self.prefix:
            return local.startswith(self.match_user)
        return local == self.match_user
