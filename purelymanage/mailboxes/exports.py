"""The list as a table for a spreadsheet, read in steps so that its length costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.models.mailboxes import MailboxQuerySet
from purelymanage.sheets import writing

PER_STEP = 2_000
# Those that an import knows, too, are called as it calls them.
HEADER = (
    "Address",
    "Domain",
    "Two-factor",
    "Reset allowed",
    "Search indexing",
    "Spam filtering",
    "Kinds of recovery",
    "Tags",
    "Note",
    "Known since",
    "Details read",
    "Suspended since",
    "Deletion",
    "Deleted on",
    "Gone since",
)
# Unknown is not the same as no.
FLAG = {True: "yes", False: "no", None: ""}


def as_csv(mailboxes: MailboxQuerySet) -> Iterator[str]:
    return writing.as_csv(HEADER, map(_cells, _steps(mailboxes)))


def _steps(mailboxes: MailboxQuerySet) -> Iterator[Mailbox]:
    """Walk through the addresses; nothing stays open in between."""
    ordered = mailboxes.with_deletion().order_by("address")
    last = ""
    while step := list(ordered.filter(address__gt=last)[:PER_STEP]):
        yield from step
        last = step[-1].address


def _cells(mailbox: Mailbox) -> list[object]:
    is_known = mailbox.details_at is not None
    kinds = sorted({str(it.get("type")) for it in mailbox.recovery_methods})
    return [
        mailbox.address,
        mailbox.domain,
        FLAG[mailbox.two_factor],
        FLAG[mailbox.reset_allowed],
        FLAG[mailbox.search_indexing],
        FLAG[mailbox.spam_filtering],
        (", ".join(kinds) or "none") if is_known else "",
        ", ".join(mailbox.tags),
        mailbox.note,
        _moment(mailbox.first_seen_at),
        _moment(mailbox.details_at),
        _moment(mailbox.suspended_at),
        getattr(mailbox, "deletion_state", None) or "",
        _moment(getattr(mailbox, "delete_after", None)),
        _moment(mailbox.gone_at),
    ]


def _moment(value: datetime | None) -> str:
    """Write a time as spreadsheets sort it, in the time zone of the panel."""
    return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""
