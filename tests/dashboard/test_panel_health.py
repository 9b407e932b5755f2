from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.cache import cache
from django.test import SimpleTestCase
from django.utils import timezone

from purelymanage.audit.models import KeyProof
from purelymanage.broker import CLUSTERS
from purelymanage.dashboard import checked, panel_health
from purelymanage.dashboard.machine import Disk, disks
from purelymanage.dashboard.models import ClusterReport, ErrorKind
from purelymanage.dashboard.panel_health import calls
from purelymanage.migrations.models import Run
from purelymanage.purelymail import budget
from tests.cast import HTMX
from tests.migrations.waiting_runs import WithRuns

URL = "/settings/health/"
MEGABYTE = 10**6


def told(answer: Any) -> list[tuple[str, str]]:
    return [(it.title, it.text) for it in answer.context["findings"]]


class PanelHealthTests(WithRuns):
    def setUp(self) -> None:
        self.enterContext(mock.patch.object(panel_health, "_keys", None))
        self.addCleanup(cache.clear)
        for name in CLUSTERS:
            cache.set(f"pulse:{name}", "asks for work", 30)
        self.client.force_login(self.adam)

    def add_report(self, cluster: str, **columns: object) -> ClusterReport:
        now = timezone.now()
        values = {"host": "mail-1", "pid": 7, "began_at": now, "heard_at": now}
        return ClusterReport.objects.create(
            cluster=cluster, processes=5, memory=312 * MEGABYTE, **values | columns
        )

    def add_running(self, source: str, **columns: object) -> Run:
        now = timezone.now()
        return self.add(
            source,
            {"destination": f"{source}@shop.example"},
            state=Run.State.RUNNING,
            host="mail-1",
            engine="pipeline",
            started_at=now,
            lease_until=now + timedelta(seconds=30),
            **columns,
        )

    def test_all_is_well(self) -> None:
        self.add_report("default")
        r = self.client.get(URL)
        self.assertContains(r, "Everything works")
        self.assertContains(r, "mail-1, 5 processes, 312\u00a0MB, heard of")
        # The copies are alive as well, and have not said more.
        self.assertContains(r, "it has not said yet where it runs")
        self.assertContains(r, "<dt>PostgreSQL</dt>")
        self.assertContains(r, "<code>1</code> seals")
        self.assertContains(r, "None yet.")

    def test_a_silent_cluster_comes_with_when_and_what_to_do(self) -> None:
        cache.delete("pulse:migrations")
        before = timezone.now() - timedelta(hours=2)
        self.add_report("migrations", heard_at=before)
        r = self.client.get(URL)
        self.assertContains(r, "Nobody works on copies.")
        self.assertContains(r, "Start them: manage.py qcluster")
        self.assertContains(r, "mail-1, last heard of <time")
        self.assertContains(r, "2 hours ago")

    def test_it_tells_whether_the_keys_are_right(self) -> None:
        right = "The keys are those that this database was written with."
        self.assertContains(self.client.get(URL), right)
        KeyProof.objects.create(name="audit", proof="that of another key")
        with mock.patch.object(panel_health, "_keys", None):
            r = self.client.get(URL)
        self.assertNotContains(r, right)
        self.assertContains(r, "AUDIT_KEY is not the one")
        # In the words of the doctor, and with the same step.
        (found,) = checked.keys()
        self.assertIn((found.sentence, found.fix), told(r))

    def test_the_keys_are_not_tried_with_each_refresh(self) -> None:
        self.client.get(URL, headers=HTMX)
        with mock.patch.object(checked, "keys") as keys:
            self.client.get(URL, headers=HTMX)
        keys.assert_not_called()

    def test_copies_come_with_their_memory(self) -> None:
        first, _ = self.add_running("ada"), self.add_running("bob")
        self.add_report("migrations", copies={str(first.pk): 48 * MEGABYTE})
        r = self.client.get(URL)
        self.assertContains(r, "ada@shop.example")
        self.assertContains(r, "48.0\u00a0MB")
        self.assertContains(r, "not told yet", count=1)

    def test_limited_people_see_their_own_copies(self) -> None:
        self.add_running("ada")
        stranger = self.add_running("eve")
        stranger.job.destination_domain = "example.org"
        stranger.job.save(update_fields=["destination_domain"])
        self.client.force_login(self.lina)
        r = self.client.get(URL)
        self.assertContains(r, "ada@shop.example")
        self.assertNotContains(r, "eve@shop.example")

    def test_errors_are_told_by_kind_and_request(self) -> None:
        now = timezone.now()
        ErrorKind.objects.create(
            kind="builtins.KeyError",
            place="purelymanage/domains/tasks.py:42 in sync",
            count=1204,
            first_at=now,
            last_at=now,
            request_id="a" * 32,
            task="purelymanage.domains.tasks.sync",
        )
        r = self.client.get(URL)
        self.assertContains(r, ".py:42 in sync")
        self.assertContains(r, "1\u202f204")
        self.assertContains(r, f"<code>{'a' * 32}</code>")

    def test_calls_are_told_by_operation(self) -> None:
        for operation in ("listUser", "getUser", "listUser"):
            budget.spend(operation, patience=60)
        r = self.client.get(URL)
        self.assertContains(r, "3 in 24 hours")
        self.assertContains(r, "Calls for each of the last 24 hours: 3 in all")
        self.assertContains(r, '<th scope="row">listUser</th>')

    def test_the_live_part_is_all_that_is_asked_for_again(self) -> None:
        r = self.client.get(URL, headers=HTMX)
        self.assertTemplateNotUsed(r, "base.html")
        self.assertContains(r, 'hx-trigger="every 5s"')
        self.assertIn("no-store", r["Cache-Control"])
        self.assertNotContains(r, "packages")

    def test_it_asks_the_same_number_of_questions_however_much_there_is(self) -> None:
        self.client.get(URL)
        with self.assertNumQueries(10):
            self.client.get(URL, headers=HTMX)
        for number in range(3):
            self.add_running(f"ada{number}")
            self.add_report("migrations", pid=number)
        with self.assertNumQueries(10):
            self.client.get(URL, headers=HTMX)

    def test_the_settings_lead_there(self) -> None:
        self.assertContains(self.client.get("/settings/"), URL)
        self.client.force_login(self.audrey)
        self.assertNotContains(self.client.get("/settings/"), URL)


