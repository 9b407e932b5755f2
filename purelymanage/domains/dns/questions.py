"""What has to be asked about a domain, given what is known already."""

from __future__ import annotations

import re
from collections.abc import Iterator

from purelymanage.domains.dns.expected import (
    DKIM_TARGETS,
    DMARC_TARGET,
    MAIL_HOST,
)
from purelymanage.domains.dns.names import (
    is_askable,
    is_public_suffix,
    registered_domain,
)
from purelymanage.domains.dns.observations import Observation, Question, normal
from purelymanage.domains.dns.terms import spf_hosts, spf_walk

# A domain in order takes about 20 questions. More than this is a maze, and what is
# not asked then counts as unknown.
MOST_QUESTIONS = 150
MOST_HOSTS = 20
# No zone holds such a name, so only a wildcard can answer for it.
WILDCARD_PROBE = "purelymanage-wildcard-probe"
REPORT_ADDRESS = re.compile(r"mailto:[^,;@]*@([^,;!\s]+)", re.IGNORECASE)


def questions(observation: Observation) -> list[Question]:
    """Return what to ask next; nothing if all is known or the limit is reached.

    The look-up repeats this with the answers added until the list is empty.
    """
    left = MOST_QUESTIONS - len(observation.answers)
    return sorted(open_questions(observation))[: max(left, 0)]


def open_questions(observation: Observation) -> set[Question]:
    """Return all that should be asked, without regard to the limit."""
    return {
        (name, type)
        for name, type in _wanted(observation)
        if is_askable(name) and (name, type) not in observation.answers
    }


def _wanted(observation: Observation) -> Iterator[Question]:
    domain = observation.domain
    yield from _zone(observation)
    yield domain, "MX"
    yield domain, "TXT"
    yield f"{WILDCARD_PROBE}.{domain}", "TXT"
    yield from _mail_hosts(observation)
    yield from _spf(observation)
    for label in DKIM_TARGETS:
        name = f"{label}.{domain}"
        yield name, "CNAME"
        if observation.answer(name, "CNAME").is_absent:
            yield name, "TXT"
            yield name, "A"
            if observation.answer(name, "A").is_found:
                yield f"{WILDCARD_PROBE}.{domain}", "A"
    yield from _dmarc(observation)
    yield from _extras(observation)
    yield from _doubled(observation)


def _zone(observation: Observation) -> Iterator[Question]:
    """Walk upwards until name servers are found."""
    name = observation.domain
    while not is_public_suffix(name):
        yield name, "NS"
        answer = observation.answer(name, "NS")
        if not answer.is_known or (answer.is_found and not answer.chain):
            break
        name = name.partition(".")[2]
    if observation.apex:
        yield observation.apex, "DS"
        yield observation.apex, "CAA"


def _mail_hosts(observation: Observation) -> Iterator[Question]:
    for host in mail_hosts(observation.answer(observation.domain, "MX").records):
        if host and host != MAIL_HOST:
            yield host, "A"
            if observation.answer(host, "A").is_absent:
                yield host, "AAAA"


def mail_hosts(records: tuple[str, ...]) -> list[str]:
    """Return the hosts of MX records, most preferred first."""
    found = []
    for record in records:
        priority, _, host = record.strip().partition(" ")
        if priority.isdecimal():
            found.append((int(priority), normal(host)))
    return [host for _, host in sorted(found)][:MOST_HOSTS]


def _spf(observation: Observation) -> Iterator[Question]:
    for name, _ in spf_walk(observation, observation.domain):
        yield name, "TXT"
    for host, type in spf_hosts(observation, observation.domain):
        yield host, type
        if type == "A" and observation.answer(host, "A").is_absent:
            yield host, "AAAA"


def _dmarc(observation: Observation) -> Iterator[Question]:
    domain = observation.domain
    name = f"_dmarc.{domain}"
    yield name, "CNAME"
    alias = observation.answer(name, "CNAME")
    if not alias.is_known or DMARC_TARGET in alias.records:
        return
    yield name, "TXT"
    policy = observation.answer(name, "TXT")
    for text in policy.records:
        for place in foreign_report_domains(domain, text):
            yield f"{domain}._report._dmarc.{place}", "TXT"
    above = registered_domain(domain)
    if policy.is_absent and above != domain:
        yield f"_dmarc.{above}", "TXT"


def foreign_report_domains(domain: str, policy: str) -> list[str]:
    """Return the domains of others to which a DMARC policy has reports sent."""
    places = dict.fromkeys(normal(it) for it in REPORT_ADDRESS.findall(policy))
    own = registered_domain(domain)
    return [it for it in places if is_askable(it) and registered_domain(it) != own][
        :MOST_HOSTS
    ]


def _extras(observation: Observation) -> Iterator[Question]:
    domain = observation.domain
    yield f"_mta-sts.{domain}", "TXT"
    yield f"_smtp._tls.{domain}", "TXT"
    yield f"default._bimi.{domain}", "TXT"
    yield f"autoconfig.{domain}", "CNAME"
    yield f"_autodiscover._tcp.{domain}", "SRV"
    yield f"_imaps._tcp.{domain}", "SRV"
    yield f"_submissions._tcp.{domain}", "SRV"


def _doubled(observation: Observation) -> Iterator[Question]:
    """Where a record lands if the DNS host adds the zone to a complete name."""
    domain, zone = observation.domain, observation.apex
    if not zone:
        return
    if observation.answer(domain, "TXT").is_known and not any(
        "purelymail_ownership_proof=" in it
        for it in observation.answer(domain, "TXT").records
    ):
        yield f"{domain}.{zone}", "TXT"
        if zone != domain:
            yield zone, "TXT"
    if observation.answer(domain, "MX").is_absent:
        yield f"{domain}.{zone}", "MX"
    label = next(iter(DKIM_TARGETS))
    if observation.answer(f"{label}.{domain}", "CNAME").is_absent:
        yield f"{label}.{domain}.{zone}", "CNAME"
    if observation.answer(f"_dmarc.{domain}", "TXT").is_absent:
        yield f"_dmarc.{domain}.{zone}", "CNAME"
