from __future__ import annotations

import pytest

from purelymanage.domains.dns.differences import differences
from tests.domains.dns.answers import look, observe
from tests.domains.dns.cases import DKIM, WORLD, Line, all_cases, zone

CASES = {it.name: it for it in all_cases()}


def changed(old: list[Line], new: list[Line]) -> list[str]:
    world = {name: (lines, "") for name, lines in WORLD.items()}
    return differences(
        look("example.org", {**world, "example.org": (old, "")}),
        look("example.org", {**world, "example.org": (new, "")}),
    )


def test_nothing_changed() -> None:
    assert changed(zone(), zone()) == []


def test_time_to_live_and_order_do_not_count() -> None:
    more: list[Line] = [("@", "MX", "60 mx1.old.example")]
    other = [("@", "MX", "50 mailserver.purelymail.com", 9)]
    assert changed(zone(*more), [*more, *zone(*other, without="mx")]) == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            zone(("@", "MX", "10 mx1.old.example"), without="mx"),
            zone(),
            "MX changed: 10 mx1.old.example → 50 mailserver.purelymail.com",
        ),
        (
            zone(*DKIM[:1], *DKIM[2:], without="dkim"),
            zone(),
            "DKIM key 2 appeared: key2.dkimroot.purelymail.com",
        ),
        (
            zone(),
            zone(without="dmarc"),
            "DMARC disappeared: dmarcroot.purelymail.com",
        ),
        (
            zone(),
            zone(("_dmarc", "TXT", "v=DMARC1; p=none"), without="dmarc"),
            "DMARC changed: dmarcroot.purelymail.com → v=DMARC1; p=none",
        ),
        (
            zone(),
            zone(("@", "TXT", "v=spf1 -all"), without="spf"),
            "SPF changed: v=spf1 include:_spf.purelymail.com ~all → v=spf1 -all",
        ),
        (
            zone(),
            zone(("@", "NS", "ns9.dnshost.example"), without="ns"),
            "Name servers changed: ns1.dnshost.example → ns9.dnshost.example",
        ),
        (
            zone(),
            zone(("@", "TXT", "verification=1")),
            "Other text appeared: verification=1",
        ),
    ],
)
def test_it_says_what_changed(old: list[Line], new: list[Line], line: str) -> None:
    assert changed(old, new) == [line]


def test_of_many_it_names_those_that_changed() -> None:
    texts: list[Line] = [("@", "TXT", f"verification={n}") for n in range(9)]
    assert changed(zone(*texts), zone(*texts[1:], ("@", "TXT", "new"))) == [
        "Other text disappeared: verification=0",
        "Other text appeared: new",
    ]


def test_a_failed_look_up_is_no_change() -> None:
    before, failed = (
        observe(CASES["all in order"]),
        observe(CASES["zone that fails: servfail"]),
    )
    assert differences(before, failed) == []
    assert differences(failed, before) == []
