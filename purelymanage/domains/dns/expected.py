"""The records that a domain at PurelyMail needs, and how to write them down."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAIL_HOST = "mailserver.purelymail.com"
MX_PRIORITY = 50
SPF_HOST = "_spf.purelymail.com"
SPF_INCLUDE = f"include:{SPF_HOST}"
SPF_RECORD = f"v=spf1 {SPF_INCLUDE} ~all"
DKIM_TARGETS = {
    f"purelymail{n}._domainkey": f"key{n}.dkimroot.purelymail.com" for n in (1, 2, 3)
}
DMARC_TARGET = "dmarcroot.purelymail.com"
OWNERSHIP_PREFIX = "purelymail_ownership_proof="
AUTOCONFIG_TARGET = "autoconfig.purelymail.com"

USUAL_TTL = 3600
# While a move is planned: so long do other servers send to the old place at most.
MOVING_TTL = 300


class Kind(StrEnum):
    """What a record is for. The order is the one in which people read it."""

    OWNERSHIP = "ownership"
    MX = "mx"
    SPF = "spf"
    DKIM1 = "dkim1"
    DKIM2 = "dkim2"
    DKIM3 = "dkim3"
    DMARC = "dmarc"
    AUTOCONFIG = "autoconfig"
    AUTODISCOVER = "autodiscover"
    IMAPS = "imaps"
    SUBMISSIONS = "submissions"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Kind.OWNERSHIP: "Ownership",
    Kind.MX: "MX",
    Kind.SPF: "SPF",
    Kind.DKIM1: "DKIM key 1",
    Kind.DKIM2: "DKIM key 2",
    Kind.DKIM3: "DKIM key 3",
    Kind.DMARC: "DMARC",
    Kind.AUTOCONFIG: "Autoconfig",
    Kind.AUTODISCOVER: "Autodiscover",
    Kind.IMAPS: "IMAP service",
    Kind.SUBMISSIONS: "SMTP service",
}
DKIM_KINDS = (Kind.DKIM1, Kind.DKIM2, Kind.DKIM3)


class Need(StrEnum):
    NEEDED = "needed"
    ADVISABLE = "advisable"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Record:
    """A record to set. `value` is without the priority of an MX record."""

    kind: Kind
    name: str
    zone: str
    type: str
    value: str
    need: Need
    purpose: str
    priority: int | None = None
    ttl: int = USUAL_TTL

    @property
    def relative_name(self) -> str:
        """The name as most DNS hosts ask for it: without the zone, `@` for itself."""
        return relative(self.name, self.zone)

    @property
    def full_value(self) -> str:
        """The value as it is found in the DNS."""
        return self.value if self.priority is None else f"{self.priority} {self.value}"


def relative(name: str, zone: str) -> str:
    if name == zone:
        return "@"
    return name.removesuffix(f".{zone}")


def wanted_records(
    domain: str, *, zone: str = "", ownership_code: str = "", is_moving: bool = False
) -> list[Record]:
    """Return what should stand in the DNS of a domain.

    The zone is the one that holds the domain: the domain itself, or for a subdomain
    often the one above it. Without an ownership code that record is left out.
    """
    zone = zone or domain

    def record(
        kind: Kind,
        label: str,
        type: str,
        value: str,
        need: Need,
        purpose: str,
        *,
        priority: int | None = None,
        ttl: int = USUAL_TTL,
    ) -> Record:
        name = f"{label}.{domain}" if label else domain
        return Record(kind, name, zone, type, value, need, purpose, priority, ttl)

    records = []
    if ownership_code:
        records.append(
            record(
                Kind.OWNERSHIP,
                "",
                "TXT",
                ownership_code,
                Need.NEEDED,
                "Proves to PurelyMail that the domain is yours.",
            )
        )
    records += [
        record(
            Kind.MX,
            "",
            "MX",
            MAIL_HOST,
            Need.NEEDED,
            "Tells other servers where mail for the domain goes.",
            priority=MX_PRIORITY,
            ttl=MOVING_TTL if is_moving else USUAL_TTL,
        ),
        record(
            Kind.SPF,
            "",
            "TXT",
            SPF_RECORD,
            Need.NEEDED,
            "Allows PurelyMail to send mail for the domain.",
        ),
    ]
    for number, (kind, (label, target)) in enumerate(
        zip(DKIM_KINDS, DKIM_TARGETS.items(), strict=True), 1
    ):
        purpose = (
            f"Signature key {number} of 3: lets receivers check that mail is genuine."
        )
        records.append(record(kind, label, "CNAME", target, Need.ADVISABLE, purpose))
    records += [
        record(
            Kind.DMARC,
            "_dmarc",
            "CNAME",
            DMARC_TARGET,
            Need.ADVISABLE,
            "Tells receivers what to do with forged mail. A policy of your own is as"
            " good.",
        ),
        record(
            Kind.AUTOCONFIG,
            "autoconfig",
            "CNAME",
            AUTOCONFIG_TARGET,
            Need.OPTIONAL,
            "Lets Thunderbird and other programs set themselves up.",
        ),
        record(
            Kind.AUTODISCOVER,
            "_autodiscover._tcp",
            "SRV",
            "0 1 443 autodiscover.purelymail.com",
            Need.OPTIONAL,
            "Lets Outlook set itself up.",
        ),
        record(
            Kind.IMAPS,
            "_imaps._tcp",
            "SRV",
            "0 1 993 imap.purelymail.com",
            Need.OPTIONAL,
            "Tells mail programs where to read mail.",
        ),
        record(
            Kind.SUBMISSIONS,
            "_submissions._tcp",
            "SRV",
            "0 1 465 smtp.purelymail.com",
            Need.OPTIONAL,
            "Tells mail programs where to send mail.",
        ),
    ]
    return records
