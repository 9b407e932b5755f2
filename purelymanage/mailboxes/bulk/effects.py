"""What a draft would do to each mailbox, as far as the mirror tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Count

from purelymanage.mailboxes.bulk.presentation import RowView
from purelymanage.mailboxes.models import AppPassword, Bulk, BulkRow, Mailbox
from purelymanage.mailboxes.operations.details import DETAIL_NAMES
from purelymanage.mailboxes.tags import distinct, object_to_tags

UNKNOWN = "not known yet"
REFUSED = (
    "Fails, as it has no recovery method: two-factor sign-in could lock its owner out"
)


def effects_of(bulk: Bulk, rows: Sequence[BulkRow]) -> list[RowView]:
    """Return the rows of one page with what would happen to each."""
    addresses = [row.address for row in rows]
    known = {it.address: it for it in Mailbox.objects.filter(address__in=addresses)}
    passwords = _app_passwords(addresses) if bulk.kind == Bulk.Kind.RESET else {}
    found = []
    for row in rows:
        mailbox = known.get(row.address)
        if row.state != BulkRow.State.WAITING:
            found.append(RowView(row))
        elif bulk.kind == Bulk.Kind.CREATE:
            found.append(RowView(row, list(_of_line(row))))
        elif mailbox is None:
            found.append(RowView(row))
        elif bulk.kind == Bulk.Kind.FLAGS:
            found.append(_of_flags(row, mailbox, bulk.wishes.get("flags", {})))
        elif bulk.kind == Bulk.Kind.TAG:
            found.append(_of_tags(row, mailbox, bulk.wishes))
        elif bulk.kind == Bulk.Kind.RESET:
            effects = ["gets a new password"]
            count = passwords.get(row.address, 0)
            if count and bulk.wishes.get("revoke_app_passwords", True):
                noun = "app password is" if count == 1 else "app passwords are"
                effects.append(f"{count} {noun} revoked")
            found.append(RowView(row, effects))
        else:
            found.append(RowView(row))
    return found


def _of_line(row: BulkRow) -> Iterator[str]:
    if row.verdict == BulkRow.Verdict.CHANGED:
        for label, before, after in row.wishes.get("changes", []):
            if before:
                yield f"{label}: {before} becomes {after}"
            else:
                yield f"{label}: {after}"
        return
    given = row.wishes.get("is_given")
    yield "password from the file" if given else "password is made"
    for kind in ("email", "phone"):
        if target := row.wishes.get(f"recovery_{kind}"):
            yield f"recovery by {target}"
    for name in ("reset_allowed", "search_indexing"):
        if row.wishes.get(name) is False:
            yield f"{DETAIL_NAMES[name]} off"
    if tags := row.wishes.get("tags"):
        yield f"tagged {' and '.join(tags)}"


def _of_flags(row: BulkRow, mailbox: Mailbox, flags: dict[str, bool]) -> RowView:
    effects = []
    for name, words in DETAIL_NAMES.items():
        if name == "spam_filtering":
            continue
        before = _on_off(getattr(mailbox, name))
        if name not in flags:
            if not flags:
                effects.append(f"{words} {before}")
            continue
        after = _on_off(flags[name])
        is_same = before == after
        effects.append(
            f"{words} {after} already"
            if is_same
            else f"{words}: {before} becomes {after}"
        )
    is_locked_out = (
        flags.get("two_factor") and mailbox.details_at and not mailbox.recovery_methods
    )
    return RowView(
        row, [] if is_locked_out else effects, REFUSED if is_locked_out else ""
    )


def _of_tags(row: BulkRow, mailbox: Mailbox, wishes: dict[str, Any]) -> RowView:
    unwanted = set(wishes.get("remove", []))
    kept = [tag for tag in mailbox.tags if tag not in unwanted]
    tags = distinct([*kept, *wishes.get("add", [])])
    before = f"tags: {', '.join(mailbox.tags) or 'none'}"
    if tags == mailbox.tags:
        is_wanted = wishes.get("add") or unwanted
        return RowView(row, [f"{before} already" if is_wanted else before])
    if len(tags) > len(mailbox.tags) and (objection := object_to_tags(tags)):
        return RowView(row, [], f"Fails: {objection}")
    return RowView(row, [f"{before} becomes {', '.join(tags) or 'none'}"])


def _app_passwords(addresses: list[str]) -> dict[str, int]:
    found = AppPassword.objects.of_people().filter(address__in=addresses)
    return dict(found.order_by().values_list("address").annotate(Count("pk")))


def _on_off(value: bool | None) -> str:  # noqa: FBT001  # what is said about
    return UNKNOWN if value is None else "on" if value else "off"
