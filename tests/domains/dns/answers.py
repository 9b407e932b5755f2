"""A look-up without a network, in cases that are tables."""

from __future__ import annotations

import re
from dataclasses import replace

from purelymanage.domains.dns.observations import (
    Answer,
    Failure,
    Observation,
    Outcome,
    normal,
)
from purelymanage.domains.dns.questions import open_questions, questions
from tests.domains.dns.cases import Case, Line

FAILURES = {
    "servfail": Failure.SERVFAIL,
    "silent": Failure.TIMEOUT,
    "refused": Failure.REFUSED,
    "lame": Failure.LAME,
    "cut": Failure.GARBLED,
    "garbled": Failure.GARBLED,
}
TTL = 30
LONGEST_CHAIN = 8
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
NAMES = {"MX", "NS", "CNAME", "SRV"}


def observe(case: Case) -> Observation:
    return look(case.domain, case.zones)


def look(domain: str, zones: dict[str, tuple[list[Line], str]]) -> Observation:
    seen = Observation(domain)
    while asked := questions(seen):
        found = {(name, type): answer(name, type, zones) for name, type in asked}
        seen = replace(seen, answers={**seen.answers, **found})
    return replace(seen, is_complete=not open_questions(seen))


def answer(name: str, type: str, zones: dict[str, tuple[list[Line], str]]) -> Answer:
    chain: list[str] = []
    while True:
        holder = _holder(name, zones)
        failure = zones[holder][1] if holder else ""
        if failure in FAILURES:
            return Answer(Outcome.FAILED, chain=tuple(chain), failure=FAILURES[failure])
        here = _at(name, zones)
        if here is None:
            return Answer(Outcome.NO_NAME, chain=tuple(chain))
        found = [it for it in here if it[1] == type]
        if found:
            return Answer(
                Outcome.FOUND,
                tuple(_value(type, it[2]) for it in found),
                ttl=_ttl(found[0]),
                chain=tuple(chain),
            )
        alias = next((it for it in here if it[1] == "CNAME"), None)
        if alias is None:
            return Answer(Outcome.NO_DATA, chain=tuple(chain))
        if len(chain) >= LONGEST_CHAIN:
            return Answer(Outcome.FAILED, chain=tuple(chain), failure=Failure.LOOP)
        name = normal(alias[2])
        chain.append(name)


def _ttl(line: Line) -> int:
    return line[3] if len(line) == 4 else TTL


def _holder(name: str, zones: dict[str, tuple[list[Line], str]]) -> str:
    while name and name not in zones:
        name = name.partition(".")[2]
    return name


def _at(name: str, zones: dict[str, tuple[list[Line], str]]) -> list[Line] | None:
    """Return the records at a name; None if it does not exist."""
    zone = _holder(name, zones)
    if not zone:
        return None
    lines = zones[zone][0]
    names = [zone if it[0] == "@" else f"{normal(it[0])}.{zone}" for it in lines]
    here = [line for line, its in zip(lines, names, strict=True) if its == name]
    if here or name == zone or any(its.endswith(f".{name}") for its in names):
        return here
    # A wildcard stands in below the closest name that exists.
    above = name.partition(".")[2]
    while above != zone and not any(
        its == above or its.endswith(f".{above}") for its in names
    ):
        above = above.partition(".")[2]
    wild = f"*.{above}"
    return [line for line, its in zip(lines, names, strict=True) if its == wild] or None


def _value(type: str, value: str) -> str:
    if type == "TXT" and value[:1] == value[-1:] == '"' and len(value) > 1:
        return "".join(re.sub(r"\\(.)", r"\1", it) for it in QUOTED.findall(value))
    if type in NAMES and not value.endswith(" ."):
        return normal(value)
    return value
