"""What was found when the DNS was asked about a domain.

Names are lower-case without the last dot. Values are text as a person would type
them: `50 mail.example` for MX, `0 1 443 mail.example` for SRV, `0 issue "ca.example"`
for CAA, and for TXT the bare text with its strings joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from purelymanage.domains.dns.names import is_public_suffix

# A name or a record type alone says nothing; they are asked about together.
Question = tuple[str, str]


class Outcome(StrEnum):
    FOUND = "found"
    # The name exists without records of this type.
    NO_DATA = "no data"
    # NXDOMAIN: the name does not exist. With a chain, its last name does not.
    NO_NAME = "no name"
    FAILED = "failed"
    NOT_ASKED = "not asked"


class Failure(StrEnum):
    """Why nothing can be said. The values complete "…: the name servers"."""

    NONE = ""
    SERVFAIL = "answered with a fault (SERVFAIL)"
    TIMEOUT = "did not answer in time"
    REFUSED = "refused to answer (REFUSED)"
    LAME = "do not feel responsible for the domain (lame delegation)"
    GARBLED = "sent an answer that is cut off or cannot be read"
    LOOP = "answered with an alias (CNAME) that leads in circles"
    UNREACHABLE = "could not be reached"
    UNHEARD = "were not asked, as no resolver answers"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question brought."""

    outcome: Outcome
    records: tuple[str, ...] = ()
    # Of the record set as the server gave it; None if there is none.
    ttl: int | None = None
    # Where CNAMEs led from the name asked for, in order; for a question of type CNAME
    # the alias is in `records` and this is empty.
    chain: tuple[str, ...] = ()
    failure: Failure = Failure.NONE
    # A validating resolver vouched for it (the AD flag).
    is_secure: bool = False

    @property
    def is_found(self) -> bool:
        return self.outcome is Outcome.FOUND

    @property
    def is_absent(self) -> bool:
        """Whether it is certain that there is nothing."""
        return self.outcome in (Outcome.NO_DATA, Outcome.NO_NAME)

    @property
    def is_known(self) -> bool:
        return self.is_found or self.is_absent

    def as_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"outcome": self.outcome.value}
        if self.records:
            data["records"] = list(self.records)
        if self.ttl is not None:
            data["ttl"] = self.ttl
        if self.chain:
            data["chain"] = list(self.chain)
        if self.failure:
            data["failure"] = self.failure.name
        if self.is_secure:
            data["is_secure"] = True
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        failure = data.get("failure")
        return cls(
            outcome=Outcome(data["outcome"]),
            records=tuple(data.get("records", ())),
            ttl=data.get("ttl"),
            chain=tuple(data.get("chain", ())),
            failure=Failure[failure] if failure else Failure.NONE,
            is_secure=data.get("is_secure", False),
        )


NOT_ASKED = Answer(Outcome.NOT_ASKED)


class Source(StrEnum):
    """Who was asked about the domain's own records."""

    ZONE = "the zone's own name servers"
    RESOLVERS = "resolvers"


@dataclass(frozen=True, slots=True)
class Observation:
    """All answers about one domain.

    Whatever was not asked, or asked in vain, is never the same as absent.
    """

    domain: str
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    source: Source = Source.RESOLVERS
    # Name servers of the zone that do not answer for it, although others may.
    lame_servers: tuple[str, ...] = ()
    # False if questions were left over when the limit was reached.
    is_complete: bool = True

    def answer(self, name: str, type: str) -> Answer:
        return self.answers.get((normal(name), type), NOT_ASKED)

    @property
    def apex(self) -> str:
        """The zone that holds the domain: the domain itself or one above it.

        Empty as long as it is not known, and where no name servers are in charge.
        """
        name = self.domain
        while not is_public_suffix(name):
            answer = self.answer(name, "NS")
            if answer.is_found and not answer.chain:
                return name
            if not answer.is_known:
                return ""
            name = name.partition(".")[2]
        return ""

    @property
    def name_servers(self) -> tuple[str, ...]:
        return self.answer(self.apex, "NS").records if self.apex else ()

    def as_json(self) -> dict[str, Any]:
        return {
            "domain": self.domain,
            "source": self.source.name,
            "lame_servers": list(self.lame_servers),
            "is_complete": self.is_complete,
            "answers": [
                {"name": name, "type": type, **answer.as_json()}
                for (name, type), answer in sorted(self.answers.items())
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            domain=data["domain"],
            answers={
                (it["name"], it["type"]): Answer.from_json(it) for it in data["answers"]
            },
            source=Source[data["source"]],
            lame_servers=tuple(data["lame_servers"]),
            is_complete=data["is_complete"],
        )


def normal(name: str) -> str:
    return name.strip().rstrip(".").lower()
