"""Questions that are put into SQL once.

What each page or a page that lives asks for takes the database a fraction of a
millisecond to answer, and several to be put into words. The words stay the same, and
only the values differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any, Generic, NoReturn, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Aggregate, Expression, QuerySet

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


class Prepared(Generic[Row]):
    """A queryset that is asked again and again.

    Whatever is not a slot is part of it, whom it is visible to as well: there must be
    one for each answer that differs by it.
    """

    def __init__(self, question: QuerySet[Any, Row]) -> None:
        self._question = question
        self._compiler = question.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, self._params = self._compiler.as_sql()

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


class PreparedSums:
    """What `aggregate` returns of a queryset with slots that is asked again and again.

    Sums are as the database counts them: decimal, where it takes them for that.
    """

    def __init__(self, question: QuerySet[Any, Any], **sums: Aggregate) -> None:
        self._names = list(sums)
        connection = connections[DEFAULT_DB_ALIAS]
        # What is kept back is no question that anybody should count.
        logged, connection.force_debug_cursor = connection.force_debug_cursor, False
        try:
            with connection.execute_wrapper(_keep_back):
                question.aggregate(**sums)
        except _KeptBack as exc:
            self._sql, self._params = exc.args
        finally:
            connection.force_debug_cursor = logged

    def ask(self, **values: Any) -> dict[str, Any]:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(self._sql, fill(self._params, values))
            return dict(zip(self._names, cursor.fetchone(), strict=True))


class _KeptBack(Exception):
    """A statement in words, with its parameters, instead of its answer."""


def _keep_back(execute: Any, sql: str, params: Any, *others: Any) -> NoReturn:
    raise _KeptBack(sql, params)
