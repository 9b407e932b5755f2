from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from purelymanage.dashboard.models import CreditReading


def note_credit(amount: Decimal, *, at: datetime) -> None:
    """Add a reading of the credit, or prolong the stretch in which it is the same."""
    newest = list(CreditReading.objects.order_by("-read_at", "-pk")[:2])
    if len(newest) == 2 and all(reading.amount == amount for reading in newest):
        newest[0].read_at = at
        newest[0].save(update_fields=["read_at"])
    else:
        CreditReading.objects.create(amount=amount, read_at=at)
