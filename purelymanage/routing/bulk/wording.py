"""What a bulk change of rules is called, and whose it may be."""

from __future__ import annotations

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.figures import thin
from purelymanage.routing.models import RuleBulk, RuleBulkRow


def rules(count: int) -> str:
    return "1 rule" if count == 1 else f"{thin(count)} rules"


def deed(bulk: RuleBulk, count: int) -> str:
    """Say what is done to how many, such as “restore 3 rules from …”."""
    what = rules(count)
    if bulk.kind == RuleBulk.Kind.RESTORE:
        return f"restore {what} from {bulk.snapshot or 'a snapshot'}"
    if bulk.kind == RuleBulk.Kind.IMPORT:
        return f"create or change {what} from {bulk.file_name or 'a table'}"
    return f"create or change {what} of one template"


def may_carry_out(person: User, bulk: RuleBulk) -> bool:
    rights = {Right.MANAGE}
    if bulk.rows.open().filter(verdict=RuleBulkRow.Verdict.REMOVED).exists():
        rights.add(Right.DELETE)
    return all(map(person.may, rights)) and all(map(person.covers, bulk.domains))
