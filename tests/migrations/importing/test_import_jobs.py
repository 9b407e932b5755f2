"""From a table to a batch: upload, columns, draft, confirm."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.audit.models import Entry
from purelymanage.crypto import unseal
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations import login_tests
from purelymanage.migrations.models import Batch, Job, Server
from purelymanage.migrations.operations.batches import DRAFT_LIFE
from purelymanage.migrations.operations.logins import TASK
from tests.account import add_server
from tests.cast import HTMX
from tests.migrations.importing.cases import TABLE, ImportTestCase


class UploadTests(ImportTestCase):
    def test_cells_are_kept_sealed_and_guessed(self) -> None:
        batch = self.upload()
        self.assertEqual(batch.name, "wave")
        self.assertNotIn("t,wo", batch.sheet)
        self.assertIn("t,wo", unseal(batch.sheet, bound_to=batch.sheet_place))
        r = self.client.get(f"/migrations/batches/{batch.pk}/columns/")
        for name in ("address", "password", "destination", "destination_password"):
            self.assertContains(r, f'<option value="{name}" selected>')
        self.assertNotContains(r, "t,wo")
        self.assertContains(r, "not shown")

    def test_a_pasted_table_will_do(self) -> None:
        form = {"server": self.server.pk, "table": TABLE, "name": "First wave"}
        self.client.post("/migrations/import/", form)
        self.assertEqual(Batch.objects.get().name, "First wave")

    def test_what_is_no_table_is_told_in_a_sentence(self) -> None:
        r = self.client.post("/migrations/import/", {"server": self.server.pk})
        self.assertContains(r, "Choose a file, or paste a table.", status_code=422)
        with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1_000):
            r = self.client.post("/migrations/import/", {"table": "a" * 2_000})
        self.assertContains(r, "more than can be pasted", status_code=422)

    def test_it_wants_the_token_of_the_form(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(self.adam)
        r = client.post("/migrations/import/", {"table": "address"})
        self.assertEqual(r.status_code, 403)

    def test_the_example_is_read_without_a_doubt(self) -> None:
        r = self.client.get("/migrations/import/example/")
        text = b"".join(r.streaming_content).decode()  # type: ignore[attr-defined]
        batch = self.upload(text)
        r = self.client.get(f"/migrations/batches/{batch.pk}/columns/")
        self.assertEqual(r.context["guessed"].doubts, ())
        self.assertEqual(len(r.context["guessed"].columns), 5)

    def test_it_leads_to_servers_first(self) -> None:
        self.server.delete()
        r = self.client.get("/migrations/import/")
        self.assertContains(r, "First the old server")
        self.assertContains(r, "/migrations/servers/new/?for=import")
        form = {"name": "Old", "host": "127.0.0.1", "port": 9, "security": "tls"}
        r = self.client.post("/migrations/servers/new/?for=import", form)
        server = Server.objects.get()
        self.assertRedirects(r, f"/migrations/import/?server={server.pk}")

    def test_a_doubt_is_a_question(self) -> None:
        batch = self.upload("user,login,password,to\na,b,c,orders@shop.example\n")
        r = self.client.post(
            f"/migrations/batches/{batch.pk}/columns/", {"column2": "password"}
        )
        self.assertContains(r, "may each be the old mailbox", status_code=422)
        self.assertContains(r, "No column is the old mailbox.", status_code=422)

    def test_limited_people_copy_into_the_account_only(self) -> None:
        other = add_server(self.olga, name="Other")
        self.client.force_login(self.lina)
        batch = self.upload(destination=other.pk)
        self.assertNotIn("destination_server", batch.wishes)
        self.assertNotContains(self.client.get("/migrations/import/"), "Where to")


class DraftTests(ImportTestCase):
    def test_it_shows_each_row_and_no_password(self) -> None:
        batch = self.draft()
        r = self.client.get(f"/migrations/batches/{batch.pk}/draft/")
        self.assertContains(r, "Import the 3 right rows")
        self.assertContains(r, "There is no such mailbox in this account")
        self.assertContains(r, "1 mailbox is not in this account")
        for password in ("t,wo", "three", "four"):
            self.assertNotContains(r, password)

    def test_rows_can_be_filtered(self) -> None:
        batch = self.draft()
        r = self.client.get(f"/migrations/batches/{batch.pk}/draft/?rows=error")
        self.assertContains(r, "zoe@old.example")
        self.assertNotContains(r, "orders@old.example")

    @pytest.mark.slow
    def test_wishes_are_kept_and_shown(self) -> None:
        batch = self.draft()
        form = {
            "name": "Second wave",
            "creates_missing": "on",
            "priority": "10",
            "parallel_runs": "2",
            "starts_at": "2099-01-01T20:00",
            "tells_owners": "on",
            "skip_junk": "on",
            "megabytes": "20",
            "engine": "pipeline",
        }
        url = f"/migrations/batches/{batch.pk}/wishes/"
        r = self.client.post(url, form)
        self.assertRedirects(r, f"/migrations/batches/{batch.pk}/draft/")
        batch.refresh_from_db()
        self.assertEqual(batch.name, "Second wave")
        self.assertEqual((batch.priority, batch.parallel_runs), (10, 2))
        self.assertTrue(batch.tells_owners and batch.starts_at)
        self.assertEqual(
            batch.wishes["options"],
            {"skip_junk": True, "max_message_bytes": 20_000_000},
        )
        r = self.client.post(url, form, headers=HTMX)
        self.assertContains(r, "Import 4 rows")
        self.assertTemplateNotUsed(r, "base.html")

    @pytest.mark.slow
    def test_what_makes_no_sense_is_told(self) -> None:
        batch = self.draft()
        url = f"/migrations/batches/{batch.pk}/wishes/"
        r = self.client.post(url, {"name": "", "starts_at": "2001-01-01T10:00"})
        self.assertContains(r, "Fill this in.", status_code=422)
        self.assertContains(r, "This is over.", status_code=422)

    @pytest.mark.slow
    def test_a_draft_is_nobodys_but_its_makers(self) -> None:
        batch = self.draft()
        self.client.force_login(self.olga)
        for path in ("columns", "draft", "wishes", "confirm"):
            r = self.client.get(f"/migrations/batches/{batch.pk}/{path}/")
            self.assertEqual(r.status_code, 404)

    @pytest.mark.slow
    def test_going_back_to_what_was_confirmed_leads_to_the_batch(self) -> None:
        batch = self.draft()
        Batch.objects.filter(pk=batch.pk).update(confirmed_at=timezone.now())
        for path in ("columns", "draft", "wishes", "confirm"):
            r = self.client.get(f"/migrations/batches/{batch.pk}/{path}/")
            self.assertRedirects(r, f"/migrations/batches/{batch.pk}/")

    @pytest.mark.slow
    def test_it_can_be_discarded(self) -> None:
        batch = self.draft()
        self.assertContains(self.client.get("/migrations/import/"), "Your drafts")
        r = self.client.post(f"/migrations/batches/{batch.pk}/discard/")
        self.assertRedirects(r, "/migrations/import/")
        self.assertFalse(Batch.objects.exists())

    @pytest.mark.slow
    def test_it_dies_after_a_day(self) -> None:
        old = self.draft()
        Batch.objects.update(created_at=timezone.now() - DRAFT_LIFE)
        new = self.draft()
        login_tests.sweep()
        self.assertFalse(Batch.objects.filter(pk=old.pk).exists())
        self.assertTrue(Batch.objects.filter(pk=new.pk).exists())


class ConfirmTests(ImportTestCase):
    @pytest.mark.slow
    def test_it_makes_the_jobs_and_wipes_the_cells(self) -> None:
        batch = self.draft()
        r = self.confirm(batch)
        self.assertRedirects(r, f"/migrations/batches/{batch.pk}/")
        batch.refresh_from_db()
        self.assertEqual(batch.sheet, "")
        self.assertEqual(batch.domains, ["example.org", "shop.example"])
        self.assertEqual(batch.wishes["left_out"], 1)
        jobs = list(batch.jobs.order_by("number"))
        self.assertEqual([it.number for it in jobs], [2, 3, 4])
        self.assertEqual({it.login for it in jobs}, {Job.Login.WAITING})
        secret = unseal(jobs[1].source_secret, bound_to=jobs[1].secret_place)
        self.assertEqual(secret, "t,wo")
        self.assertEqual(jobs[2].destination_domain, "example.org")
        events = list(Entry.objects.values_list("event", flat=True))
        self.assertEqual(events.count("batch.confirmed"), 1)
        self.assertEqual(events.count("migration.created"), 3)
        tasks = [row.func() for row in OrmQ.objects.all()]
        self.assertEqual(tasks.count(TASK), 1)

    def test_options_and_engine_are_those_of_each_job(self) -> None:
        batch = self.draft()
        self.confirm(batch, skip_trash="on", engine="pipeline")
        job = batch.jobs.get(number=2)
        self.assertEqual((job.options, job.engine), ({"skip_trash": True}, "pipeline"))

    def test_missing_mailboxes_are_left_to_their_jobs(self) -> None:
        batch = self.draft()
        url = f"/migrations/batches/{batch.pk}/wishes/"
        self.client.post(url, {"name": "wave", "creates_missing": "on"})
        self.confirm(batch, creates_missing="on")
        creating = batch.jobs.filter(creates_destination=True)
        self.assertEqual(creating.get().destination, "zoe@shop.example")

    @pytest.mark.slow
    def test_another_server_is_for_people_without_limits(self) -> None:
        other = add_server(self.olga, name="Other", host="other.example")
        batch = self.upload(TABLE.replace(",\n", ",five\n"), destination=other.pk)
        self.choose(batch)
        self.confirm(batch)
        job = batch.jobs.get(number=2)
        self.assertEqual(job.destination_server, other)
        secret = unseal(job.destination_secret, bound_to=job.destination_secret_place)
        self.assertEqual(secret, "five")
        for person, status in ((self.olga, 200), (self.lina, 404)):
            self.client.force_login(person)
            r = self.client.get(f"/migrations/batches/{batch.pk}/")
            self.assertEqual(r.status_code, status)

    @pytest.mark.slow
    def test_sent_twice_it_is_done_once(self) -> None:
        batch = self.draft()
        form = {"name": "wave", "shown": self.shown(batch)}
        for _ in range(2):
            r = self.client.post(f"/migrations/batches/{batch.pk}/confirm/", form)
            self.assertRedirects(r, f"/migrations/batches/{batch.pk}/")
        self.assertEqual(batch.jobs.count(), 3)

    @pytest.mark.slow
    def test_a_draft_that_changed_is_shown_again(self) -> None:
        batch = self.draft()
        shown = self.shown(batch)
        # In another tab, or outside of the panel
        Mailbox.objects.filter(address="info@shop.example").delete()
        r = self.confirm(batch, shown=shown)
        self.assertContains(r, "has changed since you looked", status_code=422)
        self.assertContains(r, "Import the 2 right rows", status_code=422)
        self.assertFalse(Job.objects.exists())
        self.choose(batch, "", "password", "address", "")
        r = self.confirm(batch, shown=shown)
        self.assertContains(r, "has changed since you looked", status_code=422)

    @pytest.mark.slow
    def test_ticking_a_box_shows_what_it_does_first(self) -> None:
        batch = self.draft()
        r = self.confirm(batch, creates_missing="on")
        self.assertContains(r, "has changed since you looked", status_code=422)
        self.assertContains(r, "Import 4 rows", status_code=422)

    @pytest.mark.slow
    def test_two_drafts_do_not_copy_the_same_twice(self) -> None:
        first, second = self.draft(), self.draft()
        shown = self.shown(second)
        self.confirm(first)
        r = self.confirm(second, shown=shown)
        self.assertContains(r, "This is being copied already.", status_code=422)
        self.assertEqual(Job.objects.count(), 3)

    def test_nothing_right_makes_no_batch(self) -> None:
        batch = self.draft("from,password,to\na,b,c@nowhere.example\n")
        r = self.confirm(batch)
        self.assertContains(r, "There is nothing to do", status_code=422)

    def test_a_discarded_draft_is_gone(self) -> None:
        batch = self.draft()
        shown = self.shown(batch)
        self.client.post(f"/migrations/batches/{batch.pk}/discard/")
        r = self.client.post(
            f"/migrations/batches/{batch.pk}/confirm/", {"name": "a", "shown": shown}
        )
        self.assertEqual(r.status_code, 404)

    @pytest.mark.slow
    def test_limited_people_see_what_is_theirs(self) -> None:
        batch = self.draft()
        self.confirm(batch)
        self.client.force_login(self.lina)
        r = self.client.get(f"/migrations/batches/{batch.pk}/")
        self.assertEqual(r.status_code, 404)
        batch = self.draft(TABLE.replace("orders@old", "sales@old"))
        self.confirm(batch)
        batch.refresh_from_db()
        self.assertEqual(batch.domains, ["shop.example"])


class CanaryTests(ImportTestCase):
    def test_passwords_are_nowhere_in_clear(self) -> None:
        canary = "canary-Aviary-7f3e-perch"
        batch = self.draft(TABLE.replace("t,wo", canary))
        self.check_nowhere(canary)
        self.confirm(batch)
        self.check_nowhere(canary)

    def check_nowhere(self, canary: str) -> None:
        for model in apps.get_models():
            rows = str(list(model._default_manager.values()))
            self.assertNotIn(canary, rows, model._meta.label)


@pytest.mark.slow
class PaceTests(ImportTestCase):
    def test_a_thousand_jobs_take_few_queries(self) -> None:
        rows = [f"u{n}@old.example,secret{n},u{n}@shop.example" for n in range(1_000)]
        Mailbox.objects.bulk_create(
            Mailbox(address=f"u{n}@shop.example", domain="shop.example")
            for n in range(1_000)
        )
        batch = self.draft("from,password,to\n" + "\n".join(rows))
        form = {"name": "wave", "shown": self.shown(batch)}
        with CaptureQueriesContext(connection) as queries:
            self.client.post(f"/migrations/batches/{batch.pk}/confirm/", form)
        self.assertEqual(batch.jobs.count(), 1_000)
        self.assertLess(len(queries), 40)

    def test_a_draft_takes_as_many_queries_for_any_number_of_rows(self) -> None:
        counts = []
        for number in (1, 100):
            rows = [f"u{n}@old.example,s,u{n}@shop.example" for n in range(number)]
            batch = self.draft("from,password,to\n" + "\n".join(rows))
            with CaptureQueriesContext(connection) as queries:
                self.client.get(f"/migrations/batches/{batch.pk}/draft/")
            counts.append(len(queries))
        self.assertEqual(counts[0], counts[1])
