"""What people decide about many rules at once: to draft, start, stop or end it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.mailboxes.bulk.deciding import NOT_ALLOWED, NOT_WANTED, TOO_LATE
from purelymanage.routing.bulk import importing, restoring, templating
from purelymanage.routing.bulk.presentation import BY_HAND
from purelymanage.routing.bulk.running import hand_on
from purelymanage.routing.bulk.templating import Template
from purelymanage.routing.bulk.wording import (
    deed,
    domain_of,
    may_carry_out,
    outcome_of,
)
from purelymanage.routing.models import RuleBulk, RuleBulkRow, Snapshot
from purelymanage.routing.snapshots.taking import take
from purelymanage.sheets.reading import Sheet

MOST_ROWS = 2_000
NOTHING = "There is nothing to do: no row is left that would change anything."
NO_CHANGE = "The rules are as they were then. There is nothing to restore."
LEFT_OUT = BY_HAND

State, Verdict = RuleBulkRow.State, RuleBulkRow.Verdict


@transaction.atomic(durable=True)
def draft_restore(*, snapshot: Snapshot, actor: User) -> RuleBulk:
    """Work out what brings the rules back to how they were."""
    rows = restoring.rows_for(snapshot, actor)
    if not rows:
        raise Refused(NO_CHANGE)
    bulk = RuleBulk(kind=RuleBulk.Kind.RESTORE, snapshot=snapshot, requested_by=actor)
    return write_draft(bulk, rows, actor)


@transaction.atomic(durable=True)
def draft_template(*, template: Template, actor: User) -> RuleBulk:
    """Work out which rules a template needs that are not there."""
    check_number(len(template.names) * len(template.domains))
    bulk = RuleBulk(
        kind=RuleBulk.Kind.TEMPLATE, wishes=asdict(template), requested_by=actor
    )
    return write_draft(bulk, templating.rows_for(template, actor), actor)


@transaction.atomic(durable=True)
def draft_import(*, sheet: Sheet, columns: Mapping[int, str], actor: User) -> RuleBulk:
    """Keep a table, with what its rows would do where the columns are known."""
    check_number(sheet.records)
    bulk = RuleBulk(
        kind=RuleBulk.Kind.IMPORT,
        sheet=importing.kept(sheet),
        file_name="".join(filter(str.isprintable, sheet.file_name))[:200],
        requested_by=actor,
    )
    return _write_import(bulk, columns, actor)


@transaction.atomic(durable=True)
def map_columns(*, bulk: RuleBulk, columns: Mapping[int, str], actor: User) -> None:
    """Work out what each line would do, in place of what was there."""
    held = _own_draft(bulk, actor)
    if held.sheet is None:
        raise Refused(TOO_LATE)
    held.rows.all().delete()
    _write_import(held, columns, actor)


def _write_import(bulk: RuleBulk, columns: Mapping[int, str], actor: User) -> RuleBulk:
    sheet = importing.opened(bulk.sheet)
    bulk.wishes = {
        "columns": {str(number): target for number, target in columns.items()},
        "remarks": [sheet.recognised, *sheet.remarks],
    }
    rows = importing.rows_for(sheet, columns, actor) if columns else []
    return write_draft(bulk, rows, actor)


def write_draft(bulk: RuleBulk, rows: Sequence[RuleBulkRow], actor: User) -> RuleBulk:
    """Keep a draft and its rows, in the transaction of whoever calls it."""
    check_number(len(rows))
    # Also of what is left out, as the rows name it to everybody who sees the bulk.
    bulk.domains = sorted({it.domain for it in rows if it.domain})
    bulk.domains = [it for it in bulk.domains if actor.covers(it)]
    bulk.save()
    for row in rows:
        row.bulk = bulk
    RuleBulkRow.objects.bulk_create(rows, batch_size=500)
    if not may_carry_out(actor, bulk):
        raise Refused(NOT_ALLOWED)
    return bulk


@transaction.atomic(durable=True)
def choose_row(*, bulk: RuleBulk, number: int, is_wanted: bool, actor: User) -> None:
    """Leave a row of a draft out, or take it in again."""
    held = _own_draft(bulk, actor)
    before = State.LEFT_OUT if is_wanted else State.WAITING
    after = State.WAITING if is_wanted else State.LEFT_OUT
    rows = held.rows.filter(number=number, state=before)
    if is_wanted:
        rows = rows.filter(reason=LEFT_OUT)
    rows.update(state=after, reason="" if is_wanted else LEFT_OUT)


@transaction.atomic(durable=True)
def start_bulk(*, bulk: RuleBulk, actor: User) -> None:
    """Let the workers do what the draft says, after keeping how it was."""
    held = _own_draft(bulk, actor)
    _check(held, actor)
    count = held.rows.waiting().count()
    if not count:
        raise Refused(NOTHING)
    is_restore = held.kind == RuleBulk.Kind.RESTORE
    occasion = Snapshot.Occasion.RESTORE if is_restore else Snapshot.Occasion.RULES
    take(occasion, actor=actor)
    held.sheet = None
    _run(held, started_at=timezone.now())
    log.record(
        Event.BULK_STARTED,
        actor=actor,
        target=held.name,
        domain=domain_of(held),
        deed=deed(held, count),
    )


@transaction.atomic(durable=True)
def stop_bulk(*, bulk: RuleBulk, actor: User) -> None:
    """Begin no further row. Whoever is at one ends it."""
    _check(bulk, actor)
    running = RuleBulk.objects.running().filter(pk=bulk.pk)
    if not running.update(state=RuleBulk.State.STOPPED, reason=f"{actor} stopped it."):
        raise Refused(TOO_LATE)
    log.record(
        Event.BULK_STOPPED,
        actor=actor,
        target=bulk.name,
        domain=domain_of(bulk),
        reason="by hand",
    )


@transaction.atomic(durable=True)
def resume_bulk(*, bulk: RuleBulk, actor: User) -> None:
    """Go on where it stopped, from now on in the name of whoever wants that."""
    held = _lock(bulk)
    _check(held, actor)
    if held.state != RuleBulk.State.STOPPED:
        raise Refused(TOO_LATE)
    held.rows.waiting().update(tries=0)
    _run(held, requested_by=actor)
    _note_resumed(held, actor)


@transaction.atomic(durable=True)
def retry_failed(*, bulk: RuleBulk, actor: User) -> None:
    """Try what failed once more. What is done already is only looked at."""
    held = _lock(bulk)
    if held.state not in (RuleBulk.State.DONE, RuleBulk.State.STOPPED):
        raise Refused(TOO_LATE)
    if not held.rows.failed().update(
        state=State.WAITING, tries=0, settled_at=None, reason=""
    ):
        raise Refused("Nothing has failed.")
    _check(held, actor)
    _run(held, requested_by=actor, settled_at=None)
    _note_resumed(held, actor)


@transaction.atomic(durable=True)
def cancel_rest(*, bulk: RuleBulk, actor: User) -> None:
    """Give up what was not begun. What was done stays as it is."""
    held = _lock(bulk)
    _check(held, actor)
    if held.state not in (RuleBulk.State.RUNNING, RuleBulk.State.STOPPED):
        raise Refused(TOO_LATE)
    now = timezone.now()
    held.rows.waiting().filter(attempt=0).update(
        state=State.LEFT_OUT, reason=NOT_WANTED, settled_at=now
    )
    # Tried before: PurelyMail may have done it.
    held.rows.waiting().update(state=State.FAILED, settled_at=now)
    held.state, held.settled_at, held.reason = RuleBulk.State.CANCELLED, now, ""
    held.save(update_fields=["state", "settled_at", "reason"])
    log.record(
        Event.BULK_CANCELLED,
        actor=actor,
        target=held.name,
        domain=domain_of(held),
        outcome=outcome_of(held.rows.by_state()),
    )


@transaction.atomic(durable=True)
def discard_draft(*, bulk: RuleBulk, actor: User) -> None:
    _own_draft(bulk, actor).delete()


def check_number(count: int) -> None:
    if count > MOST_ROWS:
        raise Refused(
            f"These are {thin(count)} rules; at most {thin(MOST_ROWS)} can be changed "
            "at once."
        )


def _own_draft(bulk: RuleBulk, actor: User) -> RuleBulk:
    mine = RuleBulk.objects.drafts().select_for_update(of=("self",))
    held = mine.filter(pk=bulk.pk, requested_by=actor).first()
    if held is None:
        raise Refused(TOO_LATE)
    return held


def _check(bulk: RuleBulk, actor: User) -> None:
    if not may_carry_out(actor, bulk):
        raise Refused(NOT_ALLOWED)


def _lock(bulk: RuleBulk) -> RuleBulk:
    return RuleBulk.objects.select_for_update(of=("self",)).get(pk=bulk.pk)


def _run(bulk: RuleBulk, **columns: Any) -> None:
    columns |= {"state": RuleBulk.State.RUNNING, "reason": "", "failures_in_a_row": 0}
    for name, value in columns.items():
        setattr(bulk, name, value)
    bulk.save(update_fields=[*columns, "sheet"])
    hand_on(bulk)


def _note_resumed(bulk: RuleBulk, actor: User) -> None:
    log.record(
        Event.BULK_RESUMED,
        actor=actor,
        target=bulk.name,
        domain=domain_of(bulk),
        deed=deed(bulk, bulk.rows.open().count()),
    )
