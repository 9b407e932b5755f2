from __future__ import annotations

from purelymanage.domains.dns.expected import Kind, Need, Record, wanted_records

CODE = "purelymail_ownership_proof=abc"


def by_kind(
    domain: str, zone: str = "", *, is_moving: bool = False
) -> dict[Kind, Record]:
    records = wanted_records(
        domain, zone=zone, ownership_code=CODE, is_moving=is_moving
    )
    return {it.kind: it for it in records}


def test_it_wants_what_purelymail_documents() -> None:
    wanted = {
        (it.relative_name, it.type, it.full_value)
        for it in by_kind("example.org").values()
        if it.need is not Need.OPTIONAL
    }
    assert wanted == {
        ("@", "TXT", CODE),
        ("@", "MX", "50 mailserver.purelymail.com"),
        ("@", "TXT", "v=spf1 include:_spf.purelymail.com ~all"),
        ("purelymail1._domainkey", "CNAME", "key1.dkimroot.purelymail.com"),
        ("purelymail2._domainkey", "CNAME", "key2.dkimroot.purelymail.com"),
        ("purelymail3._domainkey", "CNAME", "key3.dkimroot.purelymail.com"),
        ("_dmarc", "CNAME", "dmarcroot.purelymail.com"),
    }


def test_names_of_a_subdomain_are_relative_to_the_zone_above() -> None:
    records = by_kind("news.example.org", "example.org")
    assert records[Kind.MX].relative_name == "news"
    assert records[Kind.MX].name == "news.example.org"
    assert records[Kind.DKIM1].relative_name == "purelymail1._domainkey.news"
    assert records[Kind.DMARC].name == "_dmarc.news.example.org"


def test_a_move_wants_a_short_time_to_live() -> None:
    assert by_kind("example.org", is_moving=True)[Kind.MX].ttl == 300
    assert by_kind("example.org")[Kind.MX].ttl == 3600


def test_without_a_code_there_is_no_ownership_record() -> None:
    assert Kind.OWNERSHIP not in {it.kind for it in wanted_records("example.org")}
