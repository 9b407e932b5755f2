"""Whether receivers let PurelyMail send for a domain."""

from __future__ import annotations

import re
from collections.abc import Sequence

from purelymanage.domains.dns.expected import (
    SPF_HOST,
    SPF_INCLUDE,
    SPF_RECORD,
    Record,
)
from purelymanage.domains.dns.names import unicode_name
from purelymanage.domains.dns.observations import Observation
from purelymanage.domains.dns.receivers import SpfResult, bad_words, evaluate_spf
from purelymanage.domains.dns.terms import (
    Term,
    evaluated_terms,
    spf_records,
    spf_walk,
    terms,
)
from purelymanage.domains.dns.verdicts import (
    Finding,
    Severity,
    State,
    Verdict,
    could_not_look,
    unknown,
)

# What was meant for an SPF record although no receiver takes it for one.
ALMOST_SPF = re.compile(
    r"\W*(v\s*=\s*spf\s*1|spf1\s|v=spf1|v=spf2(?!\.0/))", re.IGNORECASE
)
QUOTES = "\"'“”„\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\\"
LONGEST = 450


def judge_spf(
    observation: Observation, record: Record
) -> tuple[Verdict, list[Finding]]:
    domain = observation.domain
    shown = unicode_name(domain)
    answer = observation.answer(domain, "TXT")
    if not answer.is_known:
        return unknown(record, answer), []
    found = spf_records(answer.records)
    broken = [it for it in answer.records if it not in found and ALMOST_SPF.match(it)]
    findings = [_almost(it) for it in broken[:1]]

    def verdict(state: State, sentence: str, value: str = "") -> Verdict:
        passes = len(found) == 1 and SPF_INCLUDE in found[0].split()
        return Verdict(
            record,
            state,
            sentence,
            found=tuple(found or broken),
            value=value,
            ttl=answer.ttl,
            purelymail_passes=passes,
        )

    if not found:
        if broken:
            return verdict(
                State.WRONG,
                "There is a record that was meant for SPF, but no receiver takes it for"
                " one.",
                merged([_mended(it) for it in broken]),
            ), findings
        return verdict(
            State.MISSING,
            f"There is no SPF record: many receivers refuse mail from {shown} or take"
            " it for spam.",
        ), findings
    if len(found) > 1:
        findings.append(_several(len(found)))
        return verdict(
            State.WRONG,
            f"There are {len(found)} SPF records: receivers then heed none of them.",
            merged(found),
        ), findings

    only = found[0]
    result = evaluate_spf(only, observation)
    findings += _problems(observation, only, result)
    if result.problem != "syntax":
        findings += _advice(only, evaluated_terms(only))
    if result.problem == "syntax":
        words = ", ".join(f"“{it}”" for it in result.culprits)
        return verdict(
            State.WRONG,
            f"Receivers do not understand {words} and ignore the whole record."
            " The one offered leaves it out.",
            merged([only]),
        ), findings
    if not _lets_us_send(observation, only):
        if result.unknown and not _names_us(only):
            return verdict(
                State.UNKNOWN,
                "PurelyMail is not named in the record itself, and what it refers to"
                " could not be looked up.",
                only,
            ), findings
        return verdict(State.WRONG, _why_not(only), merged([only])), findings
    if result.problem:
        return verdict(
            State.WRONG,
            "PurelyMail is allowed to send, but receivers cannot evaluate the record"
            f" and ignore it: {PROBLEMS[result.problem]}.",
            _without_dead_ends(observation, only),
        ), findings
    if any(it.is_all and it.qualifier in ("", "+") for it in evaluated_terms(only)):
        return verdict(
            State.RIGHT,
            "PurelyMail may send for the domain, and so may everybody else.",
            merged([only]),
        ), findings
    return verdict(State.RIGHT, "PurelyMail may send for the domain.", only), findings


PROBLEMS = {
    "lookups": "it takes more than the 10 look-ups that are allowed",
    "voids": "more than 2 of the names in it do not exist",
    "loop": "it refers to itself in a circle",
    "include": "a record that it refers to is missing or not valid",
}


