from __future__ import annotations

import socket
from typing import Any

import pytest

from purelymanage.domains.dns.expected import Kind
from purelymanage.domains.dns.health import judge
from purelymanage.domains.dns.observations import Answer, Observation, Outcome
from purelymanage.domains.dns.receivers import bad_words, evaluate_spf
from purelymanage.domains.dns.spf import merged
from tests.domains.dns.answers import look, observe
from tests.domains.dns.cases import WORLD, all_cases, zone

CASES = {it.name: it for it in all_cases()}
OURS = "include:_spf.purelymail.com"
# What is there, and the one record offered instead.
MERGED = [
    (["v=spf1 -all"], f"v=spf1 {OURS} -all"),
    (["v=spf1 ~all"], f"v=spf1 {OURS} ~all"),
    (["v=spf1"], f"v=spf1 {OURS} ~all"),
    (["v=spf1 mx"], f"v=spf1 mx {OURS} ~all"),
    (["v=spf1 a mx -all"], f"v=spf1 a mx {OURS} -all"),
    (["v=spf1 include:a.example ?all"], f"v=spf1 include:a.example {OURS} ~all"),
    (["v=spf1 include:a.example +all"], f"v=spf1 include:a.example {OURS} ~all"),
    (["v=spf1 mx ~all include:b.example"], f"v=spf1 mx {OURS} ~all"),
    ([f"v=spf1 mx ~all {OURS}"], f"v=spf1 mx {OURS} ~all"),
    ([f"v=spf1 ?{OURS} -all"], f"v=spf1 {OURS} -all"),
    (["v=spf1 redirect=a.example"], f"v=spf1 {OURS} redirect=a.example"),
    (["v=spf1 redirect=a.example ~all"], f"v=spf1 {OURS} ~all"),
    (["v=spf1 mx exp=e.example -all"], f"v=spf1 mx {OURS} -all exp=e.example"),
    (["v=spf1 ipv4:192.0.2.1 mx -all"], f"v=spf1 mx {OURS} -all"),
    (["V=SPF1 MX -ALL"], f"v=spf1 MX {OURS} -all"),
    (["v=spf1 mx -all", f"v=spf1 {OURS} -all"], f"v=spf1 mx {OURS} -all"),
    (["v=spf1 mx -all", f"v=spf1 {OURS} ~all"], f"v=spf1 mx {OURS} ~all"),
    (["v=spf1 mx a -all", "v=spf1 a mx -all"], f"v=spf1 mx a {OURS} -all"),
    (
        ["v=spf1 redirect=a.example", "v=spf1 mx ~all"],
        f"v=spf1 mx include:a.example {OURS} ~all",
    ),
]


@pytest.mark.parametrize(("records", "expected"), MERGED)
def test_it_merges_and_never_adds_a_second(records: list[str], expected: str) -> None:
    assert merged(records) == expected


@pytest.mark.parametrize(("records", "expected"), MERGED)
def test_what_it_offers_is_final(records: list[str], expected: str) -> None:
    assert merged([merged(records)]) == expected


@pytest.mark.parametrize(
    ("case", "value"),
    [
        ("no SPF", f"v=spf1 {OURS} ~all"),
        ("SPF of another provider", f"v=spf1 include:_spf.old.example {OURS} ~all"),
        ("two SPF records", f"v=spf1 include:_spf.old.example {OURS} ~all"),
        ("quotation marks in SPF", f"v=spf1 {OURS} ~all"),
        ("version misspelt", f"v=spf1 {OURS} ~all"),
        ("space forgotten before all", f"v=spf1 {OURS} ~all"),
        ("word nobody understands", f"v=spf1 {OURS} ~all"),
        ("include that does not exist", f"v=spf1 {OURS} ~all"),
        ("include with two records", f"v=spf1 {OURS} ~all"),
        ("include of itself", f"v=spf1 {OURS} ~all"),
        ("three names that do not exist", f"v=spf1 {OURS} ~all"),
        ("hard ending", f"v=spf1 {OURS} -all"),
    ],
)
def test_it_says_what_to_set(case: str, value: str) -> None:
    verdict = judge(observe(CASES[case])).verdict(Kind.SPF)
    assert verdict is not None
    assert verdict.value_to_set == value


def test_where_nothing_can_be_offered_nothing_is() -> None:
    health = judge(observe(CASES["eleven look-ups"]))
    verdict = health.verdict(Kind.SPF)
    assert verdict is not None
    assert (verdict.value_to_set,) == verdict.found
    assert verdict not in health.to_set


@pytest.mark.parametrize(
    ("word", "is_bad"),
    [
        ("ip4:192.0.2.1", False),
        ("ip4:192.0.2.1/24", False),
        ("ip6:2001:db8::/32", False),
        ("ip4:192.0.2.1/33", True),
        ("ip4:2001:db8::1", True),
        ("a", False),
        ("a/24", False),
        ("a:", True),
        ("include:", True),
        ("exists:%{i}.example.org", False),
        ("exists:%{z}.example.org", True),
        ("unknown=modifier", False),
        ("unknown:mechanism", True),
        ("-all", False),
        ("all:x", True),
    ],
)
def test_it_knows_the_words_of_the_standard(word: str, *, is_bad: bool) -> None:
    assert bad_words(f"v=spf1 {word}") == ([word] if is_bad else [])


def test_it_counts_as_the_standard_does() -> None:
    lines = zone(
        ("@", "TXT", f"v=spf1 {OURS} mx a:w1.old.example a:gone.old.example ~all"),
        without="spf",
    )
    zones = {it: (WORLD[it], "") for it in WORLD} | {"example.org": (lines, "")}
    seen = look("example.org", zones)
    result = evaluate_spf(lines[-1][2], seen)
    assert (result.problem, result.lookups, result.voids) == ("", 4, 1)


def test_one_domain_does_not_colour_the_next() -> None:
    """The library remembers answers for all; ours must not reach its memory."""

    def seen(text: str) -> Observation:
        answers = {
            ("example.org", "TXT"): Answer(
                Outcome.FOUND, ("v=spf1 include:other.example ~all",)
            ),
            ("other.example", "TXT"): Answer(Outcome.FOUND, (text,)),
        }
        return Observation("example.org", answers)

    record = "v=spf1 include:other.example ~all"
    assert evaluate_spf(record, seen("no record")).problem == "include"
    assert evaluate_spf(record, seen("v=spf1 -all")).problem == ""
    assert evaluate_spf(record, seen("no record")).problem == "include"


def test_it_asks_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("There was a call to the network.")

    monkeypatch.setattr(socket, "socket", refuse)
    for name in ("explanation", "macro", "eleven look-ups", "include of itself"):
        judge(observe(CASES[name]))
