from __future__ import annotations

import json

import pytest

from purelymanage.domains.dns.observations import (
    Answer,
    Failure,
    Observation,
    Outcome,
    Source,
)
from purelymanage.domains.dns.questions import MOST_QUESTIONS, open_questions, questions
from tests.domains.dns.answers import look, observe
from tests.domains.dns.cases import WORLD, Case, Line, all_cases, zone

CASES = {it.name: it for it in all_cases()}


def test_it_comes_back_from_storage_as_it_was() -> None:
    seen = Observation(
        "example.org",
        {
            ("example.org", "MX"): Answer(
                Outcome.FOUND, ("10 mx.example",), 300, ("a.example",), is_secure=True
            ),
            ("example.org", "TXT"): Answer(Outcome.FAILED, failure=Failure.SERVFAIL),
        },
        Source.ZONE,
        ("ns1.example",),
        is_complete=False,
    )
    assert Observation.from_json(json.loads(json.dumps(seen.as_json()))) == seen


def test_what_was_not_asked_is_not_absent() -> None:
    answer = Observation("example.org").answer("example.org", "MX")
    assert not answer.is_absent
    assert not answer.is_known


def test_a_failure_is_not_absent() -> None:
    answer = Answer(Outcome.FAILED, failure=Failure.TIMEOUT)
    assert not answer.is_absent
    assert not answer.is_known


@pytest.mark.parametrize(
    ("name", "apex"),
    [
        ("all in order", "example.org"),
        ("subdomain in the zone above", "example.org"),
        ("subdomain with a zone of its own", "news.example.org"),
        ("domain below a longer ending", "example.co.uk"),
        ("no such domain", ""),
        ("zone that fails: servfail", ""),
    ],
)
def test_it_finds_the_zone(name: str, apex: str) -> None:
    assert observe(CASES[name]).apex == apex


def test_a_domain_in_order_takes_few_questions() -> None:
    assert len(observe(CASES["all in order"]).answers) <= 20


@pytest.mark.parametrize("case", CASES.values(), ids=lambda it: it.name)
def test_the_questions_come_to_an_end(case: Case) -> None:
    seen = observe(case)
    assert not open_questions(seen)
    assert seen.is_complete


def test_a_maze_is_left_after_some_time() -> None:
    maze: list[Line] = [
        (
            f"m{n}",
            "TXT",
            "v=spf1 " + " ".join(f"a:x{n}-{m}.example.org" for m in range(9)),
        )
        for n in range(60)
    ]
    entry = "v=spf1 " + " ".join(f"include:m{n}.example.org" for n in range(60))
    lines = zone(*maze, ("@", "TXT", entry), without="spf")
    seen = look(
        "example.org",
        {**{it: (WORLD[it], "") for it in WORLD}, "example.org": (lines, "")},
    )
    assert len(seen.answers) == MOST_QUESTIONS
    assert not seen.is_complete
    assert not questions(seen)
