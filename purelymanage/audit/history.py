from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from purelymanage.audit.models import Entry, Viewer

SHOWN = 10


@dataclass(frozen=True, slots=True)
class History:
    """What happened to one thing, for `audit/_history.html`."""

    target: str
    entries: list[Entry]
    is_longer: bool


def history_of(
    target: str, viewer: Viewer, former: Iterable[tuple[str, datetime]] = ()
) -> History | None:
    """Return the newest entries about `target`, or None for whom they are not.

    With what it was called before, and until when: others may have those names now.
    """
    if not viewer.may("see_audit"):
        return None
    named = Q(target=target)
    for name, until in former:
        named |= Q(target=name, recorded_at__lte=until)
    about = Entry.objects.visible_to(viewer).filter(named)
    entries = list(about.order_by("-sequence")[: SHOWN + 1])
    return History(target, entries[:SHOWN], is_longer=len(entries) > SHOWN)
