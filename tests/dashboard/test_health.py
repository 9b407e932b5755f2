from __future__ import annotations

import json
import threading
from typing import Any
from unittest import mock

from django.core.cache import cache
from django.db import OperationalError
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from purelymanage.broker import CLUSTERS
from purelymanage.dashboard import facts, health
from purelymanage.dashboard.asking import InTime, NoAnswer
from purelymanage.dashboard.facts import Database, Vitals
from purelymanage.domains.models import SyncRun


class HealthTests(TestCase):
    def test_it_tells_all_that_strangers_may_know(self) -> None:
        self.addCleanup(cache.clear)
        for name in CLUSTERS:
            cache.set(f"pulse:{name}", "asks for work", 30)
        SyncRun.objects.create(state="done", finished_at=timezone.now())
        SyncRun.objects.create(
            state="failed", finished_at=timezone.now(), reason="The token is wrong."
        )
        told = health.told(facts.vitals())
        self.assertAlmostEqual(told.pop("clock_ahead_seconds"), 0, places=0)
        nothing = {"waiting": 0, "oldest_seconds": None}
        self.assertEqual(
            told,
            {
                "ok": True,
                "problems": [],
                # Reasons stay inside.
                "warnings": ["The account could not be read from PurelyMail."],
                "database": True,
                "migrated": True,
                "clusters": {"default": True, "migrations": True},
                "tasks": {"default": nothing, "migrations": nothing},
                "sync": {"seconds_ago": 0, "running": False, "failed": True},
                "mail": {**nothing, "given_up": 0},
            },
        )

    def test_strangers_may_ask(self) -> None:
        # It asks over a connection of its own, which sees no cluster here.
        with mock.patch.object(facts, "PATIENCE", 60):
            r = self.client.get("/healthz")
        self.assertEqual(r.status_code, 503)
        self.assertEqual(r["Cache-Control"].count("no-store"), 1)
        answer = json.loads(r.content)
        self.assertTrue(answer["migrated"])
        self.assertEqual(len(answer["problems"]), 2)


class WithoutDatabaseTests(SimpleTestCase):
    def ask(self) -> dict[str, Any]:
        # Somebody who is signed in asks: their session lies in the database.
        self.client.cookies["sessionid"] = "a-session"
        r = self.client.get("/healthz")
        self.assertEqual(r.status_code, 503)
        answer: dict[str, Any] = json.loads(r.content)
        return answer

    def test_it_answers_all_the_same(self) -> None:
        gone = OperationalError("no password for strangers: hunter2")
        with mock.patch.object(DatabaseWrapper, "cursor", side_effect=gone):
            answer = self.ask()
        self.assertEqual(
            answer,
            {
                "ok": False,
                "problems": ["The database does not answer."],
                "warnings": [],
                "database": False,
                "migrated": False,
            },
        )

    def test_it_waits_only_so_long(self) -> None:
        thaw = threading.Event()
        self.addCleanup(thaw.set)
        frozen = InTime(lambda: Vitals(Database(is_reachable=thaw.wait())))
        with (
            mock.patch.object(facts, "_vitals_in_time", frozen),
            mock.patch.object(facts, "PATIENCE", 0.01),
        ):
            self.assertEqual(self.ask()["problems"], ["The database does not answer."])


class InTimeTests(SimpleTestCase):
    def test_one_asks_for_all(self) -> None:
        asked = []
        go_on = threading.Event()

        def ask() -> int:
            asked.append(threading.current_thread())
            go_on.wait()
            return len(asked)

        in_time = InTime(ask)
        for _ in range(3):
            with self.assertRaises(NoAnswer):
                in_time(0.01)
        go_on.set()
        self.assertEqual(in_time(30), 1)
        asked[0].join()
        self.assertEqual(in_time(30), 2)

    def test_faults_come_out_where_somebody_waits(self) -> None:
        def ask() -> int:
            raise OperationalError

        with self.assertRaises(OperationalError):
            InTime(ask)(30)
