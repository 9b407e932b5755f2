from __future__ import annotations

import json
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from purelymanage.domains.dns.health import judge
from purelymanage.domains.dns.hosts import recognise
from purelymanage.domains.dns.observations import (
    Answer,
    Failure,
    Observation,
    Outcome,
)
from purelymanage.domains.dns.questions import open_questions
from purelymanage.domains.dns.receivers import read_policy
from purelymanage.domains.dns.snippets import bind_zone, comma_separated, plain_text
from purelymanage.domains.dns.spf import merged

HOSTS = st.sampled_from(
    [
        "example.org",
        "other.example",
        "_spf.purelymail.com",
        "a..b",
        "x" * 70,
        "%{d}",
        "",
    ]
)
SPF_WORDS = st.one_of(
    st.sampled_from(
        ["all", "-all", "~all", "?all", "a", "mx", "ptr", "mx/24", "a//64"]
    ),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "+", "-", "~", "?"]),
        st.sampled_from(
            ["include", "a", "mx", "ptr", "exists", "redirect", "exp", "ip4"]
        ),
        st.sampled_from([":", "=", "/", ""]),
        HOSTS,
    ),
    st.text(max_size=12),
)
SPF = st.builds(
    lambda words: " ".join(["v=spf1", *words]), st.lists(SPF_WORDS, max_size=8)
)
DMARC = st.builds(
    lambda tags: "; ".join(["v=DMARC1", *tags]),
    st.lists(
        st.one_of(
            st.builds(
                "{}={}".format,
                st.sampled_from(
                    ["p", "sp", "rua", "ruf", "adkim", "aspf", "pct", "fo"]
                ),
                st.one_of(
                    st.sampled_from(
                        ["none", "reject", "r", "s", "0:1", "mailto:a@b.example!9z"]
                    ),
                    st.text(max_size=10),
                ),
            ),
            st.text(max_size=10),
        ),
        max_size=6,
    ),
)
VALUES = st.one_of(
    SPF,
    DMARC,
    st.text(max_size=40),
    st.builds("{} {}".format, st.integers(-1, 70_000), HOSTS),
)
ANSWERS = st.one_of(
    st.builds(
        Answer,
        st.just(Outcome.FOUND),
        st.lists(VALUES, min_size=1, max_size=3).map(tuple),
        st.one_of(st.none(), st.integers(0, 2**31)),
        st.lists(HOSTS, max_size=2).map(tuple),
    ),
    st.builds(Answer, st.sampled_from([Outcome.NO_DATA, Outcome.NO_NAME])),
    st.builds(
        Answer, st.just(Outcome.FAILED), failure=st.sampled_from(list(Failure)[1:])
    ),
)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """Answer every question with anything, as a hostile name server would."""
    seen = Observation("example.org")
    for _ in range(4):
        asked = sorted(open_questions(seen))[:40]
        if not asked:
            break
        found = {it: draw(ANSWERS) for it in asked}
        seen = Observation("example.org", {**seen.answers, **found})
    return seen


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(observations())
def test_no_answer_is_too_much(seen: Observation) -> None:
    with mock.patch("socket.socket", side_effect=AssertionError("to the network")):
        health = judge(
            seen, ownership_code="purelymail_ownership_proof=1", is_moving=True
        )
    assert health.overall
    bind_zone(health)
    comma_separated(health)
    plain_text(health)
    recognise(seen.name_servers)
    assert Observation.from_json(json.loads(json.dumps(seen.as_json()))) == seen


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(SPF, st.text(max_size=60)), min_size=1, max_size=3))
def test_any_records_can_be_merged(records: list[str]) -> None:
    once = merged(records)
    assert once.startswith("v=spf1 ")
    assert "include:_spf.purelymail.com" in once.split()


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.one_of(DMARC, st.text(max_size=60)))
def test_any_policy_can_be_read(text: str) -> None:
    policy = read_policy(text, "example.org")
    assert policy.problem or policy.p in ("none", "quarantine", "reject")
