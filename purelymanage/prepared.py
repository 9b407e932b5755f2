"""Questions that are put into SQL once.

What each page or a page that lives asks for takes the database a fraction of a
millisecond to answer, and several to be put into words. The words stay the same, and
only the values differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, QuerySet

Row = TypeVar("Row")


class Slot(Expression):
    """Stands in a queryset for a value that is known when the question is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Slot]]:  # type: ignore[override]  # filled in before anything is sent
        return "%s", [self]


def fill(params: Iterable[Any], values: dict[str, Any]) -> list[Any]:
    """Put `values` in the place of the slots among the parameters of a statement."""
    return [values[it.name] if isinstance(it, Slot) else it for it in params]


def key_slots(most: int) -> list[Any]:
    """Return slots for the keys of the rows of a page."""
    return [Slot(f"key{number}") for number in range(most)]


def for_keys(keys: Sequence[int], most: int) -> dict[str, int]:
    """Return what fills as many `key_slots`; no row has the key 0."""
    assert len(keys) <= most
    found = [*keys, *[0] * (most - len(keys))]
    return {f"key{number}": key for number, key in enumerate(found)}


class KeptRows:
    """Rows that the database finds once, and keeps while it answers a question.

    What is computed for each of them is so once, however often it is asked about.
    """

    def __init__(self, table: str, rows: QuerySet[Any, Any]) -> None:
        sql, self.params = rows.query.sql_with_params()
        self.sql = f'WITH "{table}" AS MATERIALIZED ({sql}) '


class Prepared(Generic[Row]):
    """A queryset that is asked again and again.

    Whatever is not a slot is part of it, whom it is visible to as well: there must be
    one for each answer that differs by it.

    What is asked `over` some kept rows takes them for a table.
    """

    def __init__(
        self, question: QuerySet[Any, Row], over: KeptRows | None = None
    ) -> None:
        self._question = question
        self._compiler = question.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, self._params = self._compiler.as_sql()
        if over is not None:
            self._sql = over.sql + self._sql
            self._params = (*over.params, *self._params)

    def ask(self, **values: Any) -> list[Row]:
        compiler: Any = copy(self._compiler)
        compiler.connection = connections[DEFAULT_DB_ALIAS]
        compiler.as_sql = lambda: (self._sql, fill(self._params, values))
        answer = self._question.all()
        answer.query.get_compiler = lambda *args, **kwargs: compiler  # type: ignore[method-assign]
        # As a list: it would not listen to anything that is added to it.
        return list(answer)

    def first(self, **values: Any) -> Row | None:
        return next(iter(self.ask(**values)), None)
