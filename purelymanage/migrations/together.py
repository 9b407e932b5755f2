"""Several questions in one statement: fewer ways to the database, and all of one moment."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from purelymanage.prepared import KeptRows, fill

PART = "(SELECT json_agg(row_to_json(part)) FROM ({}) AS part)::text"


class Together:
    """Several `values_list`, worded once; see `Slot` for what differs by the asking."""

    def __init__(
        self, *questions: QuerySet[Any, Any], over: KeptRows | None = None
    ) -> None:
        parts: list[str] = []
        self._params: list[Any] = []
        for question in questions:
            sql, its_params = question.query.sql_with_params()
            parts.append(PART.format(sql))
            self._params += its_params
        self._sql = f"SELECT {', '.join(parts)}"
        if over is not None:
            self._sql = over.sql + self._sql
            self._params = [*over.params, *self._params]

    def read(self, **values: Any) -> list[list[list[Any]]]:
        """Return the rows of each, as JSON would hold them."""
        with connection.cursor() as cursor:
            cursor.execute(self._sql, fill(self._params, values))
            found = cursor.fetchone()
        return [
            [list(row.values()) for row in json.loads(rows)] if rows else []
            for rows in found
        ]


def read_together(*questions: QuerySet[Any, Any]) -> list[list[list[Any]]]:
    return Together(*questions).read()
