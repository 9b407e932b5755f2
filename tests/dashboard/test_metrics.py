from __future__ import annotations

from unittest import mock

from django.core.cache import cache
from django.test import TestCase, override_settings
from django.utils import timezone
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from purelymanage.broker import CLUSTERS
from purelymanage.dashboard import metrics
from purelymanage.dashboard.facts import Database, Vitals
from purelymanage.dashboard.metrics import PanelCollector, Reading
from purelymanage.dashboard.models import ClusterReport, ErrorKind
from purelymanage.database_watch import watch
from purelymanage.domains.models import SyncRun
from purelymanage.purelymail import budget
from tests.cast import CastTestCase

TOKEN = "a-token-for-metrics"


def samples(reading: Reading) -> dict[str, float]:
    """Return what Prometheus would read, by names and labels."""
    text = generate_latest(PanelCollector(reading)).decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for it in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in it.labels.items())
            name = it.name.removeprefix("purelymanage_")
            found[f"{name}{{{labels}}}" if labels else name] = it.value
    return found


class CollectorTests(TestCase):
    def setUp(self) -> None:
        self.addCleanup(cache.clear)
        for name in CLUSTERS:
            cache.set(f"pulse:{name}", "asks for work", 30)

    def test_it_says_what_the_health_page_says(self) -> None:
        now = timezone.now()
        SyncRun.objects.create(state="done", finished_at=now)
        for pid in (7, 8):
            ClusterReport.objects.create(
                cluster="default",
                host='odd "host"\\',
                pid=pid,
                began_at=now,
                heard_at=now,
                processes=5,
                memory=100,
            )
        for place in ("here", "there"):
            ErrorKind.objects.create(
                kind="KeyError", place=place, count=4, first_at=now, last_at=now
            )
        budget.spend("listUser", patience=60)
        found = samples(metrics.read())
        expected = {
            "healthy": 1,
            "database_up": 1,
            "database_migrated": 1,
            "cluster_up{cluster=migrations}": 1,
            "tasks_waiting{cluster=default}": 0,
            "mail_waiting": 0,
            "sync_failed": 0,
            "sync_timestamp_seconds": now.timestamp(),
            "copies{state=running}": 0,
            'cluster_memory_bytes{cluster=default,host=odd "host"\\}': 200,
            "errors_total{kind=KeyError}": 8,
            "purelymail_calls_total{operation=listUser}": 1,
        }
        self.assertLessEqual(expected.items(), found.items())
        self.assertTrue(any(it.startswith("disk_free_bytes") for it in found))

    def test_it_asks_the_same_number_of_questions_however_much_there_is(self) -> None:
        metrics.read()
        with self.assertNumQueries(7):
            metrics.read()

    def test_without_a_database_it_says_so(self) -> None:
        found = samples(Reading(Vitals(Database(is_reachable=False))))
        self.assertEqual((found["healthy"], found["database_up"]), (0, 0))
        self.assertNotIn("mail_waiting", found)

    def test_it_is_not_asked_where_healthz_says_that_it_is_silent(self) -> None:
        with (
            mock.patch.object(watch, "answers", return_value=False),
            self.assertNumQueries(0),
        ):
            found = samples(metrics.read_in_time())
        self.assertEqual((found["healthy"], found["database_up"]), (0, 0))


@override_settings(METRICS_TOKEN=TOKEN)
class MetricsTests(CastTestCase):
    def ask(self, given: str) -> int:
        r = self.client.get("/metrics", headers={"Authorization": given})
        self.assertNotIn(TOKEN, str(r.headers))
        return r.status_code

    def test_whoever_has_the_token_gets_them(self) -> None:
        with mock.patch.object(metrics, "PATIENCE", 60):
            r = self.client.get(
                "/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
            )
        self.assertContains(r, "purelymanage_database_up 1.0")
        self.assertTrue(r["Content-Type"].startswith("text/plain; version="))
        self.assertIn("no-store", r["Cache-Control"])

    def test_nobody_else_does(self) -> None:
        # To be an owner does not help.
        self.client.force_login(self.olga)
        with self.assertNumQueries(0):
            for given in ("", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer tök€n"):
                self.assertEqual(self.ask(given), 401)

    def test_without_a_token_they_are_off(self) -> None:
        with self.settings(METRICS_TOKEN=""):
            self.assertEqual(self.ask("Bearer "), 401)
            self.assertEqual(self.ask(f"Bearer {TOKEN}"), 401)
