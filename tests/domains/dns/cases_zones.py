from __future__ import annotations

from tests.domains.dns.cases import CODE, DKIM, NS, Case, Line, bad, codes, zone

ALL = "mx spf dkim1 dkim2 dkim3 dmarc"
SUBDOMAIN: list[Line] = [
    ("news", "TXT", CODE),
    ("news", "MX", "50 mailserver.purelymail.com"),
    ("news", "TXT", "v=spf1 include:_spf.purelymail.com ~all"),
    *((f"{it[0]}.news", it[1], it[2]) for it in DKIM),
]
SUBDOMAIN_DMARC = ("_dmarc.news", "CNAME", "dmarcroot.purelymail.com")


def failing(failure: str) -> Case:
    return Case(
        f"zone that fails: {failure}",
        zone(),
        codes("dns-unreachable"),
        bad("cannot tell", f"ownership {ALL}"),
        "cannot tell",
        failure=failure,
    )


CASES = [
    failing("servfail"),
    failing("silent"),
    failing("refused"),
    failing("lame"),
    failing("cut"),
    failing("garbled"),
    Case("cut off over UDP only", zone(), failure="truncated"),
    Case(
        "no such domain",
        [],
        codes("not-registered"),
        bad("missing", f"ownership {ALL}"),
        "broken",
    ),
    Case(
        "empty zone", [NS], states=bad("missing", f"ownership {ALL}"), overall="broken"
    ),
    Case(
        "nothing but the ownership code",
        zone(only="ns ownership"),
        states=bad("missing", ALL),
        overall="broken",
    ),
    Case(
        "ownership code not there",
        zone(without="ownership"),
        states=bad("missing", "ownership"),
    ),
    Case(
        "ownership code of another account",
        zone(("@", "TXT", "purelymail_ownership_proof=ffff"), without="ownership"),
        codes("ownership-other-account"),
        bad("wrong", "ownership"),
    ),
    Case(
        "ownership code in quotation marks",
        zone(("@", "TXT", rf'"\"{CODE}\""'), without="ownership"),
        codes("ownership-altered"),
        bad("wrong", "ownership"),
    ),
    Case(
        "ownership code at a doubled name",
        zone(("example.org", "TXT", CODE), without="ownership"),
        codes("ownership-doubled-name"),
        bad("missing", "ownership"),
    ),
    Case(
        "three hundred texts",
        zone(*(("@", "TXT", f"verification-{n}=" + "x" * 40) for n in range(300))),
        codes("many-texts"),
        overall="attention",
    ),
    Case(
        "everything beyond",
        zone(
            ("_mta-sts", "TXT", "v=STSv1; id=20260101"),
            ("_smtp._tls", "TXT", "v=TLSRPTv1; rua=mailto:tls@example.org"),
            ("default._bimi", "TXT", "v=BIMI1; l=https://example.org/logo.svg"),
            ("@", "CAA", '0 issue "ca.example"'),
            ("autoconfig", "CNAME", "autoconfig.purelymail.com"),
            ("_autodiscover._tcp", "SRV", "0 1 443 autodiscover.purelymail.com"),
            ("_imaps._tcp", "SRV", "10 5 993 imap.purelymail.com"),
            ("_submissions._tcp", "SRV", "0 1 465 smtp.old.example"),
        ),
        codes("mta-sts", "tls-rpt", "bimi", "caa"),
        {"submissions": "wrong"},
    ),
    Case("signed zone", zone(("@", "DS", "12345 13 2 " + "AB" * 32)), codes("dnssec")),
    Case(
        "wildcard text",
        zone(("*", "TXT", "v=spf1 -all"), without="dmarc"),
        codes("wildcard"),
        bad("missing", "dmarc"),
        "attention",
    ),
    Case(
        "alias in circles",
        zone(
            ("_dmarc", "CNAME", "round.example.org"),
            ("round", "CNAME", "about.example.org"),
            ("about", "CNAME", "round.example.org"),
            without="dmarc",
        ),
        codes("alias-loop"),
        bad("cannot tell", "dmarc"),
        "attention",
    ),
    Case(
        "domain that is an alias in circles",
        [
            NS,
            ("news", "CNAME", "about.example.org"),
            ("about", "CNAME", "news.example.org"),
        ],
        codes("alias-loop"),
        {
            **bad("cannot tell", "ownership mx spf"),
            **bad("missing", "dkim1 dkim2 dkim3 dmarc"),
        },
        "cannot tell",
        domain="news.example.org",
    ),
    Case(
        "domain that is an alias",
        [NS, ("news", "CNAME", "old.example")],
        codes("domain-is-alias"),
        {**bad("missing", f"ownership spf {ALL}"), "mx": "wrong"},
        "broken",
        domain="news.example.org",
    ),
    Case(
        "subdomain in the zone above",
        zone(*SUBDOMAIN, SUBDOMAIN_DMARC),
        domain="news.example.org",
    ),
    Case(
        "subdomain with the policy of the domain above",
        zone(*SUBDOMAIN),
        domain="news.example.org",
    ),
    Case(
        "subdomain with no policy above",
        zone(*SUBDOMAIN, without="dmarc"),
        states=bad("missing", "dmarc"),
        overall="attention",
        domain="news.example.org",
    ),
    Case(
        "ownership code of a subdomain at the domain above",
        zone(*SUBDOMAIN[1:], SUBDOMAIN_DMARC),
        codes("ownership-above"),
        bad("missing", "ownership"),
        domain="news.example.org",
    ),
    Case(
        "subdomain with a zone of its own",
        zone(),
        domain="news.example.org",
        zone="news.example.org",
        more={"example.org": [NS]},
    ),
    Case(
        "international name",
        zone(),
        domain="xn--bcher-kva.example",
        zone="xn--bcher-kva.example",
    ),
    Case(
        "domain below a longer ending",
        zone(),
        domain="example.co.uk",
        zone="example.co.uk",
    ),
]
