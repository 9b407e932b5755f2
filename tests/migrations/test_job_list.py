from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from purelymanage.migrations.models import Job, Run, Server
from tests.cast import HTMX, CastTestCase
from tests.live import asks_again
from tests.migrations.batch_cases import add_batch, add_jobs, add_runs

URL = "/migrations/"


RUNNING: dict[str, Any] = {
    "state": Run.State.RUNNING,
    "lease_until": timezone.now() + timedelta(minutes=5),
}


class JobListTests(CastTestCase):
    server: Server

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.server = Server.objects.create(
            name="Old provider", host="old.example", created_by=cls.olga
        )

    def setUp(self) -> None:
        self.client.force_login(self.adam)

    def add(self, count: int, domain: str = "shop.example", **columns: Any) -> None:
        offset = Job.objects.count()
        jobs = Job.objects.bulk_create(
            Job(
                server=self.server,
                source_user=f"old{offset + it}",
                destination=f"user{offset + it}@{domain}",
                destination_domain=domain,
                created_by=self.adam,
            )
            for it in range(count)
        )
        Run.objects.bulk_create(
            Run(job=job, pair=job.pair, **({"dry_run": False} | columns))
            for job in jobs
        )

    def ended(self, **columns: Any) -> dict[str, Any]:
        now = timezone.now()
        return {"state": Run.State.DONE, "finished_at": now, **columns}

    def test_it_says_what_to_do_while_there_is_nothing(self) -> None:
        r = self.client.get(URL)
        self.assertContains(r, "No mailbox was copied yet")
        self.assertNotContains(r, "Filter by address")
        self.assertContains(r, "/migrations/jobs/new/")
        self.assertNotContains(r, "every 2s")

    def test_it_shows_what_runs_waits_and_has_ended(self) -> None:
        soon = timezone.now() + timedelta(minutes=1)
        self.add(
            1,
            state=Run.State.RUNNING,
            lease_until=soon,
            phase=Run.Phase.COPYING,
            bytes=100,
            bytes_to_copy=60,
        )
        self.add(1)
        self.add(1, not_before=soon, failure="Nobody listens there.")
        self.add(1, **self.ended(dry_run=True, verdict="complete"))
        r = self.client.get(URL)
        self.assertContains(r, "40 %")
        self.assertContains(r, "It starts in a moment.")
        self.assertContains(r, "Nobody listens there.")
        self.assertContains(r, "Plan ready")
        self.assertContains(r, "every 2s")

    def test_it_is_quiet_when_nothing_is_under_way(self) -> None:
        self.add(1, **self.ended())
        self.assertNotContains(self.client.get(URL), "every 2s")

    def test_it_finds_copies(self) -> None:
        self.add(3, **self.ended())
        r = self.client.get(f"{URL}?q=USER1", headers=HTMX)
        self.assertContains(r, "user1@shop.example")
        self.assertNotContains(r, "user2@shop.example")
        r = self.client.get(f"{URL}?q=%00zz")
        self.assertContains(r, "No copy is like this")
        self.assertContains(r, "Filter by address")

    def test_limited_people_see_their_own(self) -> None:
        self.add(1, **self.ended())
        self.add(1, "example.org")
        self.client.force_login(self.lina)
        r = self.client.get(URL)
        self.assertContains(r, "user0@shop.example")
        self.assertNotContains(r, "user1@example.org")

    def test_it_turns_away_helpers(self) -> None:
        self.client.force_login(self.hedy)
        self.assertEqual(self.client.get(URL).status_code, 403)

    @pytest.mark.slow
    def test_a_thousand_copies_take_no_more_queries_than_ten(self) -> None:
        for count in (10, 990):
            self.add(count, **self.ended())
            self.add(count // 10)
            # Who is asking; the number of those that ended, what has happened, what
            # runs, the rules, those that wait, their number, two for why; batches,
            # the page.
            with self.subTest(count=count), self.assertNumQueries(11):
                r = self.client.get(URL, headers=HTMX)
            # Who is asking, what has happened, what runs.
            with self.subTest(count=count), self.assertNumQueries(3):
                r = self.client.get(asks_again(r), headers=HTMX)
            self.assertEqual(r.status_code, 200)

    def test_a_look_tells_when_another_copy_begins(self) -> None:
        self.add(1, **RUNNING)
        url = asks_again(self.client.get(URL))
        r = self.client.get(url, headers=HTMX)
        self.assertNotIn("HX-Trigger", r.headers)
        self.assertContains(r, "user0@shop.example")
        self.add(1)
        r = self.client.get(url, headers=HTMX)
        self.assertEqual((r.status_code, r["HX-Trigger"]), (204, "moved"))

    def test_a_look_is_left_alone_while_nothing_has_moved(self) -> None:
        self.add(1, **RUNNING)
        with mock.patch("purelymanage.migrations.views.overview.passing_time") as time:
            time.return_value = 1
            r = self.client.get(asks_again(self.client.get(URL)), headers=HTMX)
            url = asks_again(r)
            self.assertEqual(self.client.get(url, headers=HTMX).status_code, 204)
            Run.objects.update(messages=7)
            r = self.client.get(url, headers=HTMX)
            self.assertContains(r, "7 messages seen")

    def test_a_look_finds_what_the_list_finds(self) -> None:
        self.add(2, **RUNNING)
        url = asks_again(self.client.get(f"{URL}?q=user1%20old"))
        r = self.client.get(url, headers=HTMX)
        self.assertContains(r, "user1@shop.example")
        self.assertNotContains(r, "user0@shop.example")
        self.assertIn("q=user1%20old", asks_again(r))

    def test_it_says_when_the_next_one_begins(self) -> None:
        soon = timezone.now() + timedelta(hours=2)
        self.add(1, not_before=soon)
        self.assertContains(self.client.get(URL), "the next one begins")
        self.add(1)
        self.assertNotContains(self.client.get(URL), "the next one begins")

    def test_it_finds_by_how_copies_ended(self) -> None:
        self.add(1, **self.ended(dry_run=True))
        self.add(1, **self.ended(state=Run.State.FAILED, failure="Nobody there."))
        r = self.client.get(f"{URL}?state=failed", headers=HTMX)
        self.assertContains(r, "user1@shop.example")
        self.assertNotContains(r, "user0@shop.example")

    def test_it_shows_batches_and_how_far_they_are(self) -> None:
        batch = add_batch(self.olga, self.server)
        add_runs(add_jobs(batch, 2), Run.State.DONE, verdict="complete")
        add_runs(add_jobs(batch, 1), Run.State.FAILED)
        r = self.client.get(URL)
        self.assertContains(r, f"/migrations/batches/{batch.pk}/")
        self.assertContains(r, "2 of 3 complete, 1 needs a look")

    def test_what_was_removed_is_gone(self) -> None:
        self.add(1, **self.ended())
        Job.objects.update(removed_at=timezone.now())
        self.assertNotContains(self.client.get(URL), "user0@shop.example")
