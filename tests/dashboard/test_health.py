from __future__ import annotations

import json
from typing import Any
from unittest import mock

from django.core.cache import cache
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import TestCase
from django.utils import timezone

from purelymanage.broker import CLUSTERS
from purelymanage.dashboard import health
from purelymanage.domains.models import SyncRun


class HealthTests(TestCase):
    def setUp(self) -> None:
        cache.clear()
        for name in CLUSTERS:
            cache.set(f"pulse:{name}", "asks for work", 30)

    def ask(self, status: int) -> dict[str, Any]:
        r = self.client.get("/healthz")
        self.assertEqual(r.status_code, status)
        self.assertIn("no-store", r["Cache-Control"])
        answer: dict[str, Any] = json.loads(r.content)
        return answer

    def test_strangers_may_ask(self) -> None:
        SyncRun.objects.create(state="done", finished_at=timezone.now())
        self.assertEqual(
            self.ask(200),
            {
                "database": True,
                "migrated": True,
                "clusters": {"default": True, "migrations": True},
                "sync": {"seconds_ago": 0, "running": False, "failed": False},
                "ok": True,
            },
        )

    def test_a_silent_cluster_is_not_healthy(self) -> None:
        cache.delete("pulse:migrations")
        answer = self.ask(503)
        self.assertEqual(answer["clusters"], {"default": True, "migrations": False})

    def test_it_does_not_wait_for_the_first_sync(self) -> None:
        self.assertIsNone(self.ask(200)["sync"]["seconds_ago"])

    def test_reasons_stay_inside(self) -> None:
        SyncRun.objects.create(
            state="failed", finished_at=timezone.now(), reason="The token is wrong."
        )
        self.assertNotIn("token", json.dumps(self.ask(200)))

    def test_migrations_are_looked_up_once(self) -> None:
        self.ask(200)
        with self.assertNumQueries(3):
            self.ask(200)

    def test_without_a_database_it_answers_all_the_same(self) -> None:
        # The database driver is not ours, and stopping the server would stop the tests.
        with mock.patch.object(connection, "cursor", side_effect=OperationalError):
            self.assertEqual(
                self.ask(503), {"database": False, "migrated": False, "ok": False}
            )

    def test_missing_migrations_are_told(self) -> None:
        with (
            mock.patch.object(health, "_is_migrated", new=False),
            mock.patch.object(
                MigrationExecutor, "migration_plan", return_value=["one"]
            ),
        ):
            self.assertFalse(self.ask(503)["migrated"])
