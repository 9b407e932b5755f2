from __future__ import annotations

import time
from collections.abc import Iterator
from unittest import mock

import pytest

from purelymanage.domains.dns import looking
from purelymanage.domains.dns.health import judge
from purelymanage.domains.dns.looking import Memory
from purelymanage.domains.dns.observations import (
    Answer,
    Failure,
    Observation,
    Outcome,
    Source,
)
from purelymanage.domains.dns.servers import Server
from tests.domains.dns.answers import observe
from tests.domains.dns.cases import CODE, NS, WORLD, Case, Line, all_cases, zone
from tests.domains.dns.served import Served, served

CASES = list(all_cases())
NOBODY = Server("127.0.0.1", 9)


@pytest.fixture(scope="module")
def dns() -> Iterator[Served]:
    with served() as running:
        yield running


def serve(dns: Served, *lines: Line, failure: str = "") -> None:
    zones = {name: (records, "") for name, records in WORLD.items()}
    zones["example.org"] = (list(lines), failure)
    zones["xn--bcher-kva.example"] = ([NS], "")
    dns.serve(zones)


def ask(dns: Served, name: str, type: str, *, at_zone: bool = False) -> Answer:
    return looking.ask_one(name, type, servers=[dns.server], at_zone=at_zone)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda it: it.name)
def test_the_wire_brings_what_the_tables_say(dns: Served, case: Case) -> None:
    dns.serve(case.zones)
    seen = dns.look(case.domain)[case.domain]
    health, table = (
        judge(seen, ownership_code=CODE),
        judge(observe(case), ownership_code=CODE),
    )
    # Who is to blame is only found out by asking.
    codes = {it.code for it in health.findings} - {"lame-delegation"}
    assert codes == {it.code for it in table.findings} - {"lame-delegation"}
    assert [(it.kind, it.state) for it in health.verdicts] == [
        (it.kind, it.state) for it in table.verdicts
    ]
    assert health.overall.value == case.overall


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failure", "named"),
    [
        ("servfail", Failure.SERVFAIL),
        ("silent", Failure.TIMEOUT),
        ("refused", Failure.REFUSED),
        ("lame", Failure.LAME),
        ("cut", Failure.GARBLED),
        ("garbled", Failure.GARBLED),
    ],
)
def test_each_fault_has_its_name(dns: Served, failure: str, named: Failure) -> None:
    serve(dns, *zone(), failure=failure)
    answer = dns.look("example.org")["example.org"].answer("example.org", "MX")
    assert (answer.outcome, answer.failure) == (Outcome.FAILED, named)


def test_who_is_to_blame_is_named(dns: Served) -> None:
    serve(dns, *zone(), failure="lame")
    seen = dns.look("example.org")["example.org"]
    assert seen.lame_servers == ("ns1.dnshost.example",)


def test_answers_that_are_truncated_come_over_tcp(dns: Served) -> None:
    texts = [("@", "TXT", f"text-{n}-{'x' * 60}") for n in range(300)]
    serve(dns, NS, *texts)
    answer = ask(dns, "example.org", "TXT")
    assert len(answer.records) == 300


def test_many_strings_are_one_text(dns: Served) -> None:
    strings = " ".join(f'"{n:03}"' for n in range(300))
    serve(dns, NS, ("@", "TXT", strings))
    (text,) = ask(dns, "example.org", "TXT").records
    assert text == "".join(f"{n:03}" for n in range(300))


def test_what_no_database_keeps_is_written_out(dns: Served) -> None:
    serve(dns, NS, ("@", "TXT", "nul\0 and \x1b escape"))
    (text,) = ask(dns, "example.org", "TXT").records
    assert text == r"nul\000 and \027 escape"


def test_aliases_in_a_circle_are_named(dns: Served) -> None:
    circle: list[Line] = [
        ("a", "CNAME", "b.example.org"),
        ("b", "CNAME", "a.example.org"),
    ]
    serve(dns, NS, *circle)
    answer = ask(dns, "a.example.org", "TXT")
    assert answer.failure is Failure.LOOP
    assert answer.chain


def test_an_alias_is_followed_and_its_way_kept(dns: Served) -> None:
    serve(dns, *zone())
    answer = ask(dns, "_dmarc.example.org", "TXT")
    assert answer.chain == ("dmarcroot.purelymail.com",)
    assert answer.records == ("v=DMARC1; p=quarantine",)


def test_no_data_is_not_no_name(dns: Served) -> None:
    serve(dns, NS, ("www", "A", "192.0.2.1"))
    assert ask(dns, "www.example.org", "MX").outcome is Outcome.NO_DATA
    assert ask(dns, "mail.example.org", "MX").outcome is Outcome.NO_NAME


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("_dmarc.example.org", Outcome.FOUND),
        ("EXAMPLE.org.", Outcome.NO_DATA),
        ("bücher.example", Outcome.NO_DATA),
        (f"{'x' * 64}.example.org", Outcome.NO_NAME),
        ("a..example.org", Outcome.NO_NAME),
    ],
)
def test_names_of_every_kind(dns: Served, name: str, outcome: Outcome) -> None:
    serve(dns, *zone())
    assert ask(dns, name, "CNAME").outcome is outcome


