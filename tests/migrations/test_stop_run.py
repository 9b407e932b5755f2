from __future__ import annotations

import pytest

from purelymanage.migrations import tasks
from purelymanage.migrations.models import Run
from purelymanage.migrations.operations import runs
from tests.cast import HTMX
from tests.migrations.cases import OTHER_ADDRESS, MigrationTestCase


class StopRunTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.run_ = self.new_run()
        self.url = f"/migrations/jobs/{self.run_.job_id}/stop/"
        self.client.force_login(self.adam)

    def test_a_waiting_run_stops_at_once(self) -> None:
        r = self.client.post(self.url)
        self.assertRedirects(r, f"/migrations/jobs/{self.run_.job_id}/")
        self.run_.refresh_from_db()
        self.assertEqual(self.run_.state, Run.State.STOPPED)
        self.assertEqual(tasks.run_job(self.run_.pk), "not queued any more")
        self.assertIn("migration.stopped", self.events())

    def test_a_running_one_is_asked_to(self) -> None:
        runs.claim_run(pk=self.run_.pk, host="here.example")
        r = self.client.post(self.url, headers=HTMX)
        self.assertContains(r, "Stops in a moment")
        self.assertTemplateNotUsed(r, "base.html")
        self.run_.refresh_from_db()
        self.assertEqual(self.run_.state, Run.State.RUNNING)
        self.assertIsNotNone(self.run_.stop_requested_at)

    def test_a_second_click_changes_nothing(self) -> None:
        runs.claim_run(pk=self.run_.pk, host="here.example")
        self.client.post(self.url)
        self.client.post(self.url)
        self.assertEqual(self.events().count("migration.stopped"), 1)

    @pytest.mark.slow
    def test_one_that_has_ended_is_shown_as_it_is(self) -> None:
        self.carry_out(self.run_)
        r = self.client.post(self.url, follow=True)
        self.assertContains(r, "has ended already")
        self.run_.refresh_from_db()
        self.assertEqual(self.run_.state, Run.State.DONE)

    def test_it_turns_away_everybody_else(self) -> None:
        other = self.new_run(destination=OTHER_ADDRESS)
        url = f"/migrations/jobs/{other.job_id}/stop/"
        for user, status in ((self.audrey, 403), (self.hedy, 403), (self.lina, 404)):
            with self.subTest(user=user):
                self.client.force_login(user)
                self.assertEqual(self.client.post(url).status_code, status)
        other.refresh_from_db()
        self.assertEqual(other.state, Run.State.QUEUED)
