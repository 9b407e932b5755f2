"""The database of the first release, with a row in each table, brought to this one.

`first_release.sql.gz` is what `pg_dump` wrote of it, and is never made anew.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations import AddField, RemoveField, RenameField, RenameModel
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import DeleteModel
from django.db.models import NOT_PROVIDED
from django.test import TransactionTestCase, override_settings

from purelymanage import crypto, sealed
from purelymanage.accounts.models import User
from purelymanage.audit.verification import walk
from purelymanage.migrations.models import Job, Submission
from purelymanage.migrations.operations.secrets import open_secret
from tests.cast import PASSWORD
from tests.databases import empty_database
from tests.routes import ROUTES

DUMP = Path(__file__).parent / "first_release.sql.gz"
FIRST_RELEASE = {
    ("accounts", "0001_schema"),
    ("audit", "0008_begin_notices"),
    ("dashboard", "0001_credit_readings"),
    ("deletions", "0001_schema"),
    ("domains", "0001_schema"),
    ("mailboxes", "0001_schema"),
    ("migrations", "0001_schema"),
    ("routing", "0001_schema"),
}
# Written anew after each migration.
LISTS = {"django_content_type", "auth_permission", "django_migrations"}
SCHEDULES = "django_q_schedule"
SHOWN = ("list", "detail", "overview", "dashboard", "health")
SCHEMA = """
SELECT 'column', table_name::text, column_name::text, data_type || ' ' || is_nullable
       || ' ' || coalesce(character_maximum_length, 0) || ' '
       || coalesce(column_default, '')
  FROM information_schema.columns WHERE table_schema = 'public'
UNION SELECT 'index', tablename::text, indexname::text, indexdef
  FROM pg_indexes WHERE schemaname = 'public'
UNION SELECT 'constraint', conrelid::regclass::text, conname::text,
             pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""


def schema() -> set[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        return {(*what, _plain(how)) for *what, how in cursor.fetchall()}


def _plain(definition: str) -> str:
    """Leave out casts, which PostgreSQL writes in another place after a dump."""
    return re.sub(r"::(character varying|text)|\[\]|[()]", "", definition)


def counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        found = {}
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608
            (found[table],) = cursor.fetchone()
    return found


@pytest.mark.slow
@override_settings(
    ENCRYPTION_KEYS="1:" + base64.b64encode(bytes(range(32))).decode(),
    AUDIT_KEY="only-for-tests",
)
class UpgradeTests(TransactionTestCase):
    def test_a_panel_of_the_first_release_goes_on_with_all_it_had(self) -> None:
        wanted = schema()
        self.enterContext(empty_database())
        with connection.cursor() as cursor:
            cursor.execute(gzip.decompress(DUMP.read_bytes()).decode())
        connection.close()  # the dump has changed its settings
        before = counts()
        call_command("migrate", verbosity=0)
        with self.subTest("it has the tables of a new panel"):
            self.assertEqual(schema(), wanted)
        with self.subTest("no row is lost"):
            after = counts()
            kept = {name: after[name] for name in before.keys() - LISTS - {SCHEDULES}}
            self.assertEqual(kept, {name: before[name] for name in kept})
            self.assertGreaterEqual(after[SCHEDULES], before[SCHEDULES])
        with self.subTest("each of its tables had a row"):
            ours = {it._meta.db_table for it in apps.get_models() if _is_ours(it)}
            self.assertEqual([it for it in ours & before.keys() if not before[it]], [])
        with self.subTest("the audit log is whole"):
            self.assertEqual((walk().problem, walk().position.sequence), ("", 5))
        with self.subTest("passwords open"):
            self.assertEqual(open_secret(Job.objects.get()), "the owner's password")
            found = [text for it in sealed.columns() for text in _opened(it)]
            self.assertIn("another password", found)
        with self.subTest("what was added on behalf of people is known to be"):
            came = Submission.objects.order_by("pk").values_list("came_by", flat=True)
            self.assertEqual(list(came), ["shared", "added"])
        with self.subTest("people sign in and find their pages"):
            self.assertTrue(
                self.client.login(username="olga@example.org", password=PASSWORD)
            )
            self.assertEqual(User.objects.count(), 4)
            pages = [it for name, it in ROUTES.items() if name.endswith(SHOWN)]
            self.assertGreater(len(pages), 20)
            for route in pages:
                answer = self.client.get(route.path)
                self.assertIn(answer.status_code, {200, 302, 404}, route.path)


def _opened(column: sealed.Sealed) -> Iterator[str]:
    opened: list[str] = []

    def open_it(text: str, place: str) -> str:
        opened.append(crypto.unseal(text, bound_to=place))
        return text

    for row in column.filled():
        column.with_changed(row, open_it)
    yield from opened


def _is_ours(model: type) -> bool:
    return model.__module__.startswith("purelymanage.")


def test_programs_of_the_release_before_go_on_writing_meanwhile() -> None:
    """What they do not know of must fill itself in, and nothing of theirs may go."""
    loader = MigrationLoader(None)
    older = {key for it in FIRST_RELEASE for key in loader.graph.forwards_plan(it)}
    newer = {
        key: it
        for key, it in loader.disk_migrations.items()
        if key not in older and it.__module__.startswith("purelymanage.")
    }
    assert newer
    for (app, name), migration in newer.items():
        for operation in migration.operations:
            assert not _disturbs(operation), f"{app}.{name}: {operation.describe()}"


def _disturbs(operation: Operation) -> bool:
    if isinstance(operation, AddField):
        field = operation.field
        return not (field.null or field.many_to_many) and (
            field.db_default is NOT_PROVIDED
        )
    return isinstance(operation, RemoveField | RenameField | RenameModel | DeleteModel)
