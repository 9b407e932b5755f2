from __future__ import annotations

import pytest

from purelymanage.domains.dns.expected import Need
from purelymanage.domains.dns.health import judge
from tests.domains.dns.answers import observe
from tests.domains.dns.cases import CODE, Case, all_cases

CASES = list(all_cases())
UNREMARKABLE = {"no-dnssec"}


@pytest.mark.parametrize("case", CASES, ids=lambda it: it.name)
def test_it_says_what_is_the_matter(case: Case) -> None:
    health = judge(observe(case), ownership_code=CODE)
    found = {it.code for it in health.findings} - UNREMARKABLE
    states = {
        it.kind.value: it.state.value
        for it in health.verdicts
        if it.state != "right"
        and (it.record.need is not Need.OPTIONAL or it.state == "wrong")
    }
    assert (found, states, health.overall.value) == (
        set(case.findings),
        dict(case.states),
        case.overall,
    )


def test_there_are_many_cases_and_no_two_alike() -> None:
    assert len(CASES) >= 100
    assert len({it.name for it in CASES}) == len(CASES)
