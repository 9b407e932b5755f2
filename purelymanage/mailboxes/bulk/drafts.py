"""What was selected or read from a file, before anything is done with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from purelymanage import crypto
from purelymanage.accounts.models import User
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.deletions.operations.requests import MOST_AT_ONCE
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from purelymanage.figures import thin
from purelymanage.mailboxes.bulk import meanings
from purelymanage.mailboxes.bulk.beforehand import do_beforehand
from purelymanage.mailboxes.bulk.deciding import NOT_ALLOWED, own_draft, start
from purelymanage.mailboxes.bulk.meanings import Meaningless
from purelymanage.mailboxes.bulk.preview import (
    NOBODY,
    Account,
    Known,
    Line,
    preview,
)
from purelymanage.mailboxes.bulk.rows import WORK
from purelymanage.mailboxes.bulk.wanted import Defaults
from purelymanage.mailboxes.bulk.wording import may_carry_out
from purelymanage.mailboxes.models import Bulk, BulkRow, Creation, Mailbox
from purelymanage.mailboxes.models.mailboxes import MailboxQuerySet
from purelymanage.sheets import keeping
from purelymanage.sheets.columns import column_name
from purelymanage.sheets.reading import MOST_ROWS, Sheet

FROZEN = "It is to be deleted and frozen until then. Cancel its deletion first."
GONE = "There is no such mailbox at PurelyMail."
ONE_STEP = 1_000  # rows written at once

State, Verdict = BulkRow.State, BulkRow.Verdict


@transaction.atomic(durable=True)
def draft_bulk(*, kind: str, addresses: Iterable[str], actor: User) -> Bulk:
    """Take a selection of mailboxes for a bulk change that begins later, or never."""
    written = (it.replace("\0", "").strip().lower() for it in addresses)
    chosen = list(filter(None, dict.fromkeys(written)))
    if kind not in Bulk.Kind or kind == Bulk.Kind.CREATE:
        raise Refused("Choose what is to be done.")
    if not chosen:
        raise Refused("No mailbox was chosen.")
    _check_number(kind, len(chosen))
    bulk = Bulk(kind=kind, requested_by=actor)
    rows = [
        BulkRow(bulk=bulk, number=number, address=address[:300])
        for number, address in enumerate(chosen, 1)
    ]
    _leave_out(rows, actor)
    return _write(bulk, rows, actor)


@transaction.atomic(durable=True)
def import_sheet(*, kind: str, sheet: Sheet, actor: User) -> Bulk:
    """Keep the cells of a file, sealed, until somebody said what its columns are."""
    _check_number(kind, sheet.records)
    bulk = Bulk(kind=kind, requested_by=actor, file_name=_plain(sheet.file_name)[:200])
    if not may_carry_out(actor, bulk):
        raise Refused(NOT_ALLOWED)
    bulk.sheet = crypto.seal(keeping.as_text(sheet), bound_to=bulk.sheet_place)
    bulk.save()
    return bulk


def open_sheet(bulk: Bulk) -> Sheet:
    """Return the cells of a file again, as long as it is a draft."""
    if not bulk.sheet:
        raise Refused("The file is not kept any more. Upload it again.")
    return keeping.from_text(crypto.unseal(bulk.sheet, bound_to=bulk.sheet_place))


@transaction.atomic(durable=True)
def map_columns(
    *, bulk: Bulk, columns: Mapping[int, str], defaults: Defaults, actor: User
) -> None:
    """Work out what each line of the file would do, in place of what was there."""
    held = own_draft(WORK, bulk=bulk, actor=actor)
    sheet = open_sheet(held)
    held.wishes = {
        "columns": {str(number): target for number, target in columns.items()},
        "defaults": asdict(defaults),
    }
    if held.kind == Bulk.Kind.CREATE:
        found = preview(sheet, columns, defaults=defaults, account=account_for(actor))
        held.wishes["remarks"] = list(found.remarks)
        rows = [_row_of(held, line, sheet) for line in found.lines]
    else:
        rows = _rows_by_address(held, sheet, columns, defaults)
        _leave_out(rows, actor)
    held.rows.all().delete()
    _write(held, rows, actor)


@transaction.atomic(durable=True)
def choose_wishes(*, bulk: Bulk, wishes: dict[str, Any], actor: User) -> None:
    """Keep what is wanted of all rows, to show what it would do."""
    held = own_draft(WORK, bulk=bulk, actor=actor)
    held.wishes = {**held.wishes, **wishes}
    held.save(update_fields=["wishes"])
    bulk.wishes = held.wishes


@transaction.atomic(durable=True)
def start_bulk(*, bulk: Bulk, wishes: dict[str, Any], actor: User) -> None:
    """Let the workers do what the draft says. The cells of a file are erased."""
    held = own_draft(WORK, bulk=bulk, actor=actor)
    do_beforehand(actor)
    held.wishes = {**held.wishes, **wishes}
    start(WORK, draft=held, actor=actor, wishes=held.wishes, sheet="")


@transaction.atomic(durable=True)
def discard_draft(*, bulk: Bulk, actor: User) -> None:
    own_draft(WORK, bulk=bulk, actor=actor).delete()


def wipe_old() -> int:
    """Delete forgotten drafts, and erase the passwords of what failed long ago."""
    now = timezone.now()
    deleted = Bulk.objects.forgotten(now).delete()[1].get(Bulk._meta.label, 0)
    kept = BulkRow.objects.exclude(secret="")
    kept.filter(bulk__in=Bulk.objects.with_old_secrets(now)).update(secret="")
    return deleted


def account_for(actor: User, *, by_name: bool = False) -> Account:
    """Return the account as the mirror has it, as far as a person may see it.

    `by_name` asks for no more than which mailboxes there are.
    """
    mine = Mailbox.objects.visible_to(actor).present()
    names = mine.order_by().values_list("address", flat=True)
    return Account(
        mailboxes=dict.fromkeys(names, NOBODY) if by_name else _known(mine),
        domains=dict(
            Domain.objects.visible_to(actor)
            .present()
            .values_list("name", "symbolic_subaddressing")
        ),
        frozen=_frozen(),
        asked=frozenset(Creation.objects.asked().values_list("address", flat=True)),
        count=Mailbox.objects.present().count(),
    )


def _known(mailboxes: MailboxQuerySet) -> dict[str, Known]:
    return {
        address: Known(
            reset_allowed=reset_allowed,
            search_indexing=search_indexing,
            recovery=frozenset(it["target"].lower() for it in methods)
            if details_at
            else None,
            tags=tuple(tags),
        )
        for address, reset_allowed, search_indexing, methods, details_at, tags in (
            mailboxes.values_list(
                "address",
                "reset_allowed",
                "search_indexing",
                "recovery_methods",
                "details_at",
                "tags",
            )
        )
    }


def _check_number(kind: str, count: int) -> None:
    if kind == Bulk.Kind.DELETE and count > MOST_AT_ONCE:
        raise Refused(f"At most {MOST_AT_ONCE} can be deleted at once.")
    if count > MOST_ROWS:
        raise Refused(f"At most {thin(MOST_ROWS)} can be changed at once.")


def _write(bulk: Bulk, rows: list[BulkRow], actor: User) -> Bulk:
    ours = set(Domain.objects.present().values_list("name", flat=True))
    ours |= {_domain(row) for row in rows if row.state == State.WAITING}
    # Also of what is left out, as the rows name it to everybody who sees the bulk.
    bulk.domains = sorted(filter(actor.covers, ours & set(map(_domain, rows))))
    if not may_carry_out(actor, bulk):
        raise Refused(NOT_ALLOWED)
    bulk.save()
    # Sealed only now: what a password is bound to has the number of the bulk in it.
    for row in rows:
        row.bulk = bulk
        if row.secret:
            row.secret = crypto.seal(row.secret, bound_to=row.secret_place)
    BulkRow.objects.bulk_create(rows, batch_size=ONE_STEP)
    return bulk


def _leave_out(rows: list[BulkRow], actor: User) -> None:
    """Say of which nothing will be done, and why."""
    mine = Mailbox.objects.visible_to(actor).present()
    addresses = [row.address for row in rows]
    there = set(
        mine.filter(address__in=addresses).values_list("address", flat=True),
    )
    frozen = _frozen()
    for row in rows:
        if row.state != State.WAITING:
            continue
        if row.address not in there:
            row.state, row.reason = State.LEFT_OUT, GONE
        elif {row.address, _domain(row)} & frozen:
            row.state, row.reason = State.LEFT_OUT, FROZEN


def _frozen() -> frozenset[str]:
    """Return the addresses and domains that are to be deleted."""
    kinds = [Kind.MAILBOX, Kind.DOMAIN]
    pending = PendingDeletion.objects.open().filter(kind__in=kinds)
    return frozenset(pending.values_list("key", flat=True))


def _domain(row: BulkRow) -> str:
    return row.address.rpartition("@")[2]


def _row_of(bulk: Bulk, line: Line, sheet: Sheet) -> BulkRow:
    state = {Verdict.SAME: State.SAME, Verdict.ERROR: State.LEFT_OUT}
    row = BulkRow(
        bulk=bulk,
        number=line.number,
        address=line.address[:300],
        verdict=line.verdict.value,
        state=state.get(Verdict(line.verdict.value), State.WAITING),
        reason=" ".join(it.sentence for it in line.faults)[:500],
        faults=[
            [column_name(sheet.header, it.column) if it.target else "", it.sentence]
            for it in line.faults
        ],
    )
    if line.wanted is not None:
        row.wishes = {
            **line.wanted.wishes,
            "changes": [[it.label, it.before, it.after] for it in line.changes],
        }
        if line.wanted.password:
            row.secret = line.wanted.password
            row.wishes |= {"is_given": True, "is_unrated": line.is_unrated}
    return row


def _rows_by_address(
    bulk: Bulk, sheet: Sheet, columns: Mapping[int, str], defaults: Defaults
) -> list[BulkRow]:
    """Take the addresses of a file for a selection; whatever is no address is told."""
    column = next(it for it, target in columns.items() if target == "address")
    rows: list[BulkRow] = []
    first_lines: dict[str, int] = {}
    for line in sheet.rows:
        row = BulkRow(bulk=bulk, number=line.line)
        rows.append(row)
        try:
            local, domain = meanings.address(line.cells[column], defaults.domain)
            row.address = f"{local}@{domain}"[:300]
            first = first_lines.setdefault(row.address, line.line)
            if first != line.line:
                raise Meaningless(f"Line {first} has the same address.")
        except Meaningless as exc:
            row.address = row.address or line.cells[column].strip()[:300]
            row.state, row.reason = State.LEFT_OUT, str(exc)
            row.faults = [[column_name(sheet.header, column), str(exc)]]
    rows += [
        BulkRow(
            bulk=bulk,
            number=it.line,
            state=State.LEFT_OUT,
            reason=it.sentence[:500],
            faults=[["", it.sentence]],
        )
        for it in sheet.problems
    ]
    return sorted(rows, key=lambda row: row.number)


def _plain(name: str) -> str:
    return "".join(it for it in name if it.isprintable())
