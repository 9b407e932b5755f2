"""Example zones: every record right, typical mistakes, not there yet."""

from __future__ import annotations

from collections.abc import Callable

from purelymanage.purelymail.sandbox.zones import (
    DKIM,
    DMARC_TARGET,
    MAIL_HOST,
    SPF_INCLUDE,
    Zones,
)

Records = list[tuple[str, str, str]]

# The stand-in itself is the name server of every zone.
NAME_SERVER = "127.0.0.1"
TOP = ("example", "org")

# The vendor's own names, which the aliases of every domain lead to.
VENDOR: Records = [
    ("mailserver", "A", "192.0.2.25"),
    ("_spf", "TXT", "v=spf1 ip4:192.0.2.0/28 -all"),
    *(
        (f"key{n}.dkimroot", "TXT", f"v=DKIM1; k=ed25519; p={'ABC'[n - 1] * 43}=")
        for n in (1, 2, 3)
    ),
    ("dmarcroot", "TXT", "v=DMARC1; p=quarantine; adkim=r; aspf=r"),
    ("@", "NS", "ns1.purelymail.com"),
    ("ns1", "A", NAME_SERVER),
]
OLD_PROVIDER: Records = [
    ("@", "NS", "ns1.old-provider.example"),
    ("ns1", "A", NAME_SERVER),
    ("@", "A", "192.0.2.180"),
    ("@", "MX", "10 mx.old-provider.example"),
    ("mx", "A", "192.0.2.125"),
    ("@", "TXT", "v=spf1 ip4:192.0.2.125 -all"),
    ("_spf", "TXT", "v=spf1 ip4:192.0.2.125 -all"),
]


def healthy(code: str) -> Records:
    """Everything PurelyMail asks for."""
    return [
        *owned(code),
        ("@", "MX", f"50 {MAIL_HOST}"),
        ("@", "TXT", f"v=spf1 {SPF_INCLUDE} ~all"),
        *((name, "CNAME", target) for name, target in DKIM.items()),
        ("_dmarc", "CNAME", DMARC_TARGET),
    ]


def broken(code: str) -> Records:
    """Two SPF records, as after a move in a hurry, and the third DKIM key missing."""
    records = healthy(code)
    records.remove(("purelymail3._domainkey", "CNAME", DKIM["purelymail3._domainkey"]))
    return [*records, ("@", "TXT", "v=spf1 include:_spf.old-provider.example -all")]


def waiting(code: str) -> Records:
    """A domain that still points to its old provider, without any of the new records."""
    return [
        *bare(code),
        ("@", "MX", "10 mx.old-provider.example"),
        ("@", "TXT", "v=spf1 include:_spf.old-provider.example -all"),
    ]


def owned(code: str) -> Records:
    """Ownership proven and nothing else: ready to be added."""
    return [*bare(code), ("@", "TXT", code)]


def bare(code: str) -> Records:
    """A registered domain without mail."""
    return [("@", "NS", "ns1.registrar.example"), ("@", "A", "192.0.2.80")]


PRESETS: dict[str, Callable[[str], Records]] = {
    "healthy": healthy,
    "broken": broken,
    "waiting": waiting,
    "owned": owned,
    "bare": bare,
}


def put_surroundings(zones: Zones) -> None:
    """Add the zones that every other one leads to."""
    zones.put("purelymail.com", VENDOR)
    zones.put("old-provider.example", OLD_PROVIDER)
    for zone in ("registrar.example", *TOP):
        records = [("@", "NS", f"ns1.{zone}"), ("ns1", "A", NAME_SERVER)]
        zones.put(zone, records)


def put_imap_service(zones: Zones, port: int) -> None:
    """Let the old provider say where its IMAP server is, as RFC 6186 has it."""
    service = ("_imaps._tcp", "SRV", f"0 1 {port} localhost")
    zones.put("old-provider.example", [*OLD_PROVIDER, service])
