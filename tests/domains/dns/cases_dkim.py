from __future__ import annotations

from tests.domains.dns.cases import DKIM, Case, Line, bad, codes, zone

ALL = "dkim1 dkim2 dkim3"
KEY = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEB"


def dkim(*lines: Line) -> list[Line]:
    return zone(*lines, without="dkim")


def each(type: str, value: str) -> list[Line]:
    names = [f"purelymail{n}._domainkey" for n in (1, 2, 3)]
    return [(name, type, value.format(n=n)) for n, name in enumerate(names, 1)]


CASES = [
    Case("no DKIM", dkim(), states=bad("missing", ALL), overall="attention"),
    Case(
        "one key missing",
        dkim(*DKIM[:2]),
        states=bad("missing", "dkim3"),
        overall="attention",
    ),
    Case(
        "keys copied in",
        dkim(*each("TXT", KEY)),
        codes("dkim-flattened"),
        bad("wrong", ALL),
        "attention",
    ),
    Case(
        "keys proxied",
        dkim(*each("A", "192.0.2.80")),
        codes("dkim-proxied"),
        bad("wrong", ALL),
        "attention",
    ),
    Case(
        "names entered as text",
        dkim(*each("TXT", "key{n}.dkimroot.purelymail.com")),
        codes("dkim-wrong-type"),
        bad("wrong", ALL),
        "attention",
    ),
    Case(
        "some other text",
        dkim(*each("TXT", "hello")),
        states=bad("wrong", ALL),
        overall="attention",
    ),
    Case(
        "outdated keys",
        dkim(*each("CNAME", "key{n}._dkimroot.purelymail.com")),
        codes("dkim-outdated"),
        bad("wrong", ALL),
        "attention",
    ),
    Case(
        "dot forgotten at the end of the keys",
        dkim(*each("CNAME", "key{n}.dkimroot.purelymail.com.example.org")),
        codes("dkim-trailing-dot"),
        bad("wrong", ALL),
        "attention",
    ),
    Case(
        "keys mixed up",
        dkim(*each("CNAME", "key1.dkimroot.purelymail.com")),
        codes("dkim-mixed-up"),
        bad("wrong", "dkim2 dkim3"),
        "attention",
    ),
    Case(
        "alias to somewhere else",
        dkim(*each("CNAME", "key.old.example")),
        states=bad("wrong", ALL),
        overall="attention",
    ),
    Case(
        "keys at doubled names",
        dkim(*[(f"{it[0]}.example.org", it[1], it[2]) for it in DKIM]),
        codes("dkim-doubled-name"),
        bad("missing", ALL),
        "attention",
    ),
    Case(
        "wildcard alias",
        dkim(("*", "CNAME", "web.old.example")),
        codes("wildcard"),
        bad("missing", ALL),
        "attention",
    ),
    Case(
        "wildcard text and no DKIM",
        dkim(("*", "TXT", "hello")),
        codes("wildcard"),
        bad("missing", ALL),
        "attention",
    ),
    Case(
        "wildcard address",
        dkim(("*", "A", "192.0.2.80")),
        codes("wildcard"),
        bad("missing", ALL),
        "attention",
    ),
]
