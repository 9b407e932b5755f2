"""What receivers are told to do with forged mail."""

from __future__ import annotations

from purelymanage.domains.dns.expected import DMARC_TARGET, Record
from purelymanage.domains.dns.mx import doubled
from purelymanage.domains.dns.names import registered_domain, unicode_name
from purelymanage.domains.dns.observations import Answer, Observation
from purelymanage.domains.dns.questions import WILDCARD_PROBE, foreign_report_domains
from purelymanage.domains.dns.receivers import Policy, is_dmarc, read_policy
from purelymanage.domains.dns.verdicts import (
    Finding,
    Severity,
    State,
    Verdict,
    could_not_look,
    unknown,
)

OUTDATED = "_dmarcroot.purelymail.com"
POLICIES = {
    "none": "forged mail is delivered like any other",
    "quarantine": "forged mail goes to the spam folder",
    "reject": "forged mail is refused",
}


def judge_dmarc(
    observation: Observation, record: Record
) -> tuple[Verdict, list[Finding]]:
    alias = observation.answer(record.name, "CNAME")
    if not alias.is_known:
        return unknown(record, alias), []
    findings = _misplaced(observation, record)
    probe = observation.answer(f"{WILDCARD_PROBE}.{observation.domain}", "TXT")
    target = alias.records[0] if alias.records else ""
    if target in probe.chain:
        target = ""

    def verdict(state: State, sentence: str, answer: Answer) -> Verdict:
        return Verdict(
            record,
            state,
            sentence,
            found=answer.records,
            ttl=answer.ttl,
            purelymail_passes=alias.records == (DMARC_TARGET,),
        )

    if target == DMARC_TARGET:
        return verdict(State.RIGHT, "PurelyMail's policy is in force.", alias), findings
    if target == OUTDATED:
        findings.append(_outdated())
        return verdict(
            State.WRONG, "The alias leads to a place PurelyMail has given up.", alias
        ), findings
    if target.startswith(f"{DMARC_TARGET}."):
        findings.append(_trailing_dot(target))
        return verdict(
            State.WRONG,
            "The domain was added to the value: a dot lacks at its end.",
            alias,
        ), findings

    text = observation.answer(record.name, "TXT")
    if not text.is_known:
        return unknown(record, text), findings
    policies = [it for it in text.records if is_dmarc(it)]
    if set(text.records) <= set(probe.records) and not policies:
        text = Answer(text.outcome)
    if len(policies) > 1:
        findings.append(_several(len(policies)))
        return verdict(
            State.WRONG,
            f"There are {len(policies)} policies: receivers then heed none of them.",
            text,
        ), findings
    if policies:
        policy = read_policy(policies[0], observation.domain)
        if policy.problem:
            findings.append(_faulty(policy))
            return verdict(
                State.WRONG,
                "There is a policy of your own, but receivers cannot read it.",
                text,
            ), findings
        findings += _advice(observation, policy, policies[0])
        return verdict(
            State.RIGHT,
            f"A policy of your own is in force: {POLICIES[policy.p]}.",
            text,
        ), findings
    if text.records:
        findings.append(_unrelated(text.records))
        return verdict(
            State.WRONG, "There is a text that is no DMARC policy.", text
        ), findings
    if target:
        return verdict(
            State.WRONG, f"The alias leads to {target}, where no policy is.", alias
        ), findings
    return _inherited(observation, record, alias), findings


def _inherited(observation: Observation, record: Record, alias: Answer) -> Verdict:
    """Judge a name without a policy: that of the domain above may hold for it."""
    above = registered_domain(observation.domain)
    missing = "There is no DMARC policy: forged mail is hard to tell from yours."
    if above == observation.domain:
        return Verdict(record, State.MISSING, missing, purelymail_passes=False)
    answer = observation.answer(f"_dmarc.{above}", "TXT")
    policies = [it for it in answer.records if is_dmarc(it)]
    if len(policies) == 1 and not read_policy(policies[0], above).problem:
        return Verdict(
            record,
            State.RIGHT,
            f"The policy of {unicode_name(above)} holds here too.",
            found=tuple(policies),
            ttl=answer.ttl,
            purelymail_passes=False,
        )
    if not answer.is_known:
        sentence = could_not_look(f"_dmarc.{above}", answer)
        return Verdict(record, State.UNKNOWN, sentence, purelymail_passes=False)
    return Verdict(record, State.MISSING, missing, purelymail_passes=False)


def _misplaced(observation: Observation, record: Record) -> list[Finding]:
    findings = []
    domain, zone = observation.domain, observation.apex
    if any(is_dmarc(it) for it in observation.answer(domain, "TXT").records):
        findings.append(
            Finding(
                "dmarc-misplaced",
                Severity.WARNING,
                "DMARC",
                f"A DMARC policy stands at {unicode_name(domain)} itself",
                "Receivers look for it at _dmarc only, so it has no effect.",
                f"Delete it there and set it with the name {record.relative_name}.",
            )
        )
    misplaced = f"{record.name}.{zone}"
    if zone and observation.answer(misplaced, "CNAME").is_found:
        findings.append(
            doubled("dmarc-doubled-name", "DMARC", "DMARC", misplaced, zone)
        )
    return findings


