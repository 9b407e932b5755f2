from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from django.utils import timezone

from purelymanage import crypto
from purelymanage.audit.models import OutgoingMail
from purelymanage.deletions.operations import requests
from tests.deletions.cases import BOX, HOUR, DeletionTestCase, ask

DAY = timedelta(hours=24)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.slow
class ClockTests(DeletionTestCase):
    def test_it_runs_after_its_hour_and_not_before(self) -> None:
        asked = self.now
        deletion = ask(self.adam, BOX)
        self.assertEqual(deletion.delete_after, asked + DAY)
        self.run_until(asked + DAY - timedelta(minutes=1))
        self.assertTrue(self.is_remote())
        self.assertEqual(self.sandbox.calls.names, [])
        self.run_until(asked + DAY + timedelta(minutes=2))
        self.assertFalse(self.is_remote())

    def test_it_is_announced_one_hour_before(self) -> None:
        asked = self.now
        deletion = ask(self.adam, BOX)
        self.run_until(asked + DAY - HOUR - timedelta(minutes=1))
        deletion.refresh_from_db()
        self.assertIsNone(deletion.warned_at)
        self.run_until(asked + DAY - HOUR + timedelta(minutes=1))
        deletion.refresh_from_db()
        self.assertIsNotNone(deletion.warned_at)
        self.assertEqual(deletion.delete_after, asked + DAY)

    def test_a_change_of_the_clocks_does_not_shorten_the_day(self) -> None:
        with override_settings(TIME_ZONE="Europe/Berlin"), timezone.override(BERLIN):
            for day in (
                datetime(2027, 3, 27, 20, tzinfo=BERLIN),
                datetime(2027, 10, 30, 20, tzinfo=BERLIN),
            ):
                self.now = asked = day.astimezone(UTC)
                deletion = ask(self.adam, BOX)
                self.run_until(asked + DAY - timedelta(minutes=1))
                with self.subTest(day=day):
                    self.assertEqual(self.state(deletion), "waiting")
                    self.assertTrue(self.is_remote())
                requests.cancel_deletions(deletions=[deletion], actor=self.olga)
            deletion = ask(self.adam, BOX)
            self.run_until(self.now + DAY + timedelta(minutes=1))
            self.assertEqual(self.state(deletion), "deleted")

    def test_after_two_days_of_downtime_it_warns_and_waits(self) -> None:
        for was_warned in (False, True):
            address = sorted(self.sandbox.account.state.users)[was_warned]
            deletion = ask(self.adam, address)
            if was_warned:
                self.run_until(self.now + DAY - timedelta(minutes=30))
                deletion.refresh_from_db()
                self.assertIsNotNone(deletion.warned_at)
            self.wait(days=2)
            back = self.now
            mails = OutgoingMail.objects.count()
            self.tick()
            with self.subTest(was_warned=was_warned):
                self.assertEqual(self.state(deletion), "waiting")
                self.assertEqual(deletion.delete_after, back + HOUR)
                self.assertGreater(OutgoingMail.objects.count(), mails)
                self.run_until(back + HOUR - timedelta(minutes=1))
                self.assertTrue(self.is_remote(address))
                self.run_until(back + HOUR + timedelta(minutes=2))
                self.assertFalse(self.is_remote(address))

    def test_a_clock_that_jumped_deletes_nothing_early(self) -> None:
        asked = self.now
        deletion = ask(self.adam, BOX)
        for is_ours in (True, False):
            # Of this machine and of the database one is ahead by more than a day.
            self.now = asked + (DAY + 2 * HOUR if is_ours else timedelta())
            self.database_is_ahead = (DAY + 2 * HOUR) * (-1 if is_ours else 1)
            for _ in range(3):
                self.wait(hours=1)
                self.tick()
            with self.subTest(is_ours=is_ours):
                self.assertEqual(self.state(deletion), "waiting")
                self.assertEqual(deletion.delete_after, asked + DAY)
        self.now, self.database_is_ahead = asked, timedelta()
        self.run_until(asked + DAY + timedelta(minutes=2))
        self.assertFalse(self.is_remote())

    def test_a_short_break_changes_nothing(self) -> None:
        asked = self.now
        deletion = ask(self.adam, BOX)
        self.run_until(asked + DAY - timedelta(minutes=30))
        self.wait(hours=1)  # the panel is being updated
        self.tick()
        self.assertEqual(self.state(deletion), "deleted")

    def test_one_that_nobody_could_be_told_of_waits_one_hour(self) -> None:
        asked = self.now
        deletion = ask(self.adam, BOX)
        self.run_until(asked + DAY - timedelta(hours=2))
        self.wait(hours=2, minutes=5)
        back = self.now
        self.tick()
        self.assertEqual(self.state(deletion), "waiting")
        self.assertEqual(deletion.delete_after, back + HOUR)

    def test_a_short_grace_is_announced_by_the_request(self) -> None:
        with self.settings(DELETION_GRACE_HOURS=1):
            deletion = ask(self.adam, BOX)
        self.assertEqual(deletion.warned_at, self.now)
        self.run_until(self.now + HOUR - timedelta(minutes=1))
        self.assertEqual(self.state(deletion), "waiting")
        self.run_until(self.now + timedelta(minutes=3))
        self.assertEqual(self.state(deletion), "deleted")


class AnnouncementTests(DeletionTestCase):
    @pytest.mark.slow
    def test_everybody_who_may_cancel_is_told_once(self) -> None:
        with self.settings(BASE_URL="https://panel.example"):
            ask(self.adam, BOX, reason="left")
            ask(self.adam, "accounts@shop.example")
            OutgoingMail.objects.all().delete()
            self.run_until(self.now + DAY - timedelta(minutes=50))
        mails = {mail.recipient: mail for mail in OutgoingMail.objects.all()}
        self.assertEqual(len(mails), OutgoingMail.objects.count())
        self.assertEqual(
            sorted(mails),
            ["adam@example.org", "lina@example.org", "olga@example.org"],
        )
        mine = mails["lina@example.org"]
        self.assertEqual(
            mine.subject, "To be deleted in one hour: accounts@shop.example"
        )
        for mail, named in ((mine, False), (mails["olga@example.org"], True)):
            text = json.loads(crypto.unseal(mail.sealed, bound_to=mail.place))[0]
            self.assertEqual(BOX in text, named)
            self.assertIn("https://panel.example/deletions/", text)
