"""How many passwords of one mailbox wait for a worker, and which has to go for another.

Nobody is told that theirs had to go, as that would tell strangers what waits. So whoever
guesses must not get rid of what the owner has entered, not even by the same link.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from purelymanage.migrations.models import Submission

# By the link for everybody: a worker does not try many more in a day.
MOST_SHARED = 10
MOST_OTHERWISE = 3

CameBy, State = Submission.CameBy, Submission.State
Key = tuple[int, str, bool]


class Rooms:
    """One for each mailbox and way: what comes by one takes no place from another."""

    def __init__(self, waiting: Iterable[Submission]) -> None:
        """Begin with what waits already, the oldest first."""
        self._rooms: dict[Key, list[Submission]] = defaultdict(list)
        for submission in waiting:
            self._rooms[_key(submission)].append(submission)

    def put(self, new: Submission) -> Submission | None:
        """Put one more in, and return the one that has to go for it."""
        room = self._rooms[_key(new)]
        is_shared = new.came_by == CameBy.SHARED
        gone = None
        if len(room) >= (MOST_SHARED if is_shared else MOST_OTHERWISE):
            gone = _least_missed(room, new)
        if gone is not None:
            room.remove(gone)
        room.append(new)
        return gone


def _key(submission: Submission) -> Key:
    it = submission
    return it.participant_id, it.came_by, it.is_doubtful


def _least_missed(room: list[Submission], new: Submission) -> Submission | None:
    """Return which one goes; what is being tried this moment stays.

    By a link of one's own the oldest. By the link for everybody one of a place that
    most of them came from, neither of the first nor of the last ones: the owner may
    have come before the guesses or after them.
    """
    waiting = [it for it in room if it.state == State.WAITING]
    if not waiting:
        return None
    if new.came_by != CameBy.SHARED:
        return waiting[0]
    places = Counter(it.client_key for it in (*waiting, new))
    most = max(places[it.client_key] for it in waiting)
    crowded = [it for it in waiting if places[it.client_key] == most]
    return crowded[len(crowded) // 2]
