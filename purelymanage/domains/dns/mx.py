"""Whether mail for a domain arrives at PurelyMail."""

from __future__ import annotations

import difflib
import ipaddress

from purelymanage.domains.dns.expected import MAIL_HOST, MOVING_TTL, Record
from purelymanage.domains.dns.names import unicode_name
from purelymanage.domains.dns.observations import Answer, Observation, normal
from purelymanage.domains.dns.questions import mail_hosts
from purelymanage.domains.dns.verdicts import (
    Finding,
    Severity,
    State,
    Verdict,
    could_not_look,
    unknown,
)

LONG_TTL = 3600
LIKENESS = 0.85


def judge_mx(observation: Observation, record: Record) -> tuple[Verdict, list[Finding]]:
    domain = observation.domain
    shown = unicode_name(domain)
    answer = observation.answer(domain, "MX")
    if not answer.is_known:
        return unknown(record, answer), []
    findings = _alias(observation, answer)
    hosts = mail_hosts(answer.records)
    ours = normal(MAIL_HOST)
    others = [host for host in hosts if host != ours]

    def verdict(state: State, sentence: str) -> Verdict:
        return Verdict(
            record,
            state,
            sentence,
            found=answer.records,
            ttl=answer.ttl,
            purelymail_passes=hosts == [ours],
        )

    if not hosts:
        findings += _doubled(observation)
        return verdict(
            State.MISSING, f"There is no MX record: mail for {shown} does not arrive."
        ), findings
    if "" in hosts:
        findings.append(_null_mx(shown, alone=len(hosts) == 1))
        return verdict(
            State.WRONG,
            "A null MX record (“0 .”) says that the domain takes no mail at all.",
        ), findings

    findings += _hosts(observation, others)
    if not others:
        return verdict(State.RIGHT, "Mail goes to PurelyMail."), findings
    slips = [host for host in others if _is_slip(host)]
    foreign = [host for host in others if host not in slips]
    findings += [_slip(host, observation) for host in slips]
    if ours not in hosts:
        if foreign:
            sentence = f"Mail goes to {_listed(foreign)}, not to PurelyMail."
        else:
            sentence = f"Mail goes to {_listed(slips)}, a slip of {MAIL_HOST}."
        return verdict(State.WRONG, sentence), findings
    if foreign:
        findings.append(_foreign(answer, foreign))
    sentence = (
        f"Besides PurelyMail there is {_listed(others)}: some mail goes there instead."
    )
    return verdict(State.WRONG, sentence), findings


def mx_ttl(observation: Observation) -> int | None:
    """Return how long other servers may keep the MX records, in seconds."""
    return observation.answer(observation.domain, "MX").ttl


def is_ttl_too_long(observation: Observation) -> bool:
    """Whether a change of the MX would take more than an hour to reach everybody."""
    return (mx_ttl(observation) or 0) > LONG_TTL


def ttl_finding(observation: Observation) -> Finding | None:
    """Return the warning for a domain whose move is planned."""
    ttl = mx_ttl(observation)
    if ttl is None or ttl <= LONG_TTL:
        return None
    return Finding(
        "mx-ttl",
        Severity.WARNING,
        "MX",
        f"The TTL of the MX records is {duration(ttl)}",
        f"For {duration(ttl)} after the change, other servers may go on delivering to"
        " the old place.",
        f"Set the TTL of the MX records to {MOVING_TTL} seconds, wait"
        f" {duration(ttl)}, and only then change them.",
    )


