"""Several questions in one statement: fewer ways to the database, and all of one moment."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection
from django.db.models import QuerySet

PART = "(SELECT json_agg(row_to_json(part)) FROM ({}) AS part)::text"


def read_together(*questions: QuerySet[Any, Any]) -> list[list[list[Any]]]:
    """Return the rows of each of several `values_list`, as JSON would hold them."""
    parts: list[str] = []
    params: list[Any] = []
    for question in questions:
        sql, its_params = question.query.sql_with_params()
        parts.append(PART.format(sql))
        params += its_params
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        found = cursor.fetchone()
    return [
        [list(row.values()) for row in json.loads(rows)] if rows else []
        for rows in found
    ]
