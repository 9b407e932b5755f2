from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from purelymanage.purelymail.sandbox.server import Sandbox

DKIM3 = "purelymail3._domainkey.shop.example"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(imap=False) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


def ask(
    sandbox: Sandbox, name: str, kind: str, *, tcp: bool = False
) -> dns.message.Message:
    host, _, port = sandbox.dns.partition(":")
    query = dns.message.make_query(name, kind)
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, host, timeout=5, port=int(port))


def answers(message: dns.message.Message) -> list[str]:
    return sorted(str(record) for part in message.answer for record in part)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_the_healthy_domain_has_every_record(sandbox: Sandbox, *, tcp: bool) -> None:
    def found(name: str, kind: str) -> list[str]:
        return answers(ask(sandbox, name, kind, tcp=tcp))

    assert found("example.org", "MX") == ["50 mailserver.purelymail.com."]
    code = sandbox.account.state.ownership_code
    spf = "v=spf1 include:_spf.purelymail.com ~all"
    assert found("Example.ORG", "TXT") == [f'"{code}"', f'"{spf}"']
    assert found("_dmarc.example.org", "CNAME") == ["dmarcroot.purelymail.com."]
    for number in (1, 2, 3):
        key = f"key{number}.dkimroot.purelymail.com."
        name = f"purelymail{number}._domainkey.example.org"
        assert found(name, "CNAME") == [key]


def test_aliases_are_followed(sandbox: Sandbox) -> None:
    message = ask(sandbox, "_dmarc.example.org", "TXT")
    kinds = [part.rdtype for part in message.answer]
    assert kinds == [dns.rdatatype.CNAME, dns.rdatatype.TXT]
    assert '"v=DMARC1; p=quarantine; adkim=r; aspf=r"' in answers(message)


def test_the_broken_domain_has_two_spf_and_lacks_a_key(sandbox: Sandbox) -> None:
    texts = answers(ask(sandbox, "shop.example", "TXT"))
    assert len([it for it in texts if "v=spf1" in it]) == 2
    assert ask(sandbox, DKIM3, "CNAME").rcode() == dns.rcode.NXDOMAIN


def test_what_does_not_exist(sandbox: Sandbox) -> None:
    assert ask(sandbox, "else.example", "A").rcode() == dns.rcode.NXDOMAIN
    # A name between others exists, though empty.
    message = ask(sandbox, "_domainkey.example.org", "TXT")
    assert message.rcode() == dns.rcode.NOERROR
    assert not message.answer
    assert message.authority[0].rdtype == dns.rdatatype.SOA


def test_records_can_appear_later(sandbox: Sandbox) -> None:
    zones = sandbox.account.zones
    zones.put(
        "new.example", [("@", "A", "192.0.2.80"), ("@", "TXT", "late")], after=0.3
    )
    # What was there before stays visible.
    assert answers(ask(sandbox, "new.example", "A")) == ["192.0.2.80"]
    assert answers(ask(sandbox, "new.example", "TXT")) == []
    deadline = time.monotonic() + 5
    while not (texts := answers(ask(sandbox, "new.example", "TXT"))):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert texts == ['"late"']


def test_a_zone_can_fail(sandbox: Sandbox) -> None:
    sandbox.account.zones.put("example.org", [], failure="servfail")
    assert ask(sandbox, "example.org", "MX").rcode() == dns.rcode.SERVFAIL


def test_a_zone_can_be_silent(sandbox: Sandbox) -> None:
    sandbox.account.zones.put("example.org", [], failure="silent")
    host, _, port = sandbox.dns.partition(":")
    query = dns.message.make_query("example.org", "MX")
    with pytest.raises(dns.exception.Timeout):
        dns.query.udp(query, host, timeout=0.2, port=int(port))
    assert answers(ask(sandbox, "shop.example", "MX"))


def test_a_zone_says_who_is_its_authority(sandbox: Sandbox) -> None:
    (found,) = answers(ask(sandbox, "example.org", "SOA"))
    assert found.startswith("ns1.example.org. hostmaster.example.org.")
    assert answers(ask(sandbox, "www.example.org", "SOA")) == []


def test_aliases_in_a_circle_come_to_an_end(sandbox: Sandbox) -> None:
    circle = [("a", "CNAME", "b.new.example"), ("b", "CNAME", "a.new.example")]
    sandbox.account.zones.put("new.example", circle)
    assert set(answers(ask(sandbox, "a.new.example", "A"))) == {
        "a.new.example.",
        "b.new.example.",
    }


def test_long_texts_are_split(sandbox: Sandbox) -> None:
    sandbox.account.zones.put("new.example", [("@", "TXT", "x" * 300)])
    text = answers(ask(sandbox, "new.example", "TXT"))
    assert text == [f'"{"x" * 255}" "{"x" * 45}"']


def test_large_answers_need_tcp(sandbox: Sandbox) -> None:
    records = [("@", "TXT", f"{number} " + "x" * 200) for number in range(20)]
    sandbox.account.zones.put("new.example", records)
    host, _, port = sandbox.dns.partition(":")
    query = dns.message.make_query("new.example", "TXT")
    message, used_tcp = dns.query.udp_with_fallback(query, host, 5, port=int(port))
    assert used_tcp
    assert len(answers(message)) == 20


def test_nonsense_is_survived(sandbox: Sandbox) -> None:
    host, _, port = sandbox.dns.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"\x00\x01nonsense", (host, int(port)))
    assert answers(ask(sandbox, "example.org", "MX"))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("SRV", "0 1 443 mail.new.example."),
        ("CAA", '0 issue "ca.example"'),
        ("DS", f"12345 13 2 {'ab' * 32}"),
        ("AAAA", "2001:db8::1"),
    ],
)
def test_records_of_other_kinds(sandbox: Sandbox, kind: str, value: str) -> None:
    sandbox.account.zones.put("new.example", [("@", kind, value, 600)])
    message = ask(sandbox, "new.example", kind)
    assert answers(message) == [value]
    assert message.answer[0].ttl == 600


def test_a_wildcard_answers_for_names_that_do_not_exist(sandbox: Sandbox) -> None:
    records = [("*", "TXT", "wild"), ("www", "A", "192.0.2.1")]
    sandbox.account.zones.put("new.example", records)
    assert answers(ask(sandbox, "any.new.example", "TXT")) == ['"wild"']
    assert answers(ask(sandbox, "www.new.example", "TXT")) == []


def test_resolvers_may_lag_behind_the_zone(sandbox: Sandbox) -> None:
    zones = sandbox.account.zones
    zones.put("new.example", [("@", "TXT", "late")], after=0.01, lag=60)
    time.sleep(0.05)
    assert answers(ask(sandbox, "new.example", "TXT")) == []
    host, _, port = sandbox.dns.partition(":")
    query = dns.message.make_query("new.example", "TXT", flags=0)
    found = dns.query.udp(query, host, timeout=5, port=int(port))
    assert answers(found) == ['"late"']


def test_answers_may_take_their_time(sandbox: Sandbox) -> None:
    sandbox.delay_dns(latency=0.1)
    began = time.monotonic()
    ask(sandbox, "example.org", "MX")
    assert time.monotonic() - began >= 0.1


def test_a_fault_must_be_a_known_one(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        sandbox.account.zones.put("new.example", [], failure="nonsense")
