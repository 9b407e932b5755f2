"""What is done for one row of a bulk change of rules.

Each begins by looking at what is there, so that a second attempt does nothing twice.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.deletions.operations import requests
from purelymanage.deletions.registry import believe
from purelymanage.errors import Refused
from purelymanage.mailboxes.bulk.work import Outcome, Work
from purelymanage.mailboxes.models import BulkRow
from purelymanage.purelymail import types
from purelymanage.purelymail.client import get_client
from purelymanage.routing.bulk import wording
from purelymanage.routing.deeds import deed, fields_of, find, find_rival
from purelymanage.routing.models import (
    Expiry,
    Rewrite,
    Rule,
    RuleBulk,
    RuleBulkRow,
    RuleCreation,
)
from purelymanage.routing.operations.creating import create_rule
from purelymanage.routing.operations.editing import edit_note, edit_rule, note_digest
from purelymanage.routing.operations.expiry import set_expiry
from purelymanage.routing.operations.following import NotYet

State = RuleBulkRow.State
NOT_READ = "The panel has not read this rule yet. It looks again by itself."
AWAITED = "PurelyMail was asked for it, and its answer is awaited."
BEING_REPLACED = "It is being replaced. The panel looks again by itself."


def carry_out(bulk: RuleBulk, row: RuleBulkRow) -> Outcome:
    """Create or replace the rule of a row, and keep what is wished of it."""
    assert row.new is not None
    actor: User = bulk.requested_by
    rules = believe(get_client().list_routing_rules(), "rules")
    rival = find_rival(rules, row.new)
    if find(rules, row.new) is not None:
        is_changed = row.attempt > 1
        if not row.wishes:
            return Outcome(State.DONE if is_changed else State.SAME)
        rule = _known(row)
    else:
        is_changed = True
        rule = _create(row, actor) if rival is None else _replace(rival, row, actor)
    is_changed |= _keep_wishes(rule, row, actor)
    return Outcome(State.DONE if is_changed else State.SAME)


def request_deletions(bulk: RuleBulk, row: RuleBulkRow) -> bool:
    """Ask for all deletions of a bulk change at once, as the queue's rules want it.

    One by one, a second person would not be asked, who is asked for many at once.
    """
    if row.verdict != RuleBulkRow.Verdict.REMOVED:
        return False
    actor: User = bulk.requested_by
    found: dict[str, RuleBulkRow] = {}
    present = {deed(fields_of(it)): it for it in Rule.objects.present()}
    for row in bulk.rows.to_delete()[: requests.MOST_AT_ONCE]:
        rule = present.get(deed(row.old or {}))
        if rule is None:
            _settle([row], State.SAME, "It is not there any more.")
        elif PendingDeletion.objects.on(
            Kind.RULE, str(rule.remote_id), rule.domain
        ).exists():
            _settle([row], State.DONE, "It is to be deleted.")
        else:
            found[str(rule.remote_id)] = row
    if not found:
        return True
    keys = list(found)
    try:
        chosen = requests.subjects(Kind.RULE, keys, actor)
        deletions = requests.request_deletions(
            kind=Kind.RULE,
            keys=keys,
            # The rules do just what their rows show, or they would not be found.
            shown=requests.digest(requests.impacts_of(Kind.RULE, chosen)),
            actor=actor,
            reason=f"Asked for by {bulk.name}.",
        )
    except Refused as exc:
        _settle(found.values(), State.FAILED, str(exc))
        return True
    waits = deletions[0].state == PendingDeletion.State.WAITING
    words = "Its deletion waits." if waits else "A second person has to approve it."
    _settle(found.values(), State.DONE, words)
    return True


def _create(row: RuleBulkRow, actor: User) -> Rule:
    assert row.new is not None
    if row.attempt > 1 and _is_awaited(row.new):
        raise NotYet(AWAITED)
    return create_rule(wanted=row.new, actor=actor, note=row.wishes.get("note", ""))


def _replace(rival: types.Rule, row: RuleBulkRow, actor: User) -> Rule:
    assert row.new is not None
    if row.old is None or deed(asdict(rival)) != deed(row.old):
        to = ", ".join(rival.targets) or "nobody"
        raise Refused(f"Somebody has made another rule for it meanwhile, to {to}.")
    if Rewrite.objects.open().filter(old_id=rival.id).exists():
        raise NotYet(BEING_REPLACED)
    rule = Rule.objects.present().filter(remote_id=rival.id).first()
    if rule is None:
        raise NotYet(NOT_READ)
    return edit_rule(rule=rule, wanted=row.new, actor=actor)


def _known(row: RuleBulkRow) -> Rule:
    """Return the rule that is there as the row wants it, once the mirror has it."""
    assert row.new is not None
    rules = Rule.objects.present().same_match(row.new)
    wanted = deed(row.new)
    rule = next((it for it in rules if deed(fields_of(it)) == wanted), None)
    if rule is None:
        raise NotYet(NOT_READ)
    return rule


def _keep_wishes(rule: Rule, row: RuleBulkRow, actor: User) -> bool:
    """Keep the note and the last day; tell whether that changed anything."""
    is_changed = False
    note = row.wishes.get("note", "")
    if note and note != rule.note:
        edit_note(rule=rule, note=note, shown=note_digest(rule), actor=actor)
        is_changed = True
    if written := row.wishes.get("ends_on"):
        day = date.fromisoformat(written)
        if not Expiry.objects.of(rule.remote_id).filter(ends_on=day).exists():
            set_expiry(rule=rule, ends_on=day, actor=actor)
            is_changed = True
    return is_changed


def _is_awaited(wanted: dict[str, Any]) -> bool:
    asked = RuleCreation.objects.asked()
    return asked.filter(
        domain=wanted["domain"],
        match_user=wanted["match_user"],
        prefix=wanted["prefix"],
    ).exists()


def _settle(rows: Any, state: BulkRow.State, reason: str) -> None:
    numbers = [row.pk for row in rows]
    RuleBulkRow.objects.open().filter(pk__in=numbers).update(
        state=state, reason=reason[:500], settled_at=timezone.now()
    )


WORK = Work[RuleBulk, RuleBulkRow](
    word="rule",
    task="purelymanage.routing.tasks.run_bulk",
    bulks=RuleBulk.objects.all,
    rows=RuleBulkRow.objects.all,
    may_carry_out=wording.may_carry_out,
    deed=wording.deed,
    carry_out=carry_out,
    do_together=request_deletions,
)
