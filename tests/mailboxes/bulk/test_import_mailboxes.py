"""From a file to a bulk change: upload, columns, preview, start."""

from __future__ import annotations

from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from purelymanage.crypto import unseal
from purelymanage.mailboxes.bulk.uploads import InMemory
from purelymanage.mailboxes.models import Bulk, BulkRow, Mailbox
from purelymanage.sheets.reading import MOST_BYTES
from tests.cast import HTMX
from tests.mailboxes.bulk.cases import ADDRESSES, BulkTestCase

State, Verdict = BulkRow.State, BulkRow.Verdict
TABLE = """\
Address;Recovery address;Password reset;Password;Tags
zoe@shop.example;zoe@home.example;yes;nine-blue-canaries;berlin
orders@shop.example;;;other-words-entirely;team
returns@shop.example;;;;
zoe@nowhere.example;;maybe;;
broken;row
"""


class ImportTestCase(BulkTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)

    def upload(self, text: str = TABLE, **fields: str) -> Bulk:
        file = SimpleUploadedFile("people.csv", text.encode(), "text/csv")
        form = {"kind": "create", "file": file, **fields}
        r = self.client.post("/mailboxes/import/", form)
        bulk = Bulk.objects.latest("pk")
        self.assertRedirects(r, f"/mailboxes/bulk/{bulk.pk}/columns/")
        return bulk

    def choose(self, bulk: Bulk, **fields: str) -> None:
        form = {
            "column0": "address",
            "column1": "recovery_email",
            "column2": "reset_allowed",
            "column4": "tags",
            "passwords": "made",
            "change_existing": "on",
            "reset_allowed": "on",
            "search_indexing": "on",
            **fields,
        }
        r = self.client.post(f"/mailboxes/bulk/{bulk.pk}/columns/", form)
        self.assertRedirects(r, f"/mailboxes/bulk/{bulk.pk}/")