def merged(records: Sequence[str]) -> str:
    """Return one record that says what these say and lets PurelyMail send.

    Words that no receiver understands are left out, or they would spoil the rest.
    """
    kept: dict[str, Term] = {}
    endings: list[Term] = []
    redirects: list[Term] = []
    for record in records:
        bad = set(bad_words(record))
        has_ended = False
        for it in terms(record):
            if it.text in bad or it.host == SPF_HOST:
                continue
            if it.is_all:
                endings += [] if has_ended else [it]
                has_ended = True
            elif it.is_redirect:
                redirects.append(it)
            elif not has_ended or it.separator == "=":
                kept.setdefault(it.text.lower(), it)
    words = [it.text for it in kept.values() if it.separator != "="]
    modifiers = [it.text for it in kept.values() if it.separator == "="]
    if len(records) > 1:
        # A redirect counts only where nothing else ends the record.
        words += [f"include:{it.value}" for it in redirects]
        redirects = []
    words.append(SPF_INCLUDE)
    words.append(redirects[0].text if redirects and not endings else _ending(endings))
    # Explanations and the like come last, as they are usually written.
    return " ".join(["v=spf1", *dict.fromkeys(words), *modifiers])


def _ending(found: Sequence[Term]) -> str:
    """Return the strictest ending that all agree on; one that forbids nothing is not
    kept.
    """
    kinds = {it.qualifier for it in found}
    return "-all" if kinds == {"-"} else "~all"


def _without_dead_ends(observation: Observation, record: str) -> str:
    """Return a record without the words that make it fail.

    It stays as it is if they stand in records it refers to, or are merely too many.
    """
    words = [
        it.text
        for it in terms(record)
        if it.has_macro or not _is_dead_end(observation, it)
    ]
    if len(words) == len(terms(record)):
        return record
    return merged([" ".join(["v=spf1", *words])])


def _is_dead_end(observation: Observation, term: Term) -> bool:
    host = term.host or observation.domain
    if term.leads_on:
        answer = observation.answer(host, "TXT")
        is_faulty = answer.is_known and len(spf_records(answer.records)) != 1
        return is_faulty or host == observation.domain
    if term.name == "mx":
        return observation.answer(host, "MX").is_absent
    return (
        term.name == "a"
        and observation.answer(host, "A").is_absent
        and observation.answer(host, "AAAA").is_absent
    )


def _mended(text: str) -> str:
    text = re.sub(rf"[{re.escape(QUOTES)}]", "", text).strip()
    text = re.sub(r"^\W*(v\s*=\s*)?spf\s*[12]\s*", "v=spf1 ", text, flags=re.IGNORECASE)
    return text.strip()


def _names_us(record: str) -> bool:
    return any(it.host == SPF_HOST for it in terms(record))


def _lets_us_send(observation: Observation, record: str) -> bool:
    """Whether some record on the way includes PurelyMail's."""
    if _grants(record):
        return True
    return any(
        _grants(text)
        for name, answer in spf_walk(observation, observation.domain)
        if name != observation.domain
        for text in spf_records(answer.records)
    )


def _grants(record: str) -> bool:
    return any(
        it.leads_on and it.host == SPF_HOST and it.qualifier in ("", "+")
        for it in evaluated_terms(record)
    )


def _why_not(record: str) -> str:
    for it in terms(record):
        if it.host != SPF_HOST:
            continue
        if it.qualifier not in ("", "+"):
            return f"“{it.text}” does not allow PurelyMail to send."
        if it.leads_on:
            return "PurelyMail is named behind “all”, where receivers stop reading."
        return f"“{it.text}” is not the way to name PurelyMail."
    return "PurelyMail is not allowed to send for the domain."


def _almost(text: str) -> Finding:
    if text.strip()[:1] in QUOTES:
        return Finding(
            "spf-quoted",
            Severity.WARNING,
            "SPF",
            "The SPF record holds quotation marks",
            "They became part of the text, so receivers do not see an SPF record.",
            "Enter the value without quotation marks.",
        )
    return Finding(
        "spf-almost",
        Severity.WARNING,
        "SPF",
        f"“{text[:60]}” is no SPF record",
        "Receivers only heed a text that begins with exactly “v=spf1” and a space.",
        f"Replace it by one record such as “{SPF_RECORD}”.",
    )


def _several(number: int) -> Finding:
    return Finding(
        "spf-several",
        Severity.ERROR,
        "SPF",
        f"There are {number} SPF records",
        "Only one is allowed; with more, receivers act as if the check had failed.",
        "Set the merged record that is offered here and delete the others.",
    )