def _advice(observation: Observation, policy: Policy, text: str) -> list[Finding]:
    findings = []

    def say(code: str, severity: Severity, what: str, why: str, remedy: str) -> None:
        findings.append(Finding(code, severity, "DMARC", what, why, remedy))

    if policy.p == "none":
        say(
            "dmarc-none",
            Severity.INFO if policy.has_reports else Severity.WARNING,
            "The DMARC policy asks for nothing (p=none)",
            (
                "Forged mail is delivered; only reports are sent."
                if policy.has_reports
                else "Forged mail is delivered and nobody is told, so the policy does"
                " nothing."
            ),
            "Once all that sends for you passes, change it to p=quarantine or p=reject.",
        )
    elif policy.sp == "none":
        say(
            "dmarc-subdomains",
            Severity.INFO,
            "Subdomains are exempt from the DMARC policy (sp=none)",
            "Whoever forges mail simply uses a subdomain.",
            "Remove sp=none unless a subdomain needs it.",
        )
    strict = [
        word
        for word, mode in (("DKIM", policy.adkim), ("SPF", policy.aspf))
        if mode == "s"
    ]
    if strict:
        say(
            "dmarc-strict",
            Severity.INFO,
            f"The DMARC policy wants {' and '.join(strict)} to match exactly",
            "Mail sent as a subdomain, or through services with a return address of"
            " their own, then fails.",
            "Leave out adkim and aspf unless you need them.",
        )
    for place in foreign_report_domains(observation.domain, text):
        name = f"{observation.domain}._report._dmarc.{place}"
        answer = observation.answer(name, "TXT")
        if any(is_dmarc(it) for it in answer.records):
            continue
        if answer.is_known:
            say(
                "dmarc-reports-refused",
                Severity.WARNING,
                f"{place} does not accept reports about {observation.domain}",
                "Others send no reports there, as the place has not agreed to it.",
                f"Let {place} publish “v=DMARC1” as TXT at {name}, or name an address"
                " in your own domain.",
            )
        else:
            say(
                "dmarc-reports-unknown",
                Severity.INFO,
                f"Whether {place} accepts reports is not known",
                could_not_look(name, answer),
                "Nothing to do; it is looked up again.",
            )
    return findings


def _outdated() -> Finding:
    return Finding(
        "dmarc-outdated",
        Severity.WARNING,
        "DMARC",
        "The DMARC record uses PurelyMail's old name",
        "The name with an underscore, _dmarcroot, is not kept up any more.",
        f"Set the value {DMARC_TARGET}.",
    )


def _trailing_dot(target: str) -> Finding:
    return Finding(
        "dmarc-trailing-dot",
        Severity.WARNING,
        "DMARC",
        f"The DMARC record leads to {target}",
        "The DNS host took the value for a name inside your zone, so no policy is"
        " found.",
        f"Write the value with a dot at its end: {DMARC_TARGET}.",
    )


def _several(number: int) -> Finding:
    return Finding(
        "dmarc-several",
        Severity.WARNING,
        "DMARC",
        f"There are {number} DMARC records",
        "With more than one, receivers act as if there were none.",
        "Keep one and delete the others.",
    )


def _faulty(policy: Policy) -> Finding:
    return Finding(
        "dmarc-faulty",
        Severity.WARNING,
        "DMARC",
        "The DMARC policy has a mistake in it",
        f"Receivers ignore it: {policy.problem}.",
        "Correct it, or replace it by the CNAME to PurelyMail's policy.",
    )


def _unrelated(texts: tuple[str, ...]) -> Finding:
    first = texts[0].strip()
    if DMARC_TARGET in first:
        return Finding(
            "dmarc-wrong-type",
            Severity.WARNING,
            "DMARC",
            "The DMARC record is of type TXT",
            "Receivers look for a policy there and find only a name.",
            "Delete it and set a record of type CNAME with the same name and value.",
        )
    if first[:1] in ('"', "'", "“", "\\"):
        return Finding(
            "dmarc-quoted",
            Severity.WARNING,
            "DMARC",
            "The DMARC record holds quotation marks",
            "They became part of the text, so receivers do not see a policy.",
            "Enter the value without quotation marks.",
        )
    return Finding(
        "dmarc-unrelated",
        Severity.WARNING,
        "DMARC",
        "The text at _dmarc is no policy",
        "Receivers only heed a text that begins with exactly “v=DMARC1;”.",
        "Replace it by the CNAME to PurelyMail's policy or by one of your own.",
    )
