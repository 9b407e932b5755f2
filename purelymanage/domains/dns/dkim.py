"""Whether receivers find the keys with which PurelyMail signs."""

from __future__ import annotations

from collections.abc import Sequence

from purelymanage.domains.dns.expected import Record
from purelymanage.domains.dns.mx import doubled
from purelymanage.domains.dns.observations import Answer, Observation
from purelymanage.domains.dns.questions import WILDCARD_PROBE
from purelymanage.domains.dns.verdicts import (
    Finding,
    Severity,
    State,
    Verdict,
    unknown,
)


def judge_dkim(
    observation: Observation, records: Sequence[Record]
) -> tuple[list[Verdict], list[Finding]]:
    verdicts, findings = [], []
    for record in records:
        verdict, found = _judge_key(observation, record)
        verdicts.append(verdict)
        findings += found
    zone = observation.apex
    if zone and records:
        misplaced = f"{records[0].name}.{zone}"
        if records[0].value in observation.answer(misplaced, "CNAME").records:
            findings.append(
                doubled("dkim-doubled-name", "DKIM", "DKIM", misplaced, zone)
            )
    # What befell one key usually befell all three, and is said once.
    return verdicts, list({it.code: it for it in reversed(findings)}.values())[::-1]


def _judge_key(
    observation: Observation, record: Record
) -> tuple[Verdict, list[Finding]]:
    alias = observation.answer(record.name, "CNAME")
    if not alias.is_known:
        return unknown(record, alias), []
    if alias.is_found:
        return _judge_alias(observation, record, alias)

    def verdict(state: State, sentence: str, answer: Answer) -> Verdict:
        return Verdict(
            record,
            state,
            sentence,
            found=answer.records,
            ttl=answer.ttl,
            purelymail_passes=False,
        )

    text = observation.answer(record.name, "TXT")
    address = observation.answer(record.name, "A")
    wild = observation.answer(f"{WILDCARD_PROBE}.{observation.domain}", "TXT")
    if text.is_found and set(text.records) <= set(wild.records):
        return verdict(
            State.MISSING,
            "Only a wildcard answers; the record itself is missing.",
            text,
        ), []
    keys = [it for it in text.records if _is_key(it)]
    if keys:
        return verdict(
            State.WRONG,
            "The key itself stands there instead of an alias. It stops working when"
            " PurelyMail changes its keys.",
            text,
        ), [_flattened()]
    if any(record.value in it for it in text.records):
        return verdict(
            State.WRONG, "The value was entered as TXT instead of CNAME.", text
        ), [_wrong_type()]
    probe = observation.answer(f"{WILDCARD_PROBE}.{observation.domain}", "A")
    if address.is_found and set(address.records) != set(probe.records):
        return verdict(
            State.WRONG,
            "There is an address instead of an alias: the record is proxied or of the"
            " wrong type.",
            address,
        ), [_proxied()]
    if text.is_found:
        return verdict(State.WRONG, "There is a text that is no DKIM key.", text), []
    return verdict(State.MISSING, "There is no such record.", alias), []


def _judge_alias(
    observation: Observation, record: Record, alias: Answer
) -> tuple[Verdict, list[Finding]]:
    is_right = alias.records == (record.value,)

    def verdict(state: State, sentence: str) -> Verdict:
        return Verdict(
            record,
            state,
            sentence,
            found=alias.records,
            ttl=alias.ttl,
            purelymail_passes=is_right,
        )

    if is_right:
        return verdict(State.RIGHT, "The key of PurelyMail is found."), []
    target = alias.records[0]
    label, _, rest = record.value.partition(".")
    if target == f"{label}._{rest}":
        return verdict(
            State.WRONG, "The alias leads to a place PurelyMail has given up."
        ), [_outdated()]
    if observation.apex and target.startswith(f"{record.value}."):
        return verdict(
            State.WRONG, "The domain was added to the value: a dot lacks at its end."
        ), [_trailing_dot(target, record.value)]
    probe = observation.answer(f"{WILDCARD_PROBE}.{observation.domain}", "TXT")
    if target in probe.chain:
        return verdict(
            State.MISSING, "Only a wildcard answers; the record itself is missing."
        ), []
    if target.endswith(".dkimroot.purelymail.com"):
        return verdict(State.WRONG, "The alias leads to another key of PurelyMail."), [
            Finding(
                "dkim-mixed-up",
                Severity.WARNING,
                "DKIM",
                "The DKIM keys are mixed up",
                "Each of the three names must lead to the key with its own number, or"
                " signatures fail.",
                "Let purelymail1 lead to key1, purelymail2 to key2, purelymail3 to"
                " key3.",
            )
        ]
    return verdict(State.WRONG, f"The alias leads to {target}."), []


def _is_key(text: str) -> bool:
    tags = {it.partition("=")[0].strip().lower() for it in text.split(";")}
    return "p" in tags and bool(tags & {"v", "k"})


def _flattened() -> Finding:
    return Finding(
        "dkim-flattened",
        Severity.WARNING,
        "DKIM",
        "DKIM keys are copied in instead of referred to",
        "When PurelyMail changes its keys, the copies stay old and signatures fail.",
        "Replace the TXT record by the CNAME; where the DNS host flattens CNAMEs,"
        " switch that off for it.",
    )


def _proxied() -> Finding:
    return Finding(
        "dkim-proxied",
        Severity.WARNING,
        "DKIM",
        "DKIM records answer with addresses",
        "A proxy in front of the record hides the key, so receivers cannot check"
        " signatures.",
        "Switch the proxy off for these records (at Cloudflare: “DNS only”, the grey"
        " cloud).",
    )


def _wrong_type() -> Finding:
    return Finding(
        "dkim-wrong-type",
        Severity.WARNING,
        "DKIM",
        "DKIM records are of type TXT",
        "Receivers look for a key there and find only a name.",
        "Delete them and set records of type CNAME with the same name and value.",
    )


def _outdated() -> Finding:
    return Finding(
        "dkim-outdated",
        Severity.WARNING,
        "DKIM",
        "DKIM records use PurelyMail's old names",
        "The names with an underscore, such as key1._dkimroot, are not kept up any"
        " more.",
        "Set the values anew, without the underscore.",
    )


def _trailing_dot(target: str, value: str) -> Finding:
    return Finding(
        "dkim-trailing-dot",
        Severity.WARNING,
        "DKIM",
        f"A DKIM record leads to {target}",
        "The DNS host took the value for a name inside your zone, so the key is not"
        " found.",
        f"Write the value with a dot at its end: {value}.",
    )
