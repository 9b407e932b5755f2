from __future__ import annotations

from dataclasses import dataclass

from purelymanage.audit.models import Entry, Viewer

SHOWN = 10


@dataclass(frozen=True, slots=True)
class History:
    """What happened to one thing, for `audit/_history.html`."""

    target: str
    entries: list[Entry]
    is_longer: bool


def history_of(target: str, viewer: Viewer) -> History | None:
    """Return the newest entries about `target`, or None for whom they are not."""
    if not viewer.may("see_audit"):
        return None
    about = Entry.objects.visible_to(viewer).filter(target=target)
    entries = list(about.order_by("-sequence")[: SHOWN + 1])
    return History(target, entries[:SHOWN], is_longer=len(entries) > SHOWN)
