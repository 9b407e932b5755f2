"""Whether PurelyMail can see whose domain it is."""

from __future__ import annotations

from purelymanage.domains.dns.expected import OWNERSHIP_PREFIX, Record
from purelymanage.domains.dns.mx import doubled
from purelymanage.domains.dns.names import unicode_name
from purelymanage.domains.dns.observations import Observation
from purelymanage.domains.dns.verdicts import (
    Finding,
    Severity,
    State,
    Verdict,
    unknown,
)

QUOTES = "\"'“”„\\ \t"


def judge_ownership(
    observation: Observation, record: Record
) -> tuple[Verdict, list[Finding]]:
    domain, zone = observation.domain, observation.apex
    answer = observation.answer(domain, "TXT")
    if not answer.is_known:
        return unknown(record, answer), []
    code = record.value
    proofs = tuple(it for it in answer.records if OWNERSHIP_PREFIX in it.lower())

    def verdict(state: State, sentence: str) -> Verdict:
        return Verdict(record, state, sentence, found=proofs, ttl=answer.ttl)

    if code in answer.records:
        return verdict(State.RIGHT, "The domain is proven to be yours."), []
    if any(it.strip(QUOTES).lower() == code.lower() for it in proofs):
        return verdict(State.WRONG, "The code is there, but not letter by letter."), [
            _altered()
        ]
    if proofs:
        return verdict(
            State.WRONG, "There is a code, but of another PurelyMail account."
        ), [_another()]
    findings = []
    misplaced = f"{domain}.{zone}"
    if zone and code in observation.answer(misplaced, "TXT").records:
        findings.append(
            doubled("ownership-doubled-name", "ownership", "ownership", misplaced, zone)
        )
    if zone not in ("", domain) and code in observation.answer(zone, "TXT").records:
        findings.append(_above(domain, zone, record))
    return verdict(State.MISSING, "The code is not there (yet)."), findings


def _altered() -> Finding:
    return Finding(
        "ownership-altered",
        Severity.WARNING,
        "ownership",
        "The ownership code was altered",
        "Quotation marks, spaces or changed capitals became part of it, so PurelyMail"
        " does not recognise it.",
        "Copy the value again and enter it without quotation marks.",
    )


def _another() -> Finding:
    return Finding(
        "ownership-other-account",
        Severity.WARNING,
        "ownership",
        "The ownership code belongs to another account",
        "PurelyMail compares it with the code of your account and refuses the domain.",
        "Add your code; delete the other one if that account is not used any more.",
    )


def _above(domain: str, zone: str, record: Record) -> Finding:
    return Finding(
        "ownership-above",
        Severity.WARNING,
        "ownership",
        f"The ownership code stands at {unicode_name(zone)}",
        f"PurelyMail looks for it at {unicode_name(domain)}, as each subdomain is a"
        " domain of its own.",
        f"Set it with the name {record.relative_name}.",
    )
