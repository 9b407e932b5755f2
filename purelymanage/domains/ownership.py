"""The part of the sync that keeps the ownership record of the account."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from purelymanage.domains.models import OwnershipCode
from purelymanage.domains.sync import Part, Reading

READ_AGAIN_AFTER = timedelta(days=30)


def is_due(*, asked: bool) -> bool:
    newer = OwnershipCode.objects.filter(read_at__gt=timezone.now() - READ_AGAIN_AFTER)
    return not newer.exists()


def apply(code: str, reading: Reading) -> str:
    OwnershipCode.objects.update_or_create(
        pk=1, defaults={"value": code, "read_at": reading.began_at}
    )
    return ""


PART = Part(
    name="ownership",
    fetch=lambda client: client.get_ownership_code(),
    apply=apply,
    is_due=is_due,
)
