"""The part of the mirror that holds the account's credit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from purelymanage.dashboard.models import CreditReading
from purelymanage.dashboard.operations import note_credit
from purelymanage.domains.sync import Part, Reading

# It goes slowly, and one call an hour is a quarter of all that a quiet day takes.
READ_AFTER = timedelta(hours=4) - timedelta(minutes=10)


def is_due(*, asked: bool) -> bool:
    newer = CreditReading.objects.filter(read_at__gt=timezone.now() - READ_AFTER)
    return asked or not newer.exists()


def apply(amount: Decimal, reading: Reading) -> str:
    note_credit(amount, at=reading.began_at)
    return f"${amount:.2f} of credit"


PART = Part(
    name="credit",
    fetch=lambda client: client.check_account_credit(),
    apply=apply,
    is_due=is_due,
)
