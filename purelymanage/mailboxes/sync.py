"""The part of the mirror that holds the mailboxes."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.actors import actor_of
from purelymanage.audit.events import Event
from purelymanage.deletions.models import Kind
from purelymanage.deletions.pending import is_being_deleted
from purelymanage.domains.sync import Part, Reading, expect_some
from purelymanage.mailboxes.models import Change, Creation, Mailbox
from purelymanage.mailboxes.operations.creating import begin_anew

LIST_CAP = 1_000
NOT_THERE = "PurelyMail did not create it."
TOO_LONG = "PurelyMail's list is too long to tell whether it is there."
CAPPED = " (PurelyMail lists no more, so none is taken for gone)"


def apply(found: list[str], reading: Reading) -> str:
    listed = set(found)
    is_capped = len(found) >= LIST_CAP
    # The open requests first: who settles one now has written the mailbox, too.
    asked = list(Creation.objects.asked().select_related("requested_by"))
    known = {
        address: (pk, gone_at, first_seen_at)
        for pk, address, gone_at, first_seen_at in Mailbox.objects.values_list(
            "pk", "address", "gone_at", "first_seen_at"
        )
    }
    # Read after the mailboxes: a rename that is settled by now is among them.
    between = _between_names(reading)
    listed -= between
    present = {
        address for address, (_, gone_at, _) in known.items() if not gone_at
    } - between

    new = listed - known.keys()
    back = {
        address
        for address in listed & (known.keys() - present)
        if _was_before(known[address][1], reading)
    }
    gone = {
        address
        for address in present - listed
        if not is_capped and known[address][2] < reading.began_at
    }
    rows = [Mailbox(address=it, domain=it.rpartition("@")[2]) for it in sorted(new)]
    Mailbox.objects.bulk_create(rows, ignore_conflicts=True)
    Mailbox.objects.filter(pk__in=[known[it][0] for it in back]).update(
        gone_at=None, details_at=None
    )
    Mailbox.objects.filter(pk__in=[known[it][0] for it in gone]).update(
        gone_at=timezone.now()
    )

    ours = {creation.address for creation in asked}
    for address in sorted((new | back) - ours):
        reading.report(Event.MAILBOX_APPEARED, address)
    is_ours = is_being_deleted(Kind.MAILBOX)
    for address in sorted(gone):
        if is_ours(address, address.rpartition("@")[2]):
            continue
        reading.report(Event.MAILBOX_VANISHED, address)
    for creation in asked:
        if creation.address in listed:
            _settle(creation, reading)
        elif reading.began_at - creation.requested_at > Creation.GIVEN_UP_AFTER:
            _settle(creation, reading, reason=TOO_LONG if is_capped else NOT_THERE)

    count = f"{len(listed)} mailbox{'' if len(listed) == 1 else 'es'}"
    return count + (CAPPED if is_capped else "")


def _between_names(reading: Reading) -> set[str]:
    """Return the names that mailboxes had or got while the account was read.

    The rename itself writes what is true, and the next sync looks again.
    """
    renames = Change.objects.filter(kind=Change.Kind.RENAME).filter(
        Q(state=Change.State.ASKED) | Q(settled_at__gte=reading.began_at)
    )
    wanted = renames.values_list("wanted", flat=True)
    return {address for it in wanted for address in (it["old"], it["new"])}


def _was_before(moment: datetime | None, reading: Reading) -> bool:
    return moment is not None and moment < reading.began_at


def _settle(creation: Creation, reading: Reading, *, reason: str = "") -> None:
    """Tell what became of a request whose process died or got no answer."""
    if not Creation.objects.settle(creation, reason=reason):
        return
    actor, address = actor_of(creation), creation.address
    if reason:
        entry = log.note(
            Event.MAILBOX_CREATION_FAILED, actor=actor, target=address, reason=reason
        )
    else:
        reading.found.extend(begin_anew(creation))
        entry = log.note(Event.MAILBOX_CREATED, actor=actor, target=address)
    reading.found.append(entry)


PART = Part(
    name="mailboxes",
    fetch=lambda client: client.list_users(),
    check=lambda found: expect_some(found, Mailbox.objects.present(), "mailboxes"),
    apply=apply,
)