def test_the_time_to_live_is_told(dns: Served) -> None:
    serve(dns, NS, ("@", "MX", "50 mailserver.purelymail.com", 7200))
    assert ask(dns, "example.org", "MX").ttl == 7200


@pytest.mark.slow
def test_the_next_resolver_is_asked_when_one_is_down(dns: Served) -> None:
    serve(dns, *zone())
    found = looking.look(["example.org"], servers=[NOBODY, dns.server], kept=Memory())
    assert judge(found["example.org"], ownership_code=CODE).overall.value == "right"


@pytest.mark.slow
def test_without_any_resolver_nothing_counts_as_missing() -> None:
    found = looking.look(["example.org"], servers=[NOBODY], kept=Memory())
    health = judge(found["example.org"], ownership_code=CODE)
    assert {it.state.value for it in health.verdicts} == {"cannot tell"}
    assert not any(it.is_known for it in found["example.org"].answers.values())
    # Nobody is sent to the registrar of a domain for it.
    assert {it.failure for it in found["example.org"].answers.values()} == {
        Failure.UNHEARD
    }
    assert [it.code for it in health.findings] == ["no-resolver"]


@pytest.mark.slow
def test_a_slow_zone_ends_with_its_time(dns: Served) -> None:
    serve(dns, *zone(), failure="silent")
    with mock.patch.object(looking, "PER_DOMAIN", 0.3):
        began = time.monotonic()
        seen = dns.look("example.org")["example.org"]
    assert time.monotonic() - began < 4
    assert not seen.is_complete or not any(
        it.is_known for (name, _), it in seen.answers.items() if "example.org" in name
    )


@pytest.mark.slow
def test_a_silent_domain_does_not_hold_up_the_others(dns: Served) -> None:
    zones = {name: (records, "") for name, records in WORLD.items()}
    zones |= {f"d{n}.example": (zone(), "") for n in range(20)}
    zones["silent.example"] = (zone(), "silent")
    dns.serve(zones)
    found = dns.look(*(f"d{n}.example" for n in range(20)), "silent.example")
    judged = [judge(it, ownership_code=CODE).overall.value for it in found.values()]
    assert judged.count("right") == 20
    assert judged[-1] == "cannot tell"


class TestMemory:
    def look(self, dns: Served, memory: Memory, *, anew: bool = False) -> Observation:
        found = looking.look(
            ["example.org"], servers=[dns.server], kept=memory, anew=anew
        )
        return found["example.org"]

    def test_nothing_is_asked_again_before_its_time(self, dns: Served) -> None:
        now = [0.0]
        memory = Memory(lambda: now[0])
        serve(dns, *zone())
        self.look(dns, memory)
        asked = dns.dns.answered
        now[0] = 29.0
        self.look(dns, memory)
        assert dns.dns.answered == asked
        now[0] = 31.0
        self.look(dns, memory)
        assert dns.dns.answered > asked

    def test_whoever_wants_to_know_it_now_is_not_told_old_news(
        self, dns: Served
    ) -> None:
        memory = Memory()
        serve(dns, NS)
        assert self.look(dns, memory).answer("example.org", "MX").is_absent
        serve(dns, *zone())
        assert self.look(dns, memory).answer("example.org", "MX").is_absent
        assert self.look(dns, memory, anew=True).answer("example.org", "MX").is_found

    @pytest.mark.slow
    def test_a_silent_zone_is_not_laid_to_the_resolver(self, dns: Served) -> None:
        kept = Memory()
        serve(dns, *zone())
        looking.look(["sub.example.org"], servers=[dns.server], kept=kept)
        serve(dns, *zone(), failure="silent")
        found = looking.look(["example.org"], servers=[dns.server], kept=kept)
        failures = {it.failure for it in found["example.org"].answers.values()}
        assert Failure.UNHEARD not in failures

    def test_a_failure_is_not_remembered(self, dns: Served) -> None:
        memory = Memory()
        serve(dns, *zone(), failure="servfail")
        assert not self.look(dns, memory).answer("example.org", "MX").is_known
        serve(dns, *zone())
        assert self.look(dns, memory).answer("example.org", "MX").is_found


class TestOwnServers:
    def test_they_know_before_the_resolvers_do(self, dns: Served) -> None:
        serve(dns, NS)
        dns.zones.put("example.org", zone(), after=0.01, lag=3600)
        time.sleep(0.05)
        assert (
            not ask(dns, "example.org", "MX").is_known
            or not ask(dns, "example.org", "MX").is_found
        )
        assert ask(dns, "example.org", "MX", at_zone=True).is_found

    def test_a_whole_look_can_go_to_them(self, dns: Served) -> None:
        serve(dns, *zone())
        seen = dns.look("example.org", at_zone=True)["example.org"]
        assert seen.source is Source.ZONE
        assert judge(seen, ownership_code=CODE).overall.value == "right"

    def test_they_are_those_of_the_zone_above_for_a_subdomain(
        self, dns: Served
    ) -> None:
        serve(dns, *zone(("news", "TXT", "hello")))
        answer = ask(dns, "news.example.org", "TXT", at_zone=True)
        assert answer.records == ("hello",)
