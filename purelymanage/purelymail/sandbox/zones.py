"""The DNS that the stand-in sees: zones as data, and the checks run against them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

MAIL_HOST = "mailserver.purelymail.com"
SPF_INCLUDE = "include:_spf.purelymail.com"
DMARC_TARGET = "dmarcroot.purelymail.com"
DKIM = {
    f"purelymail{n}._domainkey": f"key{n}.dkimroot.purelymail.com" for n in (1, 2, 3)
}
TYPES = {
    "A",
    "AAAA",
    "CAA",
    "CNAME",
    "DNSKEY",
    "DS",
    "MX",
    "NS",
    "SOA",
    "SRV",
    "TLSA",
    "TXT",
}
# How look-ups in a zone fail; "" is not at all.
FAILURES = {
    "",
    "servfail",
    "silent",  # no answer
    "refused",
    "lame",  # its servers know nothing of it, and resolvers give up
    "truncated",  # over UDP, so that TCP is needed
    "cut",  # over TCP as well
    "garbled",
}
TTL = 30
# A CNAME that leads in circles must not hold the responder.
LONGEST_CHAIN = 8


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `name` is complete and lower-case; `visible_at` hides it till then.

    `value` is written as in a zone file: `50 mail.example` for MX, bare text for TXT,
    or its strings in quotes.
    """

    name: str
    type: str
    value: str
    visible_at: float = 0
    ttl: int = TTL


@dataclass(slots=True)
class Zone:
    records: list[Record] = field(default_factory=list)
    failure: str = ""  # one of FAILURES
    latency: float = 0  # seconds before each answer
    # Seconds that resolvers are behind the zone's own servers.
    lag: float = 0


class Zones:
    """All zones, safe to change while the responder reads them."""

    def __init__(self, zones: dict[str, Zone] | None = None) -> None:
        self._zones = zones or {}
        self._lock = threading.Lock()

    @property
    def is_empty(self) -> bool:
        return not self._zones

    def put(
        self,
        zone: str,
        records: Iterable[tuple[str, str, str] | tuple[str, str, str, int]],
        *,
        after: float = 0,
        failure: str = "",
        latency: float = 0,
        lag: float = 0,
    ) -> None:
        """Replace a zone. Names are relative, `@` is the zone itself.

        A record may bring its time to live as its fourth part.

        With `after`, the new records appear that many seconds later; those the zone
        had before and keeps are visible all along.
        """
        zone = normal(zone)
        if failure not in FAILURES:
            raise ValueError(f"Nothing fails by {failure!r}.")
        with self._lock:
            old = self._zones.get(zone, Zone()).records
            known = {(it.name, it.type, it.value): it.visible_at for it in old}
            visible_at = time.time() + after if after else 0
            kept = []
            for name, kind, value, *rest in records:
                if kind not in TYPES:
                    raise ValueError(f"Records of type {kind} are not served.")
                key = (absolute(name, zone), kind, value)
                ttl = int(rest[0]) if rest else TTL
                kept.append(Record(*key, known.get(key, visible_at), ttl))
            self._zones[zone] = Zone(kept, failure, latency, lag)

    def remove(self, zone: str) -> None:
        with self._lock:
            self._zones.pop(normal(zone), None)

    def zone_of(self, name: str) -> tuple[str, Zone] | None:
        """Return the closest zone that holds this name."""
        name = normal(name)
        with self._lock:
            while name:
                if name in self._zones:
                    return name, self._zones[name]
                name = name.partition(".")[2]
        return None

    def is_zone(self, name: str) -> bool:
        with self._lock:
            return normal(name) in self._zones

    def at(self, name: str, *, at_zone: bool = True) -> list[Record]:
        """Return every visible record of this name, a wildcard's where it has none.

        Not `at_zone` is what resolvers see, which may be behind.
        """
        return self._find(name, at_zone=at_zone) or []

    def exists(self, name: str, *, at_zone: bool = True) -> bool:
        """Say whether a name exists, be it only because something lies below it."""
        return self._find(name, at_zone=at_zone) is not None

    def _find(self, name: str, *, at_zone: bool) -> list[Record] | None:
        found = self.zone_of(name)
        if found is None:
            return None
        zone, contents = found
        name, now = normal(name), time.time() - (0 if at_zone else contents.lag)
        records = [it for it in contents.records if it.visible_at <= now]
        here = [it for it in records if it.name == name]
        if here or name == zone or _is_above(name, records):
            return here
        # A wildcard stands in below the closest name that exists.
        above = name.partition(".")[2]
        while above != zone and not (
            _is_above(above, records) or any(it.name == above for it in records)
        ):
            above = above.partition(".")[2]
        wild = [it for it in records if it.name == f"*.{above}"]
        return [replace(it, name=name) for it in wild] or None

    def look_up(self, name: str, kind: str, *, at_zone: bool = True) -> list[Record]:
        """Return the answer to a question, aliases on the way included."""
        chain: list[Record] = []
        for _ in range(LONGEST_CHAIN):
            here = self.at(name, at_zone=at_zone)
            if answers := [it for it in here if it.type == kind]:
                return chain + answers
            alias = next((it for it in here if it.type == "CNAME"), None)
            if alias is None:
                return chain
            chain.append(alias)
            name = alias.value
        return chain

    def values(self, name: str, kind: str) -> list[str]:
        return [it.value for it in self.look_up(name, kind) if it.type == kind]

    def to_json(self) -> dict[str, Any]:
        with self._lock:
            return {name: asdict(zone) for name, zone in self._zones.items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Zones:
        return cls(
            {
                name: Zone(
                    **zone | {"records": [Record(**it) for it in zone["records"]]}
                )
                for name, zone in data.items()
            }
        )


def normal(name: str) -> str:
    return name.rstrip(".").lower()


def _is_above(name: str, records: list[Record]) -> bool:
    return any(it.name.endswith(f".{name}") for it in records)


def absolute(name: str, zone: str) -> str:
    return zone if name == "@" else f"{normal(name)}.{zone}"


def owns(zones: Zones, domain: str, code: str) -> bool:
    return code in zones.values(domain, "TXT")


def summary(zones: Zones, domain: str) -> dict[str, bool]:
    """Check a domain as the vendor does.

    A DMARC policy of one's own counts as missing there although it works.
    """
    hosts = [normal(it.split()[-1]) for it in zones.values(domain, "MX")]
    texts = zones.values(domain, "TXT")
    spf = [it for it in texts if it.lower().split(" ")[0] == "v=spf1"]
    return {
        "passesMx": hosts == [MAIL_HOST],
        "passesSpf": len(spf) == 1 and SPF_INCLUDE in spf[0].split(),
        "passesDkim": all(
            _alias(zones, f"{name}.{domain}") == target for name, target in DKIM.items()
        ),
        "passesDmarc": _alias(zones, f"_dmarc.{domain}") == DMARC_TARGET,
    }


def _alias(zones: Zones, name: str) -> str:
    return next((normal(it.value) for it in zones.at(name) if it.type == "CNAME"), "")
