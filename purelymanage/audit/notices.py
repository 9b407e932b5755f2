"""Makes notices of new entries, and mails them.

Entries are followed by their place in the chain: they get it in the order in which
their transactions end, so none can turn up behind the cursor.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from purelymanage.audit.kinds import KIND_OF, KINDS, NOT_MAILED, interests, kinds_for
from purelymanage.audit.links import page_of
from purelymanage.audit.mail import queue_mail
from purelymanage.audit.models import (
    By,
    Entry,
    Notice,
    NoticeCursor,
    NotificationChoice,
)

if TYPE_CHECKING:
    from purelymanage.audit.viewer import Person

PER_STEP = 1_000
BURST = 5  # mails of one kind within the pause; more of it waits and comes as one
PAUSE = timedelta(minutes=10)
KEPT = timedelta(days=90)
IN_DIGEST = 100


def make_notices() -> int:
    """Tell everybody of the entries since last time; return how many notices."""
    made = 0
    while (step := _make_step()) is not None:
        made += step
    return made


@transaction.atomic(durable=True)
def _make_step() -> int | None:
    NoticeCursor.objects.bulk_create([NoticeCursor(pk=1)], ignore_conflicts=True)
    cursor = NoticeCursor.objects.select_for_update(skip_locked=True).first()
    if cursor is None:
        return None  # another worker is at it
    entries = list(
        Entry.objects.filter(sequence__gt=cursor.sequence).order_by("sequence")[
            :PER_STEP
        ]
    )
    if not entries:
        return None
    interesting = [entry for entry in entries if entry.event in KIND_OF]
    notices = _notices(interesting) if interesting else []
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    cursor.sequence = entries[-1].sequence
    cursor.save(update_fields=["sequence"])
    return len(notices)


def _notices(entries: list[Entry]) -> list[Notice]:
    people = cast("list[Person]", list(get_user_model().objects.filter(is_active=True)))
    chosen = {
        (choice.person_id, choice.kind): By(choice.by)
        for choice in NotificationChoice.objects.all()
    }
    found = []
    for entry in entries:
        kind = KIND_OF[entry.event]
        for person in people:
            by = chosen.get((person.pk, kind.code), kind.usual)
            if by == By.NONE or not interests(entry, kind, person):
                continue
            found.append(
                Notice(
                    person_id=person.pk,
                    entry=entry,
                    kind=kind.code,
                    by_mail=by == By.MAIL and entry.event not in NOT_MAILED,
                )
            )
    return found


def mail_notices() -> int:
    """Mail what has not been mailed yet: one by one, or a burst as one digest."""
    now = timezone.now()
    pairs = Notice.objects.to_mail().values_list("person_id", "kind").distinct()
    return sum(_mail(person_id, kind, now) for person_id, kind in pairs.order_by())


@transaction.atomic(durable=True)
def _mail(person_id: int, kind: str, now: datetime) -> int:
    waiting = list(
        Notice.objects.to_mail()
        .filter(person_id=person_id, kind=kind)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("entry", "person")
        .order_by("entry__sequence")
    )
    if not waiting:
        return 0
    person = cast("Person", waiting[0].person)
    if not person.is_active or kind not in KINDS or not person.may(KINDS[kind].right):
        _mark_mailed(waiting, now)  # no longer for these eyes
        return 0
    lately = Notice.objects.filter(person_id=person_id, kind=kind)
    recent = lately.mailed_since(now - PAUSE).count()
    if recent + len(waiting) <= BURST:
        for notice in waiting:
            _write(person, kind, [notice])
        sent = len(waiting)
    elif recent and not _have_waited(waiting, now):
        return 0
    else:
        _write(person, kind, waiting)
        sent = 1
    _mark_mailed(waiting, now)
    return sent


def _have_waited(notices: Iterable[Notice], now: datetime) -> bool:
    return min(notice.created_at for notice in notices) <= now - PAUSE


def _mark_mailed(notices: Iterable[Notice], now: datetime) -> None:
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(
        mailed_at=now
    )


def _write(person: Person, kind: str, notices: list[Notice]) -> None:
    first = notices[0].entry
    context = {
        "kind": KINDS[kind],
        "entries": [
            (notice.entry, page_of(notice.entry)) for notice in notices[:IN_DIGEST]
        ],
        "first": first,
        "others": max(0, len(notices) - IN_DIGEST),
        "base_url": settings.BASE_URL,
        "sees_audit": person.may("see_audit"),
    }
    subject = f"{KINDS[kind].name}: {len(notices)} events"
    queue_mail(
        to=person.email,
        subject=str(first) if len(notices) == 1 else subject,
        text=render_to_string("emails/notices.txt", context),
        html=render_to_string("emails/notices.html", context),
    )


def forget_old() -> None:
    old = Notice.objects.filter(created_at__lt=timezone.now() - KEPT)
    old.exclude(by_mail=True, mailed_at=None).delete()


def choices_of(person: Person) -> dict[str, By]:
    """Return how a person hears of each kind they may hear of."""
    chosen = dict(
        NotificationChoice.objects.filter(person_id=person.pk).values_list("kind", "by")
    )
    return {
        kind.code: By(chosen.get(kind.code, kind.usual)) for kind in kinds_for(person)
    }
