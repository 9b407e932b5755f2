"""What holds for every page: no calls, and no more queries for more rows."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from purelymanage.accounts.permissions import Role
from purelymanage.migrations.models import RunFolder
from purelymanage.purelymail.client import get_client
from tests.account import add_deletion, add_job, add_server, fill_account
from tests.cast import CastTestCase
from tests.routes import ROUTES
from tests.sandbox import SandboxTestCase

PAGES = [name for name in ROUTES if not name.startswith("account_")]
LISTS = [
    "dashboard",
    "deletions:deletion-list",
    "running-copies",
    "entry-list",
    "domains:domain-list",
    "mailboxes:mailbox-list",
    "routing:rule-list",
    "migrations:job-list",
    "migrations:server-list",
    "migrations:create-job",
    "migrations:job-detail",
]


class NoCallTests(SandboxTestCase):
    @pytest.mark.slow
    def test_drawing_a_page_never_calls_purelymail(self) -> None:
        fill_account()
        add_job(add_server(self.olga, pk=1), pk=1)
        add_deletion(self.olga, pk=1)
        self.client.force_login(self.olga)
        for name in PAGES:
            self.client.get(ROUTES[name].path)
            with self.subTest(name=name):
                self.assertEqual(self.sandbox.calls.names, [])

    def test_the_count_would_notice_a_call(self) -> None:
        get_client().list_users()
        self.assertEqual(self.sandbox.calls.names, ["listUser"])


class QueryCountTests(CastTestCase):
    def queries(self, name: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            r = self.client.get(ROUTES[name].path)
        self.assertEqual(r.status_code, 200, name)
        return len(queries)

    def measure(self) -> dict[str, int]:
        return {name: self.queries(name) for name in LISTS}

    @pytest.mark.slow
    def test_more_rows_take_no_more_queries(self) -> None:
        server = add_server(self.olga, pk=1)
        job = add_job(server, pk=1, rows=10)
        fill_account(rows=10)
        add_deletion(self.olga)
        self.client.force_login(self.olga)
        self.measure()  # what is looked up only once is looked up now
        few = self.measure()

        fill_account(rows=1000, domain="big.example")
        for number in range(2, 200):
            add_job(server, number=number, pk=number, rows=1)
        for number in range(90):  # more than a page are counted besides
            add_deletion(self.olga, f"box{number}@big.example")
        RunFolder.objects.bulk_create(
            RunFolder(run=job.runs.get(), position=position, source=f"F{position}")
            for position in range(10, 200)
        )
        self.measure()  # warnings about rules are found anew after a change
        self.assertEqual(self.measure(), few)
        self.assertLess(max(few.values()), 30)


class RoleTests(CastTestCase):
    @pytest.mark.slow
    def test_every_role_has_a_front_page(self) -> None:
        fill_account()
        for user in (self.olga, self.adam, self.lina, self.hedy, self.audrey):
            cache.clear()
            self.client.force_login(user)
            r = self.client.get("/")
            with self.subTest(role=Role(user.role).label):
                self.assertContains(r, user.email)
