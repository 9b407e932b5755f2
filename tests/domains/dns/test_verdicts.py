from __future__ import annotations

import pytest

from purelymanage.domains.dns.expected import Kind
from purelymanage.domains.dns.health import judge
from purelymanage.domains.dns.mx import duration, is_ttl_too_long, mx_ttl
from purelymanage.domains.dns.verdicts import Health
from tests.domains.dns.answers import observe
from tests.domains.dns.cases import CODE, all_cases

CASES = {it.name: it for it in all_cases()}
RIGHT = {
    "passes_mx": True,
    "passes_spf": True,
    "passes_dkim": True,
    "passes_dmarc": True,
}


def health(name: str, *, is_moving: bool = False) -> Health:
    return judge(observe(CASES[name]), ownership_code=CODE, is_moving=is_moving)


@pytest.mark.parametrize(
    ("name", "differing"),
    [
        ("all in order", {}),
        ("another priority", {}),
        ("own policy", {"passes_dmarc": False}),
        ("subdomain with the policy of the domain above", {"passes_dmarc": False}),
        ("through another record", {"passes_spf": False}),
        ("keys copied in", {"passes_dkim": False}),
        ("MX of another provider as a backup", {"passes_mx": False}),
        ("zone that fails: servfail", dict.fromkeys(RIGHT)),
        ("nothing but the ownership code", dict.fromkeys(RIGHT, False)),
    ],
)
def test_it_foresees_what_purelymail_says(
    name: str, differing: dict[str, bool | None]
) -> None:
    assert health(name).as_purelymail_sees == {**RIGHT, **differing}


def test_a_failed_look_up_is_told_as_one() -> None:
    for failure in ("servfail", "silent", "refused", "lame", "cut", "garbled"):
        for it in health(f"zone that fails: {failure}").verdicts:
            assert it.sentence.startswith(
                ("Could not look", "PurelyMail is not named")
            ) or ("was not looked up" in it.sentence)
            assert not it.found


def test_it_says_whose_name_servers_failed_and_how() -> None:
    for verdict in health("zone that fails: servfail").verdicts:
        assert verdict.sentence == (
            "Could not look: the name servers of example.org answered with a fault"
            " (SERVFAIL)."
        )


@pytest.mark.parametrize("name", CASES)
def test_everything_is_said_in_sentences(name: str) -> None:
    for it in health(name, is_moving=True).findings:
        assert it.what[0].isupper() or it.what[0] in "“x_" or "." in it.what.split()[0]
        assert not it.what.endswith(".")
        assert it.why.endswith("."), it
        assert it.remedy.endswith("."), it
    for verdict in health(name).verdicts:
        assert verdict.sentence.endswith("."), verdict
        assert verdict.value_to_set


def test_international_names_are_told_as_people_read_them() -> None:
    verdict = health("international name").verdict(Kind.MX)
    assert verdict is not None
    assert verdict.record.name == "xn--bcher-kva.example"


def test_a_long_time_to_live_matters_only_for_a_move() -> None:
    assert mx_ttl(observe(CASES["long TTL"])) == 86_400
    assert is_ttl_too_long(observe(CASES["long TTL"]))
    assert not is_ttl_too_long(observe(CASES["all in order"]))
    codes = {it.code for it in health("long TTL", is_moving=True).findings}
    assert "mx-ttl" in codes
    assert "mx-ttl" not in {it.code for it in health("long TTL").findings}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (300, "5 minutes"),
        (3_600, "1 hour"),
        (5_400, "90 minutes"),
        (86_400, "1 day"),
        (100_000, "about 28 hours"),
        (172_800, "2 days"),
    ],
)
def test_it_says_how_long(seconds: int, words: str) -> None:
    assert duration(seconds) == words


def test_what_is_to_be_set_leaves_optional_records_out() -> None:
    kinds = [it.kind for it in health("nothing but the ownership code").to_set]
    assert kinds == [
        Kind.MX,
        Kind.SPF,
        Kind.DKIM1,
        Kind.DKIM2,
        Kind.DKIM3,
        Kind.DMARC,
    ]
    assert not health("all in order").to_set
