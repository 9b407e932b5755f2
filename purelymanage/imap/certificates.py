"""What the certificate of a server says, for people who wonder whether to trust it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from cryptography import x509
from cryptography.x509.oid import NameOID


class Fault(StrEnum):
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    OTHER_NAME = "made for other names"
    SELF_SIGNED = "issued by itself"
    UNKNOWN_ISSUER = "issued by nobody we know"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    subject: str
    issuer: str
    # The host names and addresses it was made for.
    names: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime
    is_self_signed: bool

    def covers(self, host: str) -> bool:
        """Say whether it was made for `host`; a wildcard stands for one label."""
        host = host.lower().rstrip(".")
        _, _, rest = host.partition(".")
        return host in self.names or (bool(rest) and f"*.{rest}" in self.names)

    def fault(self, host: str, at: datetime | None = None) -> Fault:
        """Return why it was refused, for one that was; the plainest reason first."""
        at = at or datetime.now(UTC)
        if at > self.valid_until:
            return Fault.EXPIRED
        if at < self.valid_from:
            return Fault.NOT_YET_VALID
        if not self.covers(host):
            return Fault.OTHER_NAME
        return Fault.SELF_SIGNED if self.is_self_signed else Fault.UNKNOWN_ISSUER


def read(der: bytes | None) -> Certificate | None:
    """Return what a certificate says, or None if it cannot be understood."""
    if not der:
        return None
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            subject=_name(found.subject),
            issuer=_name(found.issuer),
            names=_names(found),
            valid_from=found.not_valid_before_utc,
            valid_until=found.not_valid_after_utc,
            is_self_signed=found.subject == found.issuer,
        )
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None


def _names(found: x509.Certificate) -> tuple[str, ...]:
    try:
        names = found.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except x509.ExtensionNotFound:
        return ()
    hosts = [it.lower() for it in names.get_values_for_type(x509.DNSName)]
    addresses = names.get_values_for_type(x509.IPAddress)
    return (*hosts, *(str(it) for it in addresses if not _is_network(it)))


def _is_network(it: object) -> bool:
    return isinstance(it, ipaddress.IPv4Network | ipaddress.IPv6Network)


def _name(name: x509.Name) -> str:
    """Return the part of a name that people know."""
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if found := name.get_attributes_for_oid(kind):
            return str(found[0].value)
    return name.rfc4514_string()