class UploadTests(ImportTestCase):
    def test_cells_are_kept_sealed_and_guessed(self) -> None:
        bulk = self.upload()
        self.assertNotIn("canaries", bulk.sheet)
        self.assertIn("canaries", unseal(bulk.sheet, bound_to=bulk.sheet_place))
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/columns/")
        self.assertContains(r, '<option value="address" selected>')
        self.assertContains(r, '<option value="recovery_email" selected>')
        self.assertContains(r, "5 rows, 1 of them unreadable")
        self.assertNotContains(r, "canaries")

    def test_nothing_of_an_upload_is_written_to_a_disk(self) -> None:
        big = "address\n" + "x" * 3_000_000 + "\n"  # above what Django keeps in memory
        file = SimpleUploadedFile("people.csv", big.encode(), "text/csv")
        disk = mock.patch(
            "django.core.files.temp.NamedTemporaryFile", side_effect=AssertionError
        )
        with disk:
            r = self.client.post("/mailboxes/import/", {"kind": "create", "file": file})
        self.assertEqual(r.status_code, 302)
        self.assertContains(self.client.get(r["Location"]), "1 of them unreadable")

    def test_too_large_a_file_is_refused_and_not_kept(self) -> None:
        file = SimpleUploadedFile("people.csv", b"a" * (MOST_BYTES + 1_000_000))
        r = self.client.post("/mailboxes/import/", {"kind": "create", "file": file})
        self.assertContains(r, "This file has 6.0", status_code=422)
        handler = InMemory()
        handler.receive_data_chunk(b"a" * MOST_BYTES, 0)
        handler.receive_data_chunk(b"a" * MOST_BYTES, MOST_BYTES)
        self.assertEqual(len(handler.kept), MOST_BYTES)

    def test_too_much_pasted_is_told_in_a_sentence(self) -> None:
        with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1_000):
            r = self.client.post(
                "/mailboxes/import/", {"kind": "create", "table": "a" * 2_000}
            )
        self.assertContains(r, "more than can be pasted", status_code=422)

    def test_a_pasted_table_will_do(self) -> None:
        r = self.client.post(
            "/mailboxes/import/",
            {"kind": "create", "table": "address\nzoe@shop.example"},
        )
        self.assertEqual(r.status_code, 302)

    def test_what_is_no_table_is_told_in_a_sentence(self) -> None:
        r = self.client.post("/mailboxes/import/", {"kind": "create"})
        self.assertContains(r, "Choose a file, or paste a table.", status_code=422)
        file = SimpleUploadedFile("people.csv", b"")
        r = self.client.post("/mailboxes/import/", {"kind": "create", "file": file})
        self.assertContains(r, "This file is empty.", status_code=422)

    def test_it_wants_the_token_of_the_form(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(self.adam)
        r = client.post("/mailboxes/import/", {"kind": "create", "table": "address"})
        self.assertEqual(r.status_code, 403)

    def test_the_example_is_read_without_a_doubt(self) -> None:
        r = self.client.get("/mailboxes/import/template/")
        text = b"".join(r.streaming_content).decode()  # type: ignore[attr-defined]
        bulk = self.upload(text)
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/columns/")
        self.assertEqual(r.context["guessed"].doubts, ())


class PreviewTests(ImportTestCase):
    def test_each_line_says_what_it_means(self) -> None:
        bulk = self.upload()
        self.choose(bulk)
        verdicts = dict(bulk.rows.values_list("number", "verdict"))
        self.assertEqual(
            verdicts,
            {2: Verdict.NEW, 3: Verdict.CHANGED, 4: Verdict.SAME, 5: Verdict.ERROR}
            | {6: Verdict.ERROR},
        )
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/")
        for words in (
            "Start with the 2 right ones",
            "nowhere.example is no domain of this account.",
            "Password reset:",
            "Write yes or no",
            "The line has 2 cells, where there are 5 columns.",
        ):
            self.assertContains(r, words)
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/?rows=error", headers=HTMX)
        self.assertContains(r, "zoe@nowhere.example")
        self.assertNotContains(r, "zoe@shop.example")

    def test_passwords_of_the_file_are_sealed_and_never_shown(self) -> None:
        bulk = self.upload()
        self.choose(bulk, column3="password", passwords="file")
        row = bulk.rows.get(number=2)
        self.assertEqual(
            unseal(row.secret, bound_to=row.secret_place), "nine-blue-canaries"
        )
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/")
        self.assertContains(r, "Password from the file")
        self.assertNotContains(r, "canaries")
        self.assertNotIn("canaries", str(list(bulk.rows.values("wishes", "faults"))))

    @pytest.mark.slow
    def test_it_starts_with_the_right_ones(self) -> None:
        bulk = self.upload()
        self.choose(bulk, column3="password", passwords="file")
        r = self.client.post(f"/mailboxes/bulk/{bulk.pk}/start/")
        self.assertRedirects(r, f"/mailboxes/bulk/{bulk.pk}/")
        bulk.refresh_from_db()
        self.assertEqual(bulk.sheet, "")
        self.work()
        self.assertEqual(
            self.counts(bulk), {State.DONE: 2, State.SAME: 1, State.LEFT_OUT: 2}
        )
        zoe = self.users()["zoe@shop.example"]
        self.assertTrue(zoe.password.matches("nine-blue-canaries"))
        self.assertEqual(zoe.reset_methods[0].target, "zoe@home.example")
        orders = Mailbox.objects.get(address="orders@shop.example")
        self.assertEqual(orders.tags, ["team"])
        self.assertFalse(
            self.users()["orders@shop.example"].password.matches("other-words-entirely")
        )

    @pytest.mark.slow
    def test_the_same_file_once_more_changes_nothing(self) -> None:
        for _ in range(2):
            bulk = self.upload()
            self.choose(bulk)
            if bulk.rows.waiting().exists():
                self.client.post(f"/mailboxes/bulk/{bulk.pk}/start/")
                self.work()
        self.assertEqual(bulk.rows.by_verdict(), {Verdict.SAME: 3, Verdict.ERROR: 2})
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/")
        self.assertContains(r, "There is nothing to do")

    def test_columns_can_be_chosen_anew(self) -> None:
        bulk = self.upload()
        self.choose(bulk)
        self.choose(bulk, column2="", column4="")
        self.assertEqual(bulk.rows.get(number=3).verdict, Verdict.SAME)
        r = self.client.post(
            f"/mailboxes/bulk/{bulk.pk}/columns/",
            {"column0": "", "passwords": "made"},
        )
        self.assertContains(r, "No column is the address.", status_code=422)

    def test_a_file_of_addresses_serves_every_kind(self) -> None:
        text = "Address\norders@shop.example\nnobody@shop.example\nnonsense\n"
        bulk = self.upload(text, kind="tag")
        r = self.client.post(
            f"/mailboxes/bulk/{bulk.pk}/columns/", {"column0": "address"}
        )
        self.assertEqual(r.status_code, 302)
        self.assertEqual(self.counts(bulk), {State.WAITING: 1, State.LEFT_OUT: 2})

    @pytest.mark.slow
    def test_a_thousand_rows_take_as_many_queries_as_ten(self) -> None:
        counts = []
        for addresses in (ADDRESSES[:10], ADDRESSES):
            lines = [f"{it};{n}@home.example" for n, it in enumerate(addresses)]
            with CaptureQueriesContext(connection) as queries:
                bulk = self.upload("address;recovery address\n" + "\n".join(lines))
                self.choose(bulk, column2="", column4="")
                self.client.get(f"/mailboxes/bulk/{bulk.pk}/")
            self.assertEqual(bulk.rows.count(), len(addresses))
            counts.append(len(queries))
        self.assertLessEqual(counts[1], counts[0] + 2, counts)

    @pytest.mark.slow
    def test_people_see_their_own_drafts_and_domains_only(self) -> None:
        bulk = self.upload()
        self.choose(bulk)
        for path in ("", "columns/"):
            self.client.force_login(self.olga)
            r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/{path}")
            self.assertEqual(r.status_code, 404)
        self.client.force_login(self.lina)
        bulk = self.upload("address\nx@shop.example\nx@example.org\n")
        self.choose(bulk, column1="", column2="", column4="")
        row = bulk.rows.get(address="x@example.org")
        self.assertEqual(row.state, State.LEFT_OUT)
        self.assertIn("no domain of this account", row.reason)
