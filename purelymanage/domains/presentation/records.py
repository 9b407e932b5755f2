"""Each record of a domain: what is found, and what to type where it is not right."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from purelymanage.domains.dns import snippets
from purelymanage.domains.dns.expected import Kind, Need
from purelymanage.domains.dns.hosts import SOME_HOST, Host, recognise
from purelymanage.domains.dns.mx import duration
from purelymanage.domains.dns.names import unicode_name
from purelymanage.domains.dns.observations import Observation
from purelymanage.domains.dns.verdicts import (
    Finding,
    Health,
    Severity,
    State,
    Verdict,
)
from purelymanage.domains.presentation.rows import VITAL, WORDS, WORST

TONES = {
    Severity.ERROR: "broken",
    Severity.WARNING: "attention",
    Severity.INFO: "waiting",
}
# Longer letters are cut off by some mail programs when a link opens them.
LONGEST_LINK = 1_900


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record, in the form that the DNS host's own page asks for."""

    verdict: Verdict
    name: str  # empty where the field stays empty
    value: str
    is_merged: bool

    @property
    def label(self) -> str:
        return self.verdict.kind.label

    @property
    def type(self) -> str:
        return self.verdict.record.type

    @property
    def full_name(self) -> str:
        return self.verdict.record.name

    @property
    def priority(self) -> int | None:
        """The priority as a field of its own, if the form has one."""
        priority = self.verdict.record.priority
        joined = priority is not None and self.value.startswith(f"{priority} ")
        return None if joined else priority

    @property
    def is_optional(self) -> bool:
        return self.verdict.record.need is Need.OPTIONAL

    @property
    def is_right(self) -> bool:
        return self.verdict.state is State.RIGHT

    @property
    def is_unknown(self) -> bool:
        return self.verdict.state is State.UNKNOWN

    @property
    def is_to_set(self) -> bool:
        return self.verdict.state.is_bad

    @property
    def tone(self) -> str:
        state = self.verdict.state
        if state is State.RIGHT:
            return "good"
        if state is State.UNKNOWN or (self.is_optional and state is State.MISSING):
            return "waiting"
        if self.verdict.kind in VITAL:
            return "broken"
        return "attention"

    @property
    def words(self) -> str:
        return WORDS[self.verdict.state]

    @property
    def found(self) -> tuple[str, ...]:
        return self.verdict.found

    @property
    def is_as_usual(self) -> bool:
        """Whether exactly the value that we would offer is found."""
        return self.found == (self.verdict.record.full_value,)

    @property
    def ttl(self) -> str:
        return "" if self.verdict.ttl is None else duration(self.verdict.ttl)


@dataclass(frozen=True, slots=True)
class FindingRow:
    finding: Finding

    @property
    def tone(self) -> str:
        return TONES[self.finding.severity]


@dataclass(frozen=True, slots=True)
class Records:
    """All that the DNS says about a domain, and what has to be changed there."""

    health: Health
    observation: Observation
    host: Host
    rows: tuple[RecordRow, ...]
    optional: tuple[RecordRow, ...]
    findings: tuple[FindingRow, ...]
    information: tuple[FindingRow, ...]

    @property
    def is_host_known(self) -> bool:
        return self.host is not SOME_HOST

    @property
    def to_set(self) -> list[RecordRow]:
        wanted = self.health.to_set
        return [it for it in self.rows if it.verdict in wanted]

    @property
    def tone_to_set(self) -> str:
        return min((it.tone for it in self.to_set), key=WORST.index, default="good")

    @property
    def is_mx_to_set(self) -> bool:
        return any(it.verdict.kind is Kind.MX for it in self.to_set)

    @property
    def names_to_set(self) -> str:
        *most, last = [it.label for it in self.to_set] or [""]
        return f"{', '.join(most)} and {last}" if most else last

    @property
    def zone(self) -> str:
        return unicode_name(self.health.zone)

    @property
    def is_below(self) -> bool:
        """Whether the records stand in the zone of a domain above."""
        return self.health.zone != self.health.domain

    @property
    def bind(self) -> str:
        return snippets.bind_zone(self.health)

    @property
    def letter(self) -> str:
        return snippets.plain_text(self.health)

    @property
    def mail_link(self) -> str:
        """A link that opens the letter in a mail program; nothing if it is too long."""
        subject = quote(f"DNS records for {unicode_name(self.health.domain)}")
        link = f"mailto:?subject={subject}&body={quote(self.letter)}"
        return link if len(link) <= LONGEST_LINK else ""


def records_of(observation: Observation, health: Health) -> Records:
    host = recognise(observation.name_servers) or SOME_HOST
    rows = [_row(it, host) for it in health.verdicts]
    findings = [FindingRow(it) for it in health.findings]
    return Records(
        health,
        observation,
        host,
        tuple(it for it in rows if not it.is_optional),
        tuple(it for it in rows if it.is_optional),
        tuple(it for it in findings if it.finding.severity is not Severity.INFO),
        tuple(it for it in findings if it.finding.severity is Severity.INFO),
    )


def _row(verdict: Verdict, host: Host) -> RecordRow:
    record = verdict.record
    is_merged = (
        verdict.kind is Kind.SPF
        and verdict.state.is_bad
        and verdict.value_to_set != record.value
    )
    return RecordRow(
        verdict,
        host.name_for(record),
        host.value_for(record, verdict.value_to_set),
        is_merged,
    )