class CallsTests(SimpleTestCase):
    def test_hours_are_drawn_from_the_oldest_to_the_present_one(self) -> None:
        by_hour = [Counter(listUser=2), Counter(listUser=4, getUser=4)]
        found = calls([*by_hour, *[Counter[str]()] * 22], timezone.now())
        self.assertEqual((found.most, found.day, found.this_hour), (8, 10, 2))
        before, present = found.bars
        self.assertEqual((before.height, before.y, present.height), (1, 0, 0.25))
        self.assertLess(before.x, present.x)
        self.assertEqual([it.name for it in found.operations], ["listUser", "getUser"])

    def test_no_call_is_no_picture(self) -> None:
        found = calls([Counter[str]()] * 24, timezone.now())
        self.assertEqual((found.bars, found.day, found.most), ([], 0, 0))


class DiskTests(SimpleTestCase):
    def test_a_full_disk_is_told_by_share_and_by_size(self) -> None:
        def tone(total: int, free: int) -> str:
            return Disk("logs", Path("/"), total, free).tone

        gigabyte = 10**9
        self.assertEqual(tone(20 * gigabyte, 10 * gigabyte), "good")
        # Of a large disk a small share is still enough.
        self.assertEqual(tone(4000 * gigabyte, 50 * gigabyte), "good")
        self.assertEqual(tone(20 * gigabyte, gigabyte), "attention")
        self.assertEqual(tone(20 * gigabyte, gigabyte // 10), "broken")

    def test_each_disk_is_named_once(self) -> None:
        found = disks()
        self.assertTrue(found)
        self.assertEqual(len({it.path.stat().st_dev for it in found}), len(found))
