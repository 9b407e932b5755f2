"""What changed between two looks, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from purelymanage.domains.dns.expected import DKIM_TARGETS, OWNERSHIP_PREFIX
from purelymanage.domains.dns.observations import Observation
from purelymanage.domains.dns.terms import is_spf

# What is known of a subject: its values, none where there is certainly nothing.
Known = Mapping[str, list[str]]
LONGEST = 300
MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Difference:
    subject: str
    before: list[str]
    after: list[str]

    @property
    def sentence(self) -> str:
        if not self.before:
            return f"{self.subject} added: {_shown(self.after)}"
        if not self.after:
            return f"{self.subject} removed, which was {_shown(self.before)}"
        return f"{self.subject} changed: {_shown(self.before)} → {_shown(self.after)}"


def known_records(seen: Observation) -> dict[str, list[str]]:
    """Return the domain's own records by what they are for.

    What could not be looked up is left out: it is not known, and not gone either.
    """
    return dict(_known(seen))


def differences(before: Known, after: Known) -> list[Difference]:
    """Return what differs of the subjects that are known both times."""
    return [
        Difference(subject, before[subject], values)
        for subject, values in after.items()
        if subject in before and before[subject] != values
    ]


def _known(seen: Observation) -> Iterator[tuple[str, list[str]]]:
    domain = seen.domain
    if (answer := seen.answer(domain, "MX")).is_known:
        yield "MX", sorted(answer.records, key=_by_priority)
    if (answer := seen.answer(domain, "TXT")).is_known:
        # The order means nothing: servers rotate it.
        yield "SPF", sorted(it for it in answer.records if is_spf(it))
        yield (
            "The ownership record",
            sorted(it for it in answer.records if it.startswith(OWNERSHIP_PREFIX)),
        )
    for number, label in enumerate(DKIM_TARGETS, start=1):
        yield from _aliased(seen, f"{label}.{domain}", f"DKIM key {number}")
    yield from _aliased(seen, f"_dmarc.{domain}", "DMARC")
    if seen.apex and (answer := seen.answer(seen.apex, "NS")).is_known:
        yield "The name servers", sorted(answer.records)


def _aliased(
    seen: Observation, name: str, subject: str
) -> Iterator[tuple[str, list[str]]]:
    """Yield an alias, or the text in its place."""
    alias, text = seen.answer(name, "CNAME"), seen.answer(name, "TXT")
    if alias.is_found:
        yield subject, sorted(alias.records)
    elif alias.is_absent and text.is_known:
        yield subject, sorted(text.records)


def _by_priority(record: str) -> tuple[int, str]:
    priority, _, host = record.partition(" ")
    return (int(priority) if priority.isdecimal() else 0, host)


def _shown(values: list[str]) -> str:
    text = ", ".join(values[:MOST_SHOWN])
    if len(values) > MOST_SHOWN:
        text += f" and {len(values) - MOST_SHOWN} more"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
