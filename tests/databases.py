"""One database is migrated for all processes of a run, and each copies it.

To migrate takes seconds of work, to copy what was migrated a fraction of one. It is
emptied by deleting the few rows there are: to make sixty tables anew, with what Django
knows of each model, takes longer than most tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase
from psycopg import sql

# What is written after each migration, by Django and by us.
KEPT = {
    *("django_content_type", "auth_permission", "django_migrations"),
    "django_q_schedule",
}
# The name of the migrated database, as the first process tells those it starts.
TEMPLATE = "TEST_TEMPLATE"
LOCK = 7_301_844  # any number that nobody else takes


def name_template() -> None:
    os.environ.setdefault(TEMPLATE, f"test_template_{os.getpid()}")


def copy_template() -> None:
    """Let the tests of this process have a copy of the template, made if need be."""
    template = os.environ[TEMPLATE]
    with _elsewhere() as other:
        # It ends with the connection.
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        found = other.execute(
            "SELECT FROM pg_database WHERE datname = %s", [template]
        ).fetchone()
        if found is None:
            try:
                _migrate(template)
            except BaseException:
                drop_template()
                raise
    connection.settings_dict["TEST"] |= {"TEMPLATE": template, "MIGRATE": False}


def drop_template() -> None:
    name = sql.Identifier(os.environ[TEMPLATE])
    # Many tests need no database, and those who run them may have none.
    with suppress(psycopg.OperationalError), _elsewhere() as other:
        other.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))


def empty(_: TransactionTestCase) -> None:
    """Delete what a test has committed."""
    statements = [f'DELETE FROM "{name}"' for name in _tables()]  # noqa: S608
    with transaction.atomic(), connection.cursor() as cursor:
        # References are checked once nothing is left that could have any.
        cursor.execute("; ".join(["SET CONSTRAINTS ALL DEFERRED", *statements]))


@cache
def _tables() -> list[str]:
    names = connection.introspection.django_table_names(include_views=False)
    cached = str(settings.CACHES["default"]["LOCATION"])
    return sorted({*names, cached} - KEPT)


def _migrate(template: str) -> None:
    own, test = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    copy = test["NAME"]
    test["NAME"] = template
    try:
        connection.creation.create_test_db(verbosity=0, serialize=False)
    finally:
        # Only what nobody is connected to can be copied.
        connection.close()
        test["NAME"] = copy
        settings.DATABASES["default"]["NAME"] = own
        connection.settings_dict["NAME"] = own


def _elsewhere() -> psycopg.Connection[tuple[object, ...]]:
    """Connect to the database that every server has."""
    params = connection.get_connection_params() | {"dbname": "postgres"}
    return psycopg.connect(**params, autocommit=True)


@contextmanager
def empty_database() -> Iterator[None]:
    """Let the connection lead to a database without any table for a while."""
    own = connection.settings_dict["NAME"]
    name = f"{own}_empty"
    connection.close()
    with _elsewhere() as other:
        other.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        connection.settings_dict["NAME"] = name
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = own
            other.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
