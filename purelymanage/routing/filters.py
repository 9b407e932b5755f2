"""Which rules a person asks for, as the address of the list says it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from django.db.models import Q
from django.http import QueryDict

from purelymanage.routing.model.checks import is_address
from purelymanage.routing.models import Rule
from purelymanage.routing.models.rules import RuleQuerySet
from purelymanage.routing.presentation import FILTERS

LONGEST_SEARCH = 200
ANY_WARNING = "any"


@dataclass(frozen=True, slots=True)
class RuleFilter:
    words: str = ""
    domain: str = ""
    kind: str = ""
    warning: str = ""

    @classmethod
    def read(cls, data: QueryDict) -> Self:
        """Take what is asked for from an address; nonsense asks for nothing."""
        kind, warning = data.get("kind", ""), data.get("warning", "")
        return cls(
            words=_clean(data.get("q"))[:LONGEST_SEARCH],
            domain=_clean(data.get("domain")).lower(),
            kind=kind if kind in Rule.Kind else "",
            warning=warning if warning in {ANY_WARNING, *FILTERS} else "",
        )

    def __bool__(self) -> bool:
        return any((self.words, self.domain, self.kind, self.warning))

    @property
    def checks(self) -> Collection[str]:
        """The checks whose warnings are asked for, none for all of them."""
        return [] if self.warning in ("", ANY_WARNING) else [self.warning]

    def narrow(
        self, rules: RuleQuerySet, *, about: Collection[int], warned: Collection[int]
    ) -> RuleQuerySet:
        """Return those that are asked for.

        `about` are the ids of rules that could take mail to the `address` that is
        looked for, `warned` of those that have warnings.
        """
        found = rules.of_kind(self.kind)
        if self.domain:
            found = found.filter(domain=self.domain)
        if self.warning:
            found = found.filter(remote_id__in=list(warned))
        if not self.words:
            return found
        written = Q(pk__in=rules.search(self.words).values("pk"))
        return found.filter(written | Q(remote_id__in=list(about)))

    @property
    def address(self) -> str:
        """The address that is looked for, if it is a whole one."""
        address = self.words.lower()
        return address if is_address(address) else ""


def _clean(value: str | None) -> str:
    """PostgreSQL knows no NUL, and nobody means it."""
    return (value or "").replace("\0", "").strip()
