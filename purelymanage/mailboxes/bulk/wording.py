"""What a bulk change is called, and whose it may be."""

from __future__ import annotations

from typing import Any

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Right
from purelymanage.figures import thin
from purelymanage.mailboxes.bulk.work import AnyBulk
from purelymanage.mailboxes.models import Bulk, BulkRow
from purelymanage.mailboxes.operations.details import DETAIL_NAMES

State = BulkRow.State
OUTCOMES = {
    State.DONE: "done",
    State.SAME: "already so",
    State.FAILED: "failed",
    State.LEFT_OUT: "left out",
    State.WAITING: "not begun",
    State.WORKING: "interrupted",
}


def mailboxes(count: int) -> str:
    return "1 mailbox" if count == 1 else f"{thin(count)} mailboxes"


def deed(bulk: Bulk, count: int) -> str:
    """Say what is done to how many, such as "set flags of 3 mailboxes"."""
    what = mailboxes(count)
    match bulk.kind:
        case Bulk.Kind.CREATE:
            return f"create or change {what}"
        case Bulk.Kind.RESET:
            return f"set new passwords for {what}"
        case Bulk.Kind.FLAGS:
            return f"set {flags_in_words(bulk.wishes.get('flags', {}))} for {what}"
        case Bulk.Kind.TAG:
            return f"{tags_in_words(bulk.wishes)} for {what}"
    return f"ask for the deletion of {what}"


def flags_in_words(flags: dict[str, Any]) -> str:
    return ", ".join(
        f"{DETAIL_NAMES[name]} {'on' if value else 'off'}"
        for name, value in flags.items()
    )


def tags_in_words(wishes: dict[str, Any]) -> str:
    parts = [
        f"{verb} {', '.join(wishes[name])}"
        for name, verb in (("add", "add the tags"), ("remove", "remove the tags"))
        if wishes.get(name)
    ]
    return " and ".join(parts)


def outcome_of(counts: dict[str, int]) -> str:
    """Say how the rows ended, such as "498 done, 2 failed"."""
    parts = [
        f"{thin(counts[state])} {words}"
        for state, words in OUTCOMES.items()
        if counts.get(state)
    ]
    return ", ".join(parts) or "nothing to do"


def domain_of(bulk: AnyBulk) -> str:
    """Return the domain that the audit log files it under, where it is a single one."""
    [*domains] = bulk.domains
    return str(domains[0]) if len(domains) == 1 else ""


def may_carry_out(person: User, bulk: Bulk) -> bool:
    rights = {Right.MANAGE}
    if bulk.kind == Bulk.Kind.DELETE:
        rights.add(Right.DELETE)
    return all(map(person.may, rights)) and all(map(person.covers, bulk.domains))
