"""Letting marks that were set at the source since the last copy follow.

Nothing is taken away: what the destination has more may be its owner's doing.
"""

from __future__ import annotations

from collections import defaultdict

from purelymanage.imap.connection import Connection
from purelymanage.imap.messages import enter, uid_set
from purelymanage.migrations.engines.base import in_messages

from .flagging import Flags, difference, store
from .listing import Mark
from .matching import find_pairs
from .reading import UIDS_AT_ONCE
from .tally import Tally
from .work import Target


async def follow_flags(
    destination: Connection, targets: list[Target], tally: Tally
) -> None:
    """Add to messages that were there already what they have got at the source."""
    for target in targets:
        wanted = _wanted(target)
        if wanted:
            tally.detail = f"bringing marks of {target.name} up to date"
            await _add(destination, target, wanted, tally)


def _wanted(target: Target) -> dict[Flags, list[int]]:
    """Return the messages of the destination by the flags they lack."""
    wanted: dict[Flags, list[int]] = defaultdict(list)
    there = target.listing
    parts = [job.listing for job in target.open_jobs() if job.listing is not None]
    if there is None or not any(Mark.PRESENT in part.marks for part in parts):
        return wanted
    have = there.flags()
    for part, pairs in zip(parts, find_pairs(parts, there), strict=True):
        want = part.flags()
        for row, match in pairs:
            if part.marks[row] == Mark.PRESENT and want[row] != have[match]:
                permanent = target.permanent_flags
                add, _ = difference(want[row], have[match], permanent)
                if add:
                    wanted[add].append(there.uids[match])
    return wanted


async def _add(
    destination: Connection,
    target: Target,
    wanted: dict[Flags, list[int]],
    tally: Tally,
) -> None:
    entering = await enter(destination, target.wire, writable=True)
    status = await entering.answer
    there = target.listing
    if not status.ok or there is None:
        return
    if entering.selected.uid_validity != there.uid_validity:
        # Replaced since it was read; the next copy will see to it.
        return
    changed = 0
    for flags, uids in wanted.items():
        uids.sort()
        for start in range(0, len(uids), UIDS_AT_ONCE):
            some = uids[start : start + UIDS_AT_ONCE]
            status = await store(destination, uid_set(some), flags, add=True)
            if status.ok:
                changed += len(some)
                continue
            # A mark is no reason to call a copy incomplete.
            tally.note(f"{target.name}: the destination refused marks: {status.text}")
    if changed:
        tally.note(f"{target.name}: marks of {in_messages(changed)} brought up to date")
