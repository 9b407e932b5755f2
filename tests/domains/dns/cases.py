"""Zones as they are met, and what should be said about each.

Records are written as the sandbox's DNS takes them: name relative to the zone, `@` for
the zone itself, and a name of `*` is a wildcard. The same table is judged without a
network here and over the wire by the tests of the look-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Line = tuple[str, str, str] | tuple[str, str, str, int]

CODE = "purelymail_ownership_proof=0123456789abcdef"
MX = ("@", "MX", "50 mailserver.purelymail.com")
SPF = ("@", "TXT", "v=spf1 include:_spf.purelymail.com ~all")
NS = ("@", "NS", "ns1.dnshost.example")
DKIM: list[Line] = [
    (f"purelymail{n}._domainkey", "CNAME", f"key{n}.dkimroot.purelymail.com")
    for n in (1, 2, 3)
]
DMARC = ("_dmarc", "CNAME", "dmarcroot.purelymail.com")
PARTS: dict[str, list[Line]] = {
    "ns": [NS],
    "ownership": [("@", "TXT", CODE)],
    "mx": [MX],
    "spf": [SPF],
    "dkim": DKIM,
    "dmarc": [DMARC],
}

# What else of the world the cases refer to.
WORLD: dict[str, list[Line]] = {
    "purelymail.com": [
        ("@", "NS", "ns1.dnshost.example"),
        ("mailserver", "A", "192.0.2.1"),
        ("_spf", "TXT", "v=spf1 ip4:192.0.2.0/24 -all"),
        ("key1.dkimroot", "TXT", "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEB"),
        ("key2.dkimroot", "TXT", "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEB"),
        ("key3.dkimroot", "TXT", "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEB"),
        ("dmarcroot", "TXT", "v=DMARC1; p=quarantine"),
    ],
    "dnshost.example": [("@", "NS", "ns1.dnshost.example"), ("ns1", "A", "192.0.2.53")],
    "old.example": [
        ("@", "NS", "ns1.dnshost.example"),
        ("mx1", "A", "192.0.2.11"),
        ("mx2", "AAAA", "2001:db8::11"),
        ("alias", "CNAME", "mx1.old.example"),
        ("@", "MX", "10 mx1.old.example"),
        ("_spf", "TXT", "v=spf1 ip4:192.0.2.11 -all"),
        ("passes-on", "TXT", "v=spf1 include:_spf.purelymail.com -all"),
        ("several", "TXT", "v=spf1 -all"),
        ("several", "TXT", "v=spf1 ~all"),
        ("circle", "TXT", "v=spf1 include:circle.old.example -all"),
        ("to", "TXT", "v=spf1 include:fro.old.example -all"),
        ("fro", "TXT", "v=spf1 include:to.old.example -all"),
        ("policy", "TXT", "v=DMARC1; p=reject; rua=mailto:d@example.org"),
        ("willing", "NS", "ns1.dnshost.example"),
        ("example.org._report._dmarc", "TXT", "v=DMARC1"),
        *(
            (f"deep{n}", "TXT", f"v=spf1 include:deep{n + 1}.old.example -all")
            for n in range(14)
        ),
        ("wide", "TXT", "v=spf1 " + " ".join(f"a:w{n}.old.example" for n in range(9))),
        *((f"w{n}", "A", f"192.0.2.{20 + n}") for n in range(9)),
    ],
    "unwilling.example": [("@", "NS", "ns1.dnshost.example")],
}


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    records: list[Line]
    # Codes of all findings, but that most zones are not signed is left out.
    findings: frozenset[str] = frozenset()
    # Records that are not right, by kind; the rest is.
    states: Mapping[str, str] = field(default_factory=dict)
    overall: str = "right"
    domain: str = "example.org"
    zone: str = "example.org"
    failure: str = ""
    more: Mapping[str, list[Line]] = field(default_factory=dict)
    # Zones besides its own whose look-ups fail, with how.
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def zones(self) -> dict[str, tuple[list[Line], str]]:
        """Every zone with its records and how look-ups in it fail."""
        zones = {**WORLD, **self.more}
        if self.records or self.failure:
            zones[self.zone] = self.records
        faults = {self.zone: self.failure, **self.faults}
        return {name: (zones[name], faults.get(name, "")) for name in zones}


def zone(*added: Line, without: str = "", only: str | None = None) -> list[Line]:
    """Return the records of a domain in order, with parts taken out or added."""
    parts = PARTS if only is None else {it: PARTS[it] for it in only.split()}
    kept = [
        line
        for part, lines in parts.items()
        if part not in without.split()
        for line in lines
    ]
    return [*kept, *added]


def bad(state: str, kinds: str) -> dict[str, str]:
    return dict.fromkeys(kinds.split(), state)


def codes(*names: str) -> frozenset[str]:
    return frozenset(names)


def all_cases() -> Iterable[Case]:
    from tests.domains.dns import (
        cases_dkim,
        cases_dmarc,
        cases_mx,
        cases_spf,
        cases_zones,
    )

    for module in (cases_mx, cases_spf, cases_dkim, cases_dmarc, cases_zones):
        yield from module.CASES
