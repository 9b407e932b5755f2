"""What people decide about many rules at once: to draft, start, stop or end it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from django.db import transaction

from purelymanage.accounts.models import User
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.mailboxes.bulk.deciding import TOO_LATE, check, own_draft, start
from purelymanage.routing.bulk import importing, restoring, templating
from purelymanage.routing.bulk.presentation import BY_HAND
from purelymanage.routing.bulk.rows import WORK
from purelymanage.routing.bulk.templating import Template
from purelymanage.routing.models import RuleBulk, RuleBulkRow, Snapshot
from purelymanage.routing.snapshots.taking import take
from purelymanage.sheets import keeping
from purelymanage.sheets.reading import Sheet

MOST_ROWS = 2_000
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
        sheet=keeping.as_stored(sheet),
        file_name="".join(filter(str.isprintable, sheet.file_name))[:200],
        requested_by=actor,
    )
    return _write_import(bulk, columns, actor)


@transaction.atomic(durable=True)
def map_columns(*, bulk: RuleBulk, columns: Mapping[int, str], actor: User) -> None:
    """Work out what each line would do, in place of what was there."""
    held = own_draft(WORK, bulk=bulk, actor=actor)
    if held.sheet is None:
        raise Refused(TOO_LATE)
    held.rows.all().delete()
    _write_import(held, columns, actor)


def _write_import(bulk: RuleBulk, columns: Mapping[int, str], actor: User) -> RuleBulk:
    assert bulk.sheet is not None
    sheet = keeping.from_stored(bulk.sheet)
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
    check(WORK, bulk, actor)
    return bulk


@transaction.atomic(durable=True)
def choose_row(*, bulk: RuleBulk, number: int, is_wanted: bool, actor: User) -> None:
    """Leave a row of a draft out, or take it in again."""
    held = own_draft(WORK, bulk=bulk, actor=actor)
    before = State.LEFT_OUT if is_wanted else State.WAITING
    after = State.WAITING if is_wanted else State.LEFT_OUT
    rows = held.rows.filter(number=number, state=before)
    if is_wanted:
        rows = rows.filter(reason=LEFT_OUT)
    rows.update(state=after, reason="" if is_wanted else LEFT_OUT)


@transaction.atomic(durable=True)
def start_bulk(*, bulk: RuleBulk, actor: User) -> None:
    """Let the workers do what the draft says, after keeping how it was."""
    held = own_draft(WORK, bulk=bulk, actor=actor)
    is_restore = held.kind == RuleBulk.Kind.RESTORE
    occasion = Snapshot.Occasion.RESTORE if is_restore else Snapshot.Occasion.RULES
    take(occasion, actor=actor)
    start(WORK, draft=held, actor=actor, sheet=None)


@transaction.atomic(durable=True)
def discard_draft(*, bulk: RuleBulk, actor: User) -> None:
    own_draft(WORK, bulk=bulk, actor=actor).delete()


def check_number(count: int) -> None:
    if count > MOST_ROWS:
        raise Refused(
            f"These are {thin(count)} rules; at most {thin(MOST_ROWS)} can be changed "
            "at once."
        )
