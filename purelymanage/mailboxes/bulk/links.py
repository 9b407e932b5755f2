"""The sheet of one-time links that comes out of a bulk change."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from purelymanage.accounts.models import User
from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.errors import Refused
from purelymanage.mailboxes.bulk.deciding import NOT_ALLOWED
from purelymanage.mailboxes.bulk.wording import domain_of, may_carry_out
from purelymanage.mailboxes.models import Bulk, HandOver
from purelymanage.mailboxes.operations.hand_overs import link_of
from purelymanage.sheets.writing import as_csv

HEADER = ("address", "link", "works until", "state")
NONE_OPEN = "No link is open any more: each was viewed, withdrawn or has expired."


@transaction.atomic(durable=True)
def take_links(*, bulk: Bulk, actor: User) -> Iterator[str]:
    """Return the sheet line by line, once it is written down who took it.

    It has links and no passwords. A link that shows nothing any more is left empty.
    """
    if not may_carry_out(actor, bulk):
        raise Refused(NOT_ALLOWED)
    is_mine = HandOver.objects.visible_to(actor).open()
    count = is_mine.filter(pk__in=bulk.rows.values("hand_over")).count()
    if not count:
        raise Refused(NONE_OPEN)
    log.record(
        Event.BULK_LINKS_TAKEN,
        actor=actor,
        target=bulk.name,
        domain=domain_of(bulk),
        links="1 link" if count == 1 else f"{count} links",
    )
    return as_csv(HEADER, _lines(bulk, actor))


def _lines(bulk: Bulk, actor: User) -> Iterator[tuple[str, str, str, str]]:
    made = HandOver.objects.visible_to(actor).filter(
        pk__in=bulk.rows.values("hand_over")
    )
    found = made.select_related("mailbox").order_by("mailbox__address")
    for hand_over in found.iterator(chunk_size=500):
        until = timezone.localtime(hand_over.expires_at)
        yield (
            hand_over.mailbox.address,
            link_of(hand_over),
            f"{until:%Y-%m-%d %H:%M}",
            _state(hand_over),
        )


def _state(hand_over: HandOver) -> str:
    if hand_over.viewed_at:
        return "viewed"
    if hand_over.withdrawn_at:
        return "withdrawn"
    return "open" if hand_over.is_open else "expired"
