"""What changed between two looks at a domain, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from purelymanage.domains.dns.expected import (
    DKIM_TARGETS,
    OWNERSHIP_PREFIX,
)
from purelymanage.domains.dns.observations import Answer, Observation
from purelymanage.domains.dns.receivers import is_dmarc
from purelymanage.domains.dns.terms import is_spf

SHOWN = 3
LONGEST = 120


def differences(old: Observation, new: Observation) -> list[str]:
    """Return a line for each thing that changed; TTLs and order do not count.

    What could not be looked up on either side says nothing about a change.
    """
    lines = [
        *_changed("Name servers", _zone(old, "NS"), _zone(new, "NS")),
        *_changed("MX", _own(old, "MX"), _own(new, "MX")),
    ]
    for title, belongs in TEXTS.items():
        lines += _changed(
            title,
            _only(_own(old, "TXT"), belongs),
            _only(_own(new, "TXT"), belongs),
        )
    for number, label in enumerate(DKIM_TARGETS, 1):
        name = f"{label}.{new.domain}"
        lines += _changed(f"DKIM key {number}", _alias(old, name), _alias(new, name))
    name = f"_dmarc.{new.domain}"
    lines += _changed("DMARC", _alias(old, name), _alias(new, name))
    lines += _changed("DNSSEC", _zone(old, "DS"), _zone(new, "DS"))
    for title, prefix, type in OTHERS:
        name = f"{prefix}.{new.domain}"
        lines += _changed(title, old.answer(name, type), new.answer(name, type))
    return lines


def _is_other(text: str) -> bool:
    return not any(it(text) for it in (is_spf, is_dmarc, _is_proof))


def _is_proof(text: str) -> bool:
    return OWNERSHIP_PREFIX in text


TEXTS: dict[str, Callable[[str], bool]] = {
    "Ownership code": _is_proof,
    "SPF": is_spf,
    "DMARC at the domain itself": is_dmarc,
    "Other text": _is_other,
}
OTHERS = (
    ("MTA-STS", "_mta-sts", "TXT"),
    ("TLS reports", "_smtp._tls", "TXT"),
    ("BIMI", "default._bimi", "TXT"),
    ("Autoconfig", "autoconfig", "CNAME"),
    ("Autodiscover", "_autodiscover._tcp", "SRV"),
    ("IMAP service", "_imaps._tcp", "SRV"),
    ("SMTP service", "_submissions._tcp", "SRV"),
)


def _own(observation: Observation, type: str) -> Answer:
    return observation.answer(observation.domain, type)


def _zone(observation: Observation, type: str) -> Answer:
    return observation.answer(observation.apex or observation.domain, type)


def _alias(observation: Observation, name: str) -> Answer:
    """Return the alias at a name, or where there is none the text or address."""
    answer = observation.answer(name, "CNAME")
    if not answer.is_absent:
        return answer
    for type in ("TXT", "A"):
        other = observation.answer(name, type)
        if other.is_found:
            return other
    return answer


def _only(answer: Answer, belongs: Callable[[str], bool]) -> Answer:
    return Answer(answer.outcome, tuple(it for it in answer.records if belongs(it)))


def _changed(what: str, old: Answer, new: Answer) -> list[str]:
    if not (old.is_known and new.is_known):
        return []
    before, after = set(old.records), set(new.records)
    if before == after:
        return []
    if not before:
        return [f"{what} appeared: {_listed(after)}"]
    if not after:
        return [f"{what} disappeared: {_listed(before)}"]
    # Of long lists only what is new and what is gone.
    if before & after and len(before | after) > SHOWN:
        gone, come = before - after, after - before
        return [f"{what} disappeared: {_listed(gone)}"] * bool(gone) + [
            f"{what} appeared: {_listed(come)}"
        ] * bool(come)
    return [f"{what} changed: {_listed(before)} → {_listed(after)}"]


def _listed(values: Iterable[str]) -> str:
    ordered = sorted(values)
    shown = [it if len(it) <= LONGEST else f"{it[: LONGEST - 1]}…" for it in ordered]
    if len(shown) > SHOWN:
        return f"{', '.join(shown[:SHOWN])} and {len(shown) - SHOWN} more"
    return ", ".join(shown)