def _problems(
    observation: Observation, record: str, result: SpfResult
) -> list[Finding]:
    findings = []
    if result.problem:
        what = {
            "syntax": "The SPF record has a mistake in it",
            "lookups": "The SPF record takes too many look-ups",
            "voids": "The SPF record leads to names that do not exist",
            "loop": "The SPF record goes in circles",
            "include": "The SPF record refers to one that is missing",
        }[result.problem]
        why = {
            "syntax": "Receivers ignore a record as soon as one word makes no sense.",
            "lookups": "Receivers give up after 10 and treat the record as faulty.",
            "voids": "Receivers give up after 2 and treat the record as faulty.",
            "loop": "Receivers notice the circle and treat the record as faulty.",
            "include": "One such reference makes the whole record faulty.",
        }[result.problem]
        remedy = {
            "syntax": "Correct or remove "
            + ", ".join(f"“{it}”" for it in result.culprits)
            + ".",
            "lookups": "Remove what you do not send with any more; each include, a, mx,"
            " ptr, exists and redirect costs at least one.",
            "voids": "Remove the words whose names do not exist any more.",
            "loop": "Remove the include or redirect that leads back.",
            "include": f"Remove {_missing(observation)}.",
        }[result.problem]
        findings.append(
            Finding(f"spf-{result.problem}", Severity.ERROR, "SPF", what, why, remedy)
        )
    vendor = observation.answer(SPF_HOST, "TXT")
    if vendor.is_absent and _names_us(record):
        findings.append(
            Finding(
                "spf-purelymail-absent",
                Severity.INFO,
                "SPF",
                f"PurelyMail's own record at {SPF_HOST} was not found",
                "Receivers then cannot tell which servers are PurelyMail's.",
                "Nothing to do in your DNS; if it stays so, ask PurelyMail.",
            )
        )
    if result.unknown:
        name, type = result.unknown[0]
        findings.append(
            Finding(
                "spf-unknown",
                Severity.INFO,
                "SPF",
                f"{name}, which the SPF record refers to, is not known",
                could_not_look(name, observation.answer(name, type)),
                "Nothing to do; it is looked up again.",
            )
        )
    return findings


def _missing(observation: Observation) -> str:
    names = [
        name
        for name, answer in spf_walk(observation, observation.domain)
        if answer.is_known
        and len(spf_records(answer.records)) != 1
        and name != SPF_HOST
    ]
    if not names:
        return "the reference that leads to a faulty record"
    return "the reference to " + " and ".join(names)


def _advice(record: str, found: list[Term]) -> list[Finding]:
    findings = []

    def warn(code: str, severity: Severity, what: str, why: str, remedy: str) -> None:
        findings.append(Finding(code, severity, "SPF", what, why, remedy))

    ending = next((it for it in found if it.is_all), None)
    if ending is None and not any(it.is_redirect for it in found):
        warn(
            "spf-no-all",
            Severity.WARNING,
            "The SPF record has no ending",
            "Without “all” receivers accept mail from every other server as well.",
            "Add “~all” at the end.",
        )
    elif ending and ending.qualifier in ("", "+"):
        warn(
            "spf-allows-all",
            Severity.ERROR,
            "The SPF record allows everybody to send",
            "With “+all” anybody may send as your domain, and spammers look for that.",
            "Replace it by “~all” or “-all”.",
        )
    elif ending and ending.qualifier == "?":
        warn(
            "spf-neutral-all",
            Severity.WARNING,
            "The SPF record says nothing about others",
            "With “?all” receivers treat forged mail like any other.",
            "Replace it by “~all” or “-all”.",
        )
    if any(it.name == "ptr" for it in found):
        warn(
            "spf-ptr",
            Severity.WARNING,
            "The SPF record uses ptr",
            "It is slow and unreliable, and receivers may pass over it.",
            "Remove it, or name the servers with ip4, ip6 or include.",
        )
    if len(record.encode()) > LONGEST:
        warn(
            "spf-long",
            Severity.INFO,
            "The SPF record is very long",
            "Answers beyond 512 bytes need TCP, which some servers cannot do.",
            "Remove what you do not send with any more.",
        )
    return findings
