"""What binds the entries together: each carries an HMAC over itself and the one before.

`AUDIT_KEY` is not in the database, so whoever can write there can neither change nor
drop nor move an entry without breaking the chain. Cutting off its end leaves a chain
that is whole but too short; a checkpoint kept elsewhere tells.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

LOCK = 7_245_002  # any number that no other advisory lock of the panel uses
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# What an entry is, in the order in which it is sealed. Changing it breaks every chain.
CONTENT = (
    "sequence",
    "recorded_at",
    "event",
    "actor_id",
    "actor_name",
    "actor_role",
    "target",
    "domain",
    "details",
    "diff",
    "address",
    "request_id",
)

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def lock() -> None:
    """Let nobody else add to the chain until this transaction has ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def seal(content: tuple[Any, ...], previous: str, *, key: str = "") -> str:
    """Return the HMAC of an entry, given in the order of `CONTENT`.

    The time is in microseconds, and a list of JSON leaves no doubt where one value
    ends and the next begins.
    """
    return sign(f"entry {previous} {_encode(content)}", key=key)


def sign(text: str, *, key: str = "") -> str:
    """Sign with `key`, or with the present one."""
    secret = (key or settings.AUDIT_KEY).encode()
    return hmac.digest(secret, text.encode(), "sha256").hex()


def is_signed(text: str, signature: str) -> bool:
    """Whether one of our keys has signed this, the present one or an earlier one."""
    given = signature.encode()
    return any(
        hmac.compare_digest(sign(text, key=key).encode(), given) for key in known_keys()
    )


def known_keys() -> list[str]:
    """Return the keys in the order in which they were used, the present one last."""
    return [*reversed(settings.AUDIT_KEY_FALLBACKS), settings.AUDIT_KEY]


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def plain_address(address: str | None) -> str | None:
    """Write an address in the one way that the database gives back."""
    if not address:
        return None
    found = ipaddress.ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)
