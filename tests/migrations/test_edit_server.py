from __future__ import annotations

from datetime import time

import pytest

from purelymanage.audit.models import Entry
from purelymanage.imap.account import Security
from purelymanage.migrations.models import Batch, Job, Server
from purelymanage.migrations.operations import runs
from purelymanage.migrations.operations.secrets import seal_destination_secret
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.migrations.cases import SMALL, MigrationTestCase

LIMITS = {
    "engine": "pipeline",
    "parallel_runs": "3",
    "megabytes_a_day": "2000",
    "megabytes_a_day_each": "400",
    "messages_a_second": "2.5",
    "pause_from": "08:00",
    "pause_until": "18:30",
    "left_out_folders": " [Gmail]/All Mail \r\n\r\nvirtual/*\r\nvirtual/*",
}


class EditServerTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)
        self.url = f"/migrations/servers/{self.server.pk}/"
        self.form = {
            "name": "Old provider",
            "host": self.server.host,
            "port": self.server.port,
            "security": "tls",
            "verify_certificate": "on",
        }

    def changes(self) -> str:
        entry = Entry.objects.filter(event="server.changed").latest("pk")
        return str(entry.details["changes"])

    def test_limits_are_kept_shown_and_audited(self) -> None:
        self.client.post(self.url, self.form | LIMITS)
        server = Server.objects.get()
        self.assertEqual(
            (server.engine, server.parallel_runs, server.bytes_a_day),
            ("pipeline", 3, 2_000_000_000),
        )
        self.assertEqual(server.messages_a_second, 2.5)
        self.assertEqual(
            (server.pause_from, server.pause_until), (time(8), time(18, 30))
        )
        self.assertEqual(server.left_out_folders, ["[Gmail]/All Mail", "virtual/*"])
        self.assertIn("bytes a day from none to 2.0\u00a0GB", self.changes())
        self.assertEqual(server.bytes_a_day_each, 400_000_000)
        self.assertIn("bytes a day each from none to 400\u00a0MB", self.changes())
        self.assertIn("left out folders from none to [Gmail]/All", self.changes())

        r = self.client.get("/migrations/servers/")
        for words in (
            "at most 3 at once",
            "2.0\u00a0GB a day",
            "400\u00a0MB a day each mailbox",
            "2.5 messages a second for each",
            "not from 08:00 to 18:30",
            "without 2 folders",
            "copied by Pipeline",
        ):
            self.assertContains(r, words)
        r = self.client.get(self.url)
        for words in ('value="2000"', 'value="2.5"', 'value="08:00"', "virtual/*"):
            self.assertContains(r, words)

        # What was shown is what is kept, and the same again is no change.
        self.client.post(self.url, self.form | LIMITS)
        self.assertEqual(self.events().count("server.changed"), 1)
        self.client.post(self.url, self.form)
        self.assertIsNone(Server.objects.get().bytes_a_day)

    @pytest.mark.slow
    def test_limits_that_make_no_sense_are_told_at_their_field(self) -> None:
        for field, value, words in (
            ("parallel_runs", "0", "Write a number from 1 up"),
            ("parallel_runs", "101", "At most 100"),
            ("megabytes_a_day_each", "0", "Write a number from 1 up"),
            ("megabytes_a_day", "-1", "Write a number from 1 up"),
            ("megabytes_a_day", "99999999999", "leave it empty"),
            ("messages_a_second", "0", "Write a number from 0.1"),
            ("messages_a_second", "nan", "Write a number from 0.1"),
            ("pause_from", "25:00", "Write a time, like 08:00."),
            ("pause_from", "08:00", "A pause needs both ends"),
            ("pause_until", "08:00", "A pause needs both ends"),
            ("left_out_folders", "**", "leave every folder out"),
            ("left_out_folders", "a\x01b", "a character nobody can type"),
            ("engine", "magic", "Choose one of the list."),
            ("preset", "magic", "1 field needs a change"),
        ):
            with self.subTest(field=field, value=value):
                r = self.client.post(self.url, self.form | {field: value})
                self.assertContains(r, words, status_code=422)

    def test_clear_text_has_to_be_meant(self) -> None:
        form = self.form | {"security": "clear", "test": "1", "port": "9"}
        r = self.client.post(self.url, form)
        self.assertContains(r, "Tick this if you mean it", status_code=422)
        r = self.client.post(self.url, form | {"clear_is_meant": "on"})
        self.assertContains(r, "passwords and mail can be read on the way")
        self.assertContains(r, "Nobody listens")
        Server.objects.update(security=Security.CLEAR)
        r = self.client.get(self.url)
        self.assertContains(r, 'id="id_clear_is_meant" checked')

    @pytest.mark.slow
    def test_moving_a_server_erases_the_passwords_given_for_it(self) -> None:
        run = self.new_run()
        r = self.client.post(self.url, self.form | {"host": "localhost"})
        self.assertContains(r, "is waiting or running", status_code=422)

        self.carry_out(run)
        self.client.post(self.url, self.form | {"name": "Renamed"} | LIMITS)
        self.assertNotEqual(Job.objects.get().source_secret, "")
        r = self.client.post(self.url, self.form | {"host": "localhost"}, follow=True)
        self.assertContains(r, "1 stored password was erased")
        self.assertEqual(Job.objects.get().source_secret, "")

    def test_passwords_of_copies_into_it_are_erased_as_well(self) -> None:
        run = self.new_run()
        other = Server.objects.create(
            name="New home", host="127.0.0.1", port=9, created_by=self.olga
        )
        job = run.job
        job.destination, job.destination_server = "ann@new.example", other
        seal_destination_secret(job, "for the new home")
        job.save()
        url = f"/migrations/servers/{other.pk}/"
        form = self.form | {"name": "New home", "port": 10}
        r = self.client.post(url, form)
        self.assertContains(r, "is waiting or running", status_code=422)

        runs.stop_run(run=run, actor=self.adam)
        r = self.client.post(url, form, follow=True)
        self.assertContains(r, "1 stored password was erased")
        job.refresh_from_db()
        self.assertEqual(job.destination_secret, "")

    def test_files_of_unfinished_imports_are_erased_as_well(self) -> None:
        draft = Batch.objects.create(
            name="Monday", server=self.server, sheet="sealed", created_by=self.olga
        )
        other = Server.objects.create(name="Other", host="o", created_by=self.olga)
        into = Batch.objects.create(
            name="Tuesday",
            server=other,
            sheet="sealed",
            wishes={"destination_server": self.server.pk},
            created_by=self.olga,
        )
        self.client.post(self.url, self.form | LIMITS)
        draft.refresh_from_db()
        self.assertEqual(draft.sheet, "sealed")
        r = self.client.post(self.url, self.form | {"host": "localhost"}, follow=True)
        self.assertContains(r, "Files of unfinished imports")
        for batch in (draft, into):
            batch.refresh_from_db()
            self.assertEqual(batch.sheet, "")
        self.assertIn("erasing what 2 unfinished imports held", self.changes())

    @pytest.mark.slow
    def test_a_provider_fills_the_form_and_leaves_the_name(self) -> None:
        r = self.client.get(f"{self.url}?preset=gmail")
        for words in ('value="imap.gmail.com"', 'value="Old provider"', "[Gmail]/All"):
            self.assertContains(r, words)
        r = self.client.get(f"{self.url}?preset=dovecot")
        self.assertContains(r, f'value="{self.server.host}"')
        self.assertEqual(Server.objects.get().preset, "")
        self.client.post(self.url, self.form | {"preset": "dovecot"})
        self.assertEqual(Server.objects.get().preset, "dovecot")
        self.assertContains(self.client.get("/migrations/servers/"), "Dovecot")

    def test_how_many_copies_use_it_is_shown(self) -> None:
        r = self.client.get("/migrations/servers/")
        self.assertContains(r, "No copies")
        self.new_run()
        r = self.client.get("/migrations/servers/")
        self.assertContains(r, "1 copy from it")
        self.assertContains(r, "In use")
        self.assertNotContains(r, password_of(SMALL))
