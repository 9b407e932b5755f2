"""Walks along the chain and names the first entry that is not as it was written."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from purelymanage.audit import chain

PER_FETCH = 2_000
# Numbers begin at 1; what somebody put below must be seen all the same.
BEFORE_ALL = -(2**63)
# Straight from the table: a million model instances would take minutes. Times become
# microseconds and JSON stays text until it is needed.
ROWS = """
    SELECT sequence, (extract(epoch FROM recorded_at) * 1000000)::bigint, event,
           actor_id, actor_name, actor_role, target, domain, details, diff,
           host(address), request_id, previous_hmac, hmac
    FROM audit_entry WHERE sequence > %s ORDER BY sequence
"""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the chain: how many entries there are up to it, and the last HMAC."""

    sequence: int = 0
    hmac: str = ""

    @property
    def in_words(self) -> str:
        if self.sequence == 1:
            return "1 entry is as it was written"
        return f"{self.sequence} entries are as they were written"


@dataclass(slots=True)
class Walk:
    """How far a walk has come, and what it found broken."""

    position: Position = field(default_factory=Position)
    problem: str = ""
    is_finished: bool = False


def walk(
    *,
    known: Iterable[Position] = (),
    since: Position | None = None,
    seconds: float | None = None,
) -> Walk:
    """Verify the entries after `since`, for about `seconds` if that is given.

    `known` are places noted earlier: the chain must still pass through them. Memory
    stays the same however long it is.
    """
    start = since or Position()
    expected = {it.sequence: it.hmac for it in known if it.sequence > start.sequence}
    deadline = None if seconds is None else time.monotonic() + seconds
    seals = Seals()
    if start.sequence:
        seals.begin_after(start.sequence)
    last, previous = start.sequence, start.hmac
    with _rows(start.sequence or BEFORE_ALL) as batches:
        for batch in batches:
            for row in batch:
                problem = _problem(row, last, previous, expected, seals)
                if problem:
                    return Walk(Position(last, previous), problem, is_finished=True)
                last, previous = row[0], row[13]
            if deadline is not None and time.monotonic() > deadline:
                return Walk(Position(last, previous))

    missing = max(expected, default=0)
    problem = ""
    if missing > last:
        problem = (
            f"Entry {last + 1} is missing: the chain ends after {last} entries, and "
            f"there were {missing}."
        )
    return Walk(Position(last, previous), problem, is_finished=True)


@contextmanager
def _rows(after: int) -> Iterator[Iterator[list[tuple[Any, ...]]]]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(ROWS, [after])
        yield iter(lambda: cursor.fetchmany(PER_FETCH), [])


def _problem(
    row: tuple[Any, ...],
    last: int,
    previous: str,
    expected: Mapping[int, str],
    seals: Seals,
) -> str:
    sequence = row[0]
    if sequence <= last:
        return f"Entry {sequence} ({row[2]} {row[6]}) was never part of the chain."
    if sequence != last + 1:
        return f"Entry {last + 1} is missing."
    if row[12] != previous or not seals.fit(row):
        return f"Entry {sequence} ({row[2]} {row[6]}) is not as it was written."
    if sequence in expected and expected[sequence] != row[13]:
        return f"Entry {sequence} ({row[2]} {row[6]}) is not the one noted earlier."
    return ""


class Seals:
    """Knows the keys of the chain, and does not believe an old one for long.

    Whoever has got hold of a key that was replaced must not be able to go on with it.
    """

    # Until the last process that has the old key was started anew.
    GRACE = 3_600_000_000  # microseconds

    def __init__(self) -> None:
        self._keys = chain.known_keys()
        self._last = 0
        self._newest = 0
        self._newest_since = 0

    def begin_after(self, sequence: int) -> None:
        """Take up where an earlier walk has ended."""
        with connection.cursor() as cursor:
            cursor.execute(f"{ROWS} LIMIT 1", [sequence - 1])
            if row := cursor.fetchone():
                self.fit(row)

    def fit(self, row: tuple[Any, ...]) -> bool:
        """Whether a key that was good at that time has sealed this entry."""
        content = (*row[:8], _json(row[8]), _json(row[9]), _address(row[10]), row[11])
        # Nearly always it is the same as before.
        for number in sorted(range(len(self._keys)), key=lambda it: it != self._last):
            if chain.seal(content, row[12], key=self._keys[number]) == row[13]:
                break
        else:
            return False
        if number < self._newest:
            return bool(row[1] <= self._newest_since + self.GRACE)
        if number > self._newest:
            self._newest, self._newest_since = number, row[1]
        self._last = number
        return True


def _json(text: str) -> Any:
    return {} if text == "{}" else json.loads(text)


def _address(text: str | None) -> str | None:
    return chain.plain_address(text) if text and ":" in text else text
