"""Everything that can be said about a domain, from what was found of it."""

from __future__ import annotations

from purelymanage.domains.dns.dkim import judge_dkim
from purelymanage.domains.dns.expected import (
    DKIM_KINDS,
    Kind,
    Need,
    wanted_records,
)
from purelymanage.domains.dns.extras import (
    information,
    judge_optional,
    proxy_findings,
    zone_findings,
)
from purelymanage.domains.dns.mx import judge_mx, ttl_finding
from purelymanage.domains.dns.observations import Observation
from purelymanage.domains.dns.ownership import judge_ownership
from purelymanage.domains.dns.verdicts import Finding, Health, Verdict


def judge(
    observation: Observation, *, ownership_code: str = "", is_moving: bool = False
) -> Health:
    """Judge a domain. Without an ownership code its record is left out.

    `is_moving` says that a migration is planned, for which the MX should be quick to
    change.
    """
    # They bring checkdmarc, a sixth of what every process would need to start.
    from purelymanage.domains.dns.dmarc import judge_dmarc
    from purelymanage.domains.dns.spf import judge_spf

    records = wanted_records(
        observation.domain,
        zone=observation.apex,
        ownership_code=ownership_code,
        is_moving=is_moving,
    )
    by_kind = {it.kind: it for it in records}
    verdicts: list[Verdict] = []
    findings: list[Finding] = zone_findings(observation)
    if ownership := by_kind.get(Kind.OWNERSHIP):
        _take(judge_ownership(observation, ownership), verdicts, findings)
    _take(judge_mx(observation, by_kind[Kind.MX]), verdicts, findings)
    findings += proxy_findings(observation)
    if is_moving and (slow := ttl_finding(observation)):
        findings.append(slow)
    _take(judge_spf(observation, by_kind[Kind.SPF]), verdicts, findings)
    keys, found = judge_dkim(observation, [by_kind[kind] for kind in DKIM_KINDS])
    verdicts += keys
    findings += found
    _take(judge_dmarc(observation, by_kind[Kind.DMARC]), verdicts, findings)
    verdicts += judge_optional(
        observation, [it for it in records if it.need is Need.OPTIONAL]
    )
    findings += information(observation)
    findings.sort(key=lambda it: it.severity.rank)
    return Health(
        observation.domain,
        observation.apex or observation.domain,
        tuple(verdicts),
        tuple(findings),
    )


def _take(
    judged: tuple[Verdict, list[Finding]],
    verdicts: list[Verdict],
    findings: list[Finding],
) -> None:
    verdicts.append(judged[0])
    findings += judged[1]
