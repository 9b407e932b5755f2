"""The part of the mirror that holds the account's credit."""

from __future__ import annotations

from decimal import Decimal

from purelymanage.dashboard.operations import note_credit
from purelymanage.domains.sync import Part, Reading


def apply(amount: Decimal, reading: Reading) -> str:
    note_credit(amount, at=reading.began_at)
    return f"${amount:.2f} of credit"


PART = Part(
    name="credit",
    fetch=lambda client: client.check_account_credit(),
    apply=apply,
)