def duration(seconds: int) -> str:
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return _count(seconds // size, word)
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"about {_count(round(seconds / size), word)}"
    return _count(seconds, "second")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _listed(hosts: list[str]) -> str:
    names = [unicode_name(it) for it in dict.fromkeys(hosts)]
    if len(names) > 3:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def _alias(observation: Observation, answer: Answer) -> list[Finding]:
    if not answer.chain:
        return []
    target = answer.chain[0]
    return [
        Finding(
            "domain-is-alias",
            Severity.WARNING,
            "DNS",
            f"{unicode_name(observation.domain)} is an alias (CNAME) of {target}",
            "A name with a CNAME cannot hold records of its own, so MX, SPF and"
            " ownership come from there or are ignored.",
            "Replace the CNAME by A and AAAA records, or by what your DNS host calls"
            " ALIAS, ANAME or flattening.",
        )
    ]


def _null_mx(shown: str, *, alone: bool) -> Finding:
    return Finding(
        "null-mx",
        Severity.ERROR,
        "MX",
        "A null MX record is set",
        f"It tells every server that {shown} takes no mail"
        + ("." if alone else ", which contradicts the other MX records."),
        "Delete the record with the value “.” and priority 0.",
    )


def _hosts(observation: Observation, hosts: list[str]) -> list[Finding]:
    found = []
    for host in dict.fromkeys(hosts):
        if _is_ip(host):
            found.append(
                Finding(
                    "mx-is-address",
                    Severity.ERROR,
                    "MX",
                    f"The MX record names an IP address, {host}",
                    "MX records may only name hosts; most servers ignore an address.",
                    f"Delete it. Mail goes to {MAIL_HOST}.",
                )
            )
            continue
        if _is_slip(host):
            continue
        address = observation.answer(host, "A")
        if address.chain:
            found.append(
                Finding(
                    "mx-to-alias",
                    Severity.WARNING,
                    "MX",
                    f"The MX host {host} is an alias (CNAME)",
                    "MX records must not lead to an alias; some servers then do not"
                    " deliver.",
                    "Name the host that the alias leads to, or delete the record.",
                )
            )
        six = observation.answer(host, "AAAA")
        if address.is_absent and six.is_absent:
            found.append(
                Finding(
                    "mx-without-address",
                    Severity.ERROR,
                    "MX",
                    f"The MX host {host} has no address",
                    "Nothing can be delivered there: servers try again for days, then"
                    " return the mail.",
                    "Delete the record or correct the name of the host.",
                )
            )
        elif not address.is_known and not six.is_found:
            found.append(
                Finding(
                    "mx-host-unknown",
                    Severity.INFO,
                    "MX",
                    f"Whether the MX host {host} has an address is not known",
                    could_not_look(host, address),
                    "Nothing to do; it is looked up again.",
                )
            )
    return found


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_slip(host: str) -> bool:
    if host == MAIL_HOST or _is_ip(host):
        return False
    return (
        MAIL_HOST in host
        or f".{host}".endswith(".purelymail.com")
        or difflib.SequenceMatcher(None, host, MAIL_HOST).ratio() >= LIKENESS
    )


def _slip(host: str, observation: Observation) -> Finding:
    zones = (observation.apex, observation.domain)
    if any(zone and host == f"{MAIL_HOST}.{zone}" for zone in zones):
        return Finding(
            "mx-trailing-dot",
            Severity.ERROR,
            "MX",
            f"The MX record leads to {host}",
            "The DNS host took the value for a name inside your zone and added the"
            " zone to it, so that mail goes nowhere.",
            f"Write the value with a dot at its end: {MAIL_HOST}.",
        )
    return Finding(
        "mx-typo",
        Severity.ERROR,
        "MX",
        f"The MX host {host} looks like a slip of {MAIL_HOST}",
        "Mail for the domain does not reach PurelyMail.",
        f"Correct the value to {MAIL_HOST}.",
    )


def _foreign(answer: Answer, foreign: list[str]) -> Finding:
    ordered = mail_hosts(answer.records)
    is_preferred = ordered[0] in foreign or _priority(answer, ordered[0]) == min(
        _priority(answer, host) for host in foreign
    )
    return Finding(
        "foreign-mx",
        Severity.ERROR if is_preferred else Severity.WARNING,
        "MX",
        f"MX records of another provider are left: {_listed(foreign)}",
        (
            "Other servers prefer that provider, or take either by chance, so mail"
            " ends up in two places."
            if is_preferred
            else "Whenever PurelyMail is slow to answer, and for much spam always,"
            " mail goes to the other provider."
        ),
        "Delete the other MX records once the mailboxes have moved.",
    )


def _priority(answer: Answer, host: str) -> int:
    return min(
        (
            int(priority)
            for priority, _, name in (it.partition(" ") for it in answer.records)
            if priority.isdecimal() and normal(name) == host
        ),
        default=0,
    )


def _doubled(observation: Observation) -> list[Finding]:
    zone = observation.apex
    name = f"{observation.domain}.{zone}"
    if not zone or MAIL_HOST not in mail_hosts(observation.answer(name, "MX").records):
        return []
    return [doubled("mx-doubled-name", "MX", "MX", name, zone)]


def doubled(code: str, area: str, what: str, name: str, zone: str) -> Finding:
    """Return the finding for a record at a name that holds the zone twice."""
    return Finding(
        code,
        Severity.WARNING,
        area,
        f"The {what} record stands at {name}",
        "The DNS host added the domain to a name that was complete already, so nobody"
        " finds the record.",
        f"Write the name without {zone} at its end, and delete the misplaced record.",
    )
