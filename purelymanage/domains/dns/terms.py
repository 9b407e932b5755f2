"""SPF records taken apart, as far as it takes to ask on and to merge them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from purelymanage.domains.dns.names import is_askable
from purelymanage.domains.dns.observations import Answer, Observation, normal

TERM = re.compile(r"([+?~-]?)([a-z][a-z0-9._-]*)(?:([:=/])(.*))?", re.IGNORECASE)
# Deeper than any receiver goes: ten look-ups are the limit.
DEEPEST = 11
MOST_RECORDS = 40


@dataclass(frozen=True, slots=True)
class Term:
    """One word of an SPF record, such as `~include:_spf.example.net`."""

    text: str
    qualifier: str = ""
    # Lower-case; empty if the word makes no sense.
    name: str = ""
    separator: str = ""
    value: str = ""

    @property
    def is_all(self) -> bool:
        return self.name == "all" and not self.separator

    @property
    def host(self) -> str:
        """The name it leads to: empty for the domain of the record itself."""
        if self.separator == "/":
            return ""
        host = self.value
        if self.name in ("a", "mx"):
            host = host.partition("/")[0]
        return normal(host)

    @property
    def has_macro(self) -> bool:
        return "%" in self.value

    @property
    def leads_on(self) -> bool:
        """Whether another SPF record takes part because of it."""
        return (self.name == "include" and self.separator == ":") or self.is_redirect

    @property
    def is_redirect(self) -> bool:
        return self.name == "redirect" and self.separator == "="


def is_spf(text: str) -> bool:
    """Whether receivers take a TXT record for SPF: only if it begins exactly so."""
    text = text.lower()
    return text == "v=spf1" or text.startswith("v=spf1 ")


def spf_records(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if is_spf(text)]


def terms(record: str) -> list[Term]:
    """Return the words after `v=spf1`."""
    return [_term(word) for word in record.split()[1:]]


def _term(word: str) -> Term:
    match = TERM.fullmatch(word)
    if not match:
        return Term(word)
    qualifier, name, separator, value = match.groups()
    return Term(word, qualifier, name.lower(), separator or "", value or "")


def evaluated_terms(record: str) -> list[Term]:
    """Return the words receivers look at: none after `all`, no redirect beside it."""
    found = terms(record)
    has_all = any(it.is_all for it in found)
    kept = []
    for it in found:
        if it.is_redirect and has_all:
            continue
        kept.append(it)
        if it.is_all:
            break
    return kept


def spf_walk(observation: Observation, domain: str) -> Iterator[tuple[str, Answer]]:
    """Yield each name whose SPF record takes part, the domain's first, once each.

    A name that was not asked about yet is among them, so this also tells what to ask.
    """
    waiting = [(domain, 0)]
    seen = {domain}
    while waiting:
        name, depth = waiting.pop(0)
        answer = observation.answer(name, "TXT")
        yield name, answer
        found = spf_records(answer.records)
        if len(found) != 1 or depth >= DEEPEST:
            continue
        for it in evaluated_terms(found[0]):
            host = it.host
            if (
                it.leads_on
                and not it.has_macro
                and host not in seen
                and len(seen) < MOST_RECORDS
                and is_askable(host)
            ):
                seen.add(host)
                waiting.append((host, depth + 1))


def spf_hosts(observation: Observation, domain: str) -> Iterator[tuple[str, str]]:
    """Yield what the records' other words make receivers look up: (name, type)."""
    for name, answer in spf_walk(observation, domain):
        found = spf_records(answer.records)
        if len(found) != 1:
            continue
        for it in evaluated_terms(found[0]):
            host = it.host or name
            if it.has_macro or not is_askable(host):
                continue
            if it.name == "mx":
                yield host, "MX"
            elif it.name in ("a", "exists", "ptr"):
                yield host, "A"
