"""What goes beyond the records PurelyMail asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from purelymanage.domains.dns.expected import MAIL_HOST, Record
from purelymanage.domains.dns.names import is_public_suffix, unicode_name
from purelymanage.domains.dns.observations import (
    Failure,
    Observation,
    Outcome,
)
from purelymanage.domains.dns.questions import (
    MOST_QUESTIONS,
    WILDCARD_PROBE,
    mail_hosts,
)
from purelymanage.domains.dns.verdicts import (
    Finding,
    Severity,
    State,
    Verdict,
    could_not_look,
    unknown,
)

MANY_TEXTS = 30


def judge_optional(
    observation: Observation, records: Sequence[Record]
) -> list[Verdict]:
    return [_judge_one(observation, record) for record in records]


def _judge_one(observation: Observation, record: Record) -> Verdict:
    answer = observation.answer(record.name, record.type)
    if not answer.is_known:
        return unknown(record, answer)
    if answer.is_absent:
        return Verdict(record, State.MISSING, "Not set; mail works without it.")
    target = record.value.rpartition(" ")[2]
    probe = observation.answer(f"{WILDCARD_PROBE}.{observation.domain}", "TXT")
    if record.type == "CNAME" and set(answer.records) <= set(probe.chain):
        return Verdict(record, State.MISSING, "Not set; only a wildcard answers.")
    is_ours = any(_agrees(it, record) for it in answer.records)
    if is_ours:
        return Verdict(
            record,
            State.RIGHT,
            "Mail programs find PurelyMail by it.",
            found=answer.records,
            ttl=answer.ttl,
        )
    return Verdict(
        record,
        State.WRONG,
        f"It leads elsewhere than to {target}: mail programs are set up for another"
        " provider.",
        found=answer.records,
        ttl=answer.ttl,
    )


def _agrees(found: str, record: Record) -> bool:
    """Whether port and host are as wanted; priority and weight are free."""
    return found.split()[-2:] == record.value.split()[-2:]


def zone_findings(observation: Observation) -> list[Finding]:
    """Return what is wrong with the zone itself."""
    findings: list[Finding] = []
    domain, apex = observation.domain, observation.apex
    shown = unicode_name(domain)
    if not apex:
        findings += _without_zone(observation)
    if observation.lame_servers:
        names = ", ".join(observation.lame_servers)
        findings.append(
            Finding(
                "lame-delegation",
                Severity.WARNING,
                "DNS",
                f"Name servers that do not answer for {shown}: {names}",
                "Look-ups that meet them fail or are slow, so mail may be delayed.",
                "Remove them at the registrar, or set up the zone on them.",
            )
        )
    findings += _circles(observation)
    texts = observation.answer(domain, "TXT").records
    if len(texts) > MANY_TEXTS:
        findings.append(
            Finding(
                "many-texts",
                Severity.WARNING,
                "DNS",
                f"There are {len(texts)} TXT records at {shown}",
                "So large an answer needs TCP; servers that cannot do that do not see"
                " the SPF record.",
                "Delete the verification codes that are not needed any more.",
            )
        )
    probe = observation.answer(f"{WILDCARD_PROBE}.{domain}", "TXT")
    address = observation.answer(f"{WILDCARD_PROBE}.{domain}", "A")
    if probe.is_found or probe.chain or address.is_found:
        findings.append(
            Finding(
                "wildcard",
                Severity.INFO,
                "DNS",
                f"A wildcard record (*.{shown}) answers for names that do not exist",
                "A missing record can look like a wrong one, here and for receivers.",
                "Nothing needs to be done; remove the wildcard if you do not use it.",
            )
        )
    if not observation.is_complete or len(observation.answers) >= MOST_QUESTIONS:
        findings.append(
            Finding(
                "not-complete",
                Severity.INFO,
                "DNS",
                "Not everything was looked up",
                "The records refer to more names than are followed.",
                "Remove includes and MX records that are not needed.",
            )
        )
    return findings


def _circles(observation: Observation) -> list[Finding]:
    below = f".{observation.domain}"
    names = [
        name
        for (name, _), answer in sorted(observation.answers.items())
        if answer.failure is Failure.LOOP and f".{name}".endswith(below)
    ]
    return [
        Finding(
            "alias-loop",
            Severity.WARNING,
            "DNS",
            f"The alias (CNAME) at {unicode_name(name)} leads in circles",
            "Whoever follows it never arrives and gives up.",
            "Delete it, or let it lead to a name that has records of its own.",
        )
        for name in dict.fromkeys(names)
    ]


def _without_zone(observation: Observation) -> list[Finding]:
    shown = unicode_name(observation.domain)
    name = observation.domain
    while not is_public_suffix(name):
        answer = observation.answer(name, "NS")
        if answer.failure is Failure.LOOP:
            return []
        if answer.failure is Failure.UNHEARD:
            return [
                Finding(
                    "no-resolver",
                    Severity.WARNING,
                    "DNS",
                    "No resolver answers the panel",
                    f"So nothing is known about {shown}, good or bad.",
                    "Check the network of the panel's host and its DNS_RESOLVERS.",
                )
            ]
        if answer.outcome is Outcome.FAILED:
            return [
                Finding(
                    "dns-unreachable",
                    Severity.WARNING,
                    "DNS",
                    f"The DNS of {shown} cannot be looked up",
                    could_not_look(name, answer),
                    "If it stays so, check the name servers at the registrar and"
                    " whether DNSSEC is set up right.",
                )
            ]
        if not answer.is_known:
            return []
        registered, name = name, name.partition(".")[2]
    if observation.answer(registered, "NS").outcome is not Outcome.NO_NAME:
        return []
    return [
        Finding(
            "not-registered",
            Severity.ERROR,
            "DNS",
            f"{unicode_name(registered)} does not exist in the DNS",
            "It is not registered, has expired, or has no name servers.",
            "Check the spelling, and the state of the domain at the registrar.",
        )
    ]


def information(observation: Observation) -> list[Finding]:
    """Return what is good to know and no fault: MTA-STS, TLS-RPT, DNSSEC, CAA, BIMI."""
    domain = observation.domain
    findings = []

    def tell(code: str, what: str, why: str, remedy: str) -> None:
        findings.append(Finding(code, Severity.INFO, "extras", what, why, remedy))

    sts = observation.answer(f"_mta-sts.{domain}", "TXT")
    if any(re.match(r"v=STSv1\s*;", it) for it in sts.records):
        tell(
            "mta-sts",
            "MTA-STS is announced",
            "Servers that heed it deliver only to the hosts in your MTA-STS policy.",
            f"Check that the policy names {MAIL_HOST} before the MX changes.",
        )
    tls = observation.answer(f"_smtp._tls.{domain}", "TXT")
    if any(re.match(r"v=TLSRPTv1\s*;", it) for it in tls.records):
        tell(
            "tls-rpt",
            "Reports about encrypted delivery (TLS-RPT) are asked for",
            "Others send a summary each day of what went wrong.",
            "Nothing to do as long as somebody reads them.",
        )
    if observation.apex:
        secured = observation.answer(observation.apex, "DS")
        if secured.is_found:
            tell(
                "dnssec",
                "The zone is signed (DNSSEC)",
                "Nobody can forge its records on the way.",
                "Remove DNSSEC at the registrar before you change the DNS host.",
            )
        elif secured.is_absent:
            tell(
                "no-dnssec",
                "The zone is not signed (DNSSEC)",
                "Mail works without; with it, nobody can forge its records on the way.",
                "Most DNS hosts switch it on at a click.",
            )
        if observation.answer(observation.apex, "CAA").is_found:
            tell(
                "caa",
                "CAA records limit who may issue certificates",
                "They concern web servers of your own and not PurelyMail.",
                "Nothing to do.",
            )
    bimi = observation.answer(f"default._bimi.{domain}", "TXT")
    if any(re.match(r"v=BIMI1\s*;", it) for it in bimi.records):
        tell(
            "bimi",
            "A logo is published (BIMI)",
            "Some receivers show it, but only if the DMARC policy is quarantine or"
            " reject.",
            "Nothing to do.",
        )
    return findings


def proxy_findings(observation: Observation) -> list[Finding]:
    """Return what Cloudflare's own mail service leaves behind in the MX records."""
    hosts = mail_hosts(observation.answer(observation.domain, "MX").records)
    if not any(it.endswith(".mx.cloudflare.net") for it in hosts):
        return []
    return [
        Finding(
            "cloudflare-routing",
            Severity.WARNING,
            "MX",
            "Cloudflare Email Routing is on",
            "It takes the mail of the domain and locks MX and TXT records.",
            "Switch Email Routing off at Cloudflare, then set the records.",
        )
    ]
