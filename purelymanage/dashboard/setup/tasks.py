from __future__ import annotations

from purelymanage.dashboard.setup import operations


def check_token(pk: int) -> str:
    return operations.carry_out_check(pk)
