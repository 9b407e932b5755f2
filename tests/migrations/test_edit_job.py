from __future__ import annotations

from typing import Any

import pytest

from purelymanage.imap.login import look_into
from purelymanage.mailboxes.models import AppPassword
from purelymanage.migrations.folder_choice import Folders
from purelymanage.migrations.models import Job, Run
from purelymanage.migrations.operations import folders, jobs, runs
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.migrations.cases import ADDRESS, MigrationTestCase

SOURCE = "anna@old-provider.example"
SENT = "Gesendete Elemente"


class EditJobTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)
        self.job = jobs.prepare_job(
            server=self.server,
            source_user=SOURCE,
            password=password_of(SOURCE),
            destination=jobs.Destination(user=ADDRESS),
            wishes=jobs.Wishes(),
            actor=self.adam,
        )
        self.url = f"/migrations/jobs/{self.job.pk}/options/"
        account = self.server.account(SOURCE, password_of(SOURCE))
        found = Folders(source=look_into(account).folders, destination=None)
        folders.keep_folders(self.job, found)

    def form(self, *, without: str = "", **changes: Any) -> dict[str, Any]:
        """Return what the page would send."""
        lines = self.client.get(self.url).context["lines"]
        chosen = [str(n) for n, it in enumerate(lines) if it.chosen]
        return {
            "folder": [it.name for it in lines],
            "usual": [it.usual for it in lines],
            "there": [changes.get(it.name, it.there) for it in lines],
            "chosen": [n for n in chosen if lines[int(n)].name != without],
            "then": "plan",
        } | {key: it for key, it in changes.items() if key in FIELDS}

    def changed(self, form: dict[str, Any]) -> dict[str, Any]:
        r = self.client.post(self.url, form)
        self.assertRedirects(
            r, f"/migrations/jobs/{self.job.pk}/", fetch_redirect_response=False
        )
        self.job.refresh_from_db()
        options: dict[str, Any] = self.job.options
        return options

    @pytest.mark.slow
    def test_choosing_first_reads_both_sides_and_starts_nothing(self) -> None:
        Job.objects.all().delete()
        form = {
            "server": self.server.pk,
            "source_user": SOURCE,
            "password": password_of(SOURCE),
            "destination": ADDRESS,
            "then": "folders",
        }
        r = self.client.post("/migrations/jobs/new/", form, follow=True)
        self.assertContains(r, SENT)
        self.assertContains(r, "Will be created")
        self.assertNotContains(r, "could not be read")
        self.assertFalse(Run.objects.exists())
        self.assertIn("migration.password_opened", self.events())
        # The mailbox was looked into by an app password that is gone.
        self.assertEqual(self.app_passwords(ADDRESS), 0)
        self.assertFalse(AppPassword.objects.exists())

    @pytest.mark.slow
    def test_a_destination_that_is_not_known_is_told(self) -> None:
        self.assertContains(self.client.get(self.url), "could not be read")

    @pytest.mark.slow
    def test_no_change_is_no_option(self) -> None:
        self.assertEqual(self.changed(self.form()), {})
        run = Run.objects.get()
        self.assertTrue(run.dry_run)
        self.assertNotIn("migration.changed", self.events())

    @pytest.mark.slow
    def test_a_folder_is_left_out_and_another_goes_elsewhere(self) -> None:
        form = self.form(without=SENT, INBOX="Old/Inbox")
        options = self.changed(form | {"since": "2020-01-01"})
        self.assertNotIn(SENT, options["folders"])
        self.assertEqual(options["mapping"], {"INBOX": "Old/Inbox"})
        self.assertEqual(options["since"], "2020-01-01")
        self.assertIn("migration.changed", self.events())
        run = self.carry_out(Run.objects.get())
        there = dict(run.folders.values_list("source", "destination"))
        self.assertEqual(there["INBOX"], "Old/Inbox")
        self.assertNotIn(SENT, there)

    @pytest.mark.slow
    def test_a_preview_shows_where_all_goes_and_keeps_nothing(self) -> None:
        form = self.form(subfolder="Old mail", then="preview")
        r = self.client.post(self.url, form)
        self.assertContains(r, "Old mail/INBOX")
        self.job.refresh_from_db()
        self.assertEqual(self.job.options, {})
        self.assertFalse(Run.objects.exists())

    @pytest.mark.slow
    def test_trash_is_shown_as_left_out(self) -> None:
        self.job.options = {"skip_trash": True}
        self.job.save()
        lines = {it.name: it for it in self.client.get(self.url).context["lines"]}
        left = [it.name for it in lines.values() if it.reason == "trash"]
        self.assertEqual(len(left), 1)
        self.assertFalse(lines[left[0]].chosen)
        self.assertEqual(self.changed(self.form(skip_trash="on")), {"skip_trash": True})

    @pytest.mark.slow
    def test_saving_alone_starts_nothing(self) -> None:
        self.assertEqual(
            self.changed(self.form(megabytes="2.5", then="save")),
            {"max_message_bytes": 2_500_000},
        )
        self.assertFalse(Run.objects.exists())
        self.assertContains(self.client.get(self.url), 'value="2.5"')

    @pytest.mark.slow
    def test_nothing_chosen_is_told(self) -> None:
        r = self.client.post(self.url, self.form() | {"chosen": []})
        self.assertContains(r, "Choose at least one folder.", status_code=422)

    @pytest.mark.slow
    def test_nonsense_is_told(self) -> None:
        form = self.form(since="2999-01-01", megabytes="0", messages_a_second="0")
        r = self.client.post(self.url, form)
        self.assertContains(r, "This day has not come yet.", status_code=422)
        self.assertContains(r, "Write a number from 1 up", status_code=422)
        self.assertContains(r, "from 0.1 to 1000", status_code=422)
        r = self.client.post(self.url, self.form() | {"there": ["x"]})
        self.assertContains(r, "arrived incomplete", status_code=422)
        r = self.client.post(self.url, self.form(INBOX="a\nb"))
        self.assertContains(r, "cannot go into a folder", status_code=422)

    @pytest.mark.slow
    def test_nothing_changes_while_a_run_is_open(self) -> None:
        run = runs.queue_run(job=self.job, dry_run=True, actor=self.adam)
        self.assertContains(self.client.get(self.url), "is waiting or running")
        r = self.client.post(self.url, self.form(subfolder="Old", then="save"))
        self.assertContains(r, "Stop it first", status_code=422)
        runs.stop_run(run=run, actor=self.adam)
        self.changed(self.form(subfolder="Old", then="save"))

    @pytest.mark.slow
    def test_without_a_password_the_rest_can_be_changed(self) -> None:
        Job.objects.update(source_secret="", secret_expires_at=None)
        r = self.client.post(f"/migrations/jobs/{self.job.pk}/folders/", follow=True)
        self.assertContains(r, "is not stored any more")

    @pytest.mark.slow
    def test_a_source_that_is_down_is_told(self) -> None:
        self.server.port = 9
        self.server.save()
        r = self.client.post(f"/migrations/jobs/{self.job.pk}/folders/", follow=True)
        self.assertContains(r, "could not be read")

    @pytest.mark.slow
    def test_a_removed_job_is_gone(self) -> None:
        jobs.remove_job(job=self.job, actor=self.adam)
        self.assertEqual(self.client.get(self.url).status_code, 404)
        self.job.refresh_from_db()
        self.assertEqual(self.job.source_secret, "")
        self.assertEqual(self.events()[-2:], REMOVED)

    @pytest.mark.slow
    def test_limited_people_choose_for_their_own(self) -> None:
        self.client.force_login(self.lina)
        self.assertEqual(self.client.get(self.url).status_code, 200)
        Job.objects.update(destination_domain="example.org")
        self.assertEqual(self.client.get(self.url).status_code, 404)


FIELDS = ["since", "subfolder", "megabytes", "messages_a_second", "then", "skip_trash"]
REMOVED = ["migration.removed", "migration.password_wiped"]
