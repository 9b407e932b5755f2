"""Seals with the first key what older keys have sealed, while the panel runs.

Each row is looked at under its lock, and one that somebody else holds is left for the
next pass: nobody waits for us, and no change of somebody else is lost. What is done is
recognised by its key, so that whoever was killed begins again where they were.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from purelymanage import crypto, sealed
from purelymanage.audit import log
from purelymanage.audit.actors import Actor
from purelymanage.audit.key_events import KeyEvent
from purelymanage.environment import APPLICATION
from purelymanage.sealed import Sealed

PER_BATCH = 100
PASSES = 20
PAUSE = 0.25  # seconds for whoever holds a row


@dataclass
class Outcome:
    """What became of one column."""

    resealed: int = 0
    # By primary key: texts that no key we have opens at their place; left alone.
    broken: set[Any] = field(default_factory=set)
    busy: int = 0


def reseal(column: Sealed, *, actor: Actor) -> Outcome:
    """Seal everything in a column with the first key."""
    outcome = Outcome()
    for number in range(PASSES):
        if number:
            time.sleep(PAUSE)
        outcome.busy = 0
        for pks in _batches(column, outcome.broken):
            _reseal_batch(column, pks, outcome, actor)
        if not outcome.busy:
            break
    return outcome


def status() -> dict[Sealed, Counter[str | None]]:
    """Count the sealed texts of each column by the id of their key."""
    return sealed.count_keys()


def processes() -> list[list[str]]:
    """Return the ids of the keys of each process that is connected, but for this one.

    The first of them is the one that it seals with.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND starts_with(application_name, %s)",
            [APPLICATION],
        )
        return [
            name.removeprefix(APPLICATION).split(",") for (name,) in cursor.fetchall()
        ]


def _batches(column: Sealed, without: set[Any]) -> Iterator[list[Any]]:
    last = 0
    while True:
        rows = column.not_sealed_with(crypto.key_ids()[0]).filter(pk__gt=last)
        pks = list(rows.values_list("pk", flat=True)[:PER_BATCH])
        if not pks:
            return
        last = pks[-1]
        yield [pk for pk in pks if pk not in without]


@transaction.atomic(durable=True)
def _reseal_batch(
    column: Sealed, pks: list[Any], outcome: Outcome, actor: Actor
) -> None:
    resealed = 0
    rows = column.filled().select_for_update(skip_locked=True, no_key=True)
    for pk in pks:
        # One by one, as a sheet may be large.
        row = rows.filter(pk=pk).first()
        if row is None:
            outcome.busy += column.filled().filter(pk=pk).exists()
            continue
        old = sealed.texts_in(column, row)
        try:
            value = column.with_changed(row, _sealed_anew)
        except (crypto.Unreadable, crypto.MissingKey):
            outcome.broken.add(pk)
            continue
        changed = sum(crypto.key_of(text) != crypto.key_ids()[0] for text in old)
        if changed:
            column.model._base_manager.filter(pk=pk).update(**{column.column: value})
            resealed += changed
    if resealed:
        log.record(
            KeyEvent.SECRETS_RESEALED,
            actor=actor,
            target=column.label,
            count=str(resealed),
            id=crypto.key_ids()[0],
        )
    outcome.resealed += resealed


def _sealed_anew(text: str, place: str) -> str:
    if crypto.key_of(text) == crypto.key_ids()[0]:
        return text
    return crypto.seal(crypto.unseal(text, bound_to=place), bound_to=place)
