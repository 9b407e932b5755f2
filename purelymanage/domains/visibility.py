"""Whether the ownership record of a domain can be seen, and by whom."""

from __future__ import annotations

from dataclasses import dataclass

from purelymanage.domains.dns.looking import ask_one
from purelymanage.domains.dns.observations import Answer


@dataclass(frozen=True, slots=True)
class Visibility:
    """What the zone's own name servers and the resolvers say about one TXT record."""

    name: str
    value: str
    at_zone: Answer
    at_resolvers: Answer

    @property
    def is_at_zone(self) -> bool:
        return self.value in self.at_zone.records

    @property
    def is_at_resolvers(self) -> bool:
        return self.value in self.at_resolvers.records

    @property
    def is_visible(self) -> bool:
        """Whether PurelyMail may see it. Where resolvers lag behind, it may as well."""
        return bool(self.value) and (self.is_at_zone or self.is_at_resolvers)

    @property
    def sentence(self) -> str:
        if self.is_at_resolvers:
            return "The record is visible everywhere."
        if self.is_at_zone:
            return (
                "The record is visible at the domain's own name servers. Public "
                "resolvers do not know it yet."
            )
        if self.at_zone.is_known or self.at_resolvers.is_known:
            return "The record is not visible yet."
        failure = self.at_resolvers.failure or self.at_zone.failure
        return f"Could not look: the name servers {failure}."


def visibility(name: str, value: str) -> Visibility:
    """Look for a TXT record now. Raise `NoResolver` where nobody can be asked."""
    return Visibility(
        name,
        value,
        at_zone=ask_one(name, "TXT", at_zone=True),
        at_resolvers=ask_one(name, "TXT"),
    )
