"""Rules as a table: in with a preview, and out again."""

from __future__ import annotations

from datetime import date

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from purelymanage.audit.models import Agent, Entry
from purelymanage.domains import sync
from purelymanage.routing.models import Expiry, Rule, RuleBulk
from tests.routing.bulk_cases import RuleBulkTestCase

PATH = "/routing/import/"
HEADER = "Address or pattern,Kind,Targets,Copy for the mailbox,Note,Last day\n"


class ImportTestCase(RuleBulkTestCase):
    def upload(self, text: str, name: str = "rules.csv") -> RuleBulk:
        file = SimpleUploadedFile(name, text.encode())
        return self.draft(PATH, {"file": file})


class ImportTests(ImportTestCase):
    def test_each_row_gets_its_verdict(self) -> None:
        bulk = self.upload(
            HEADER
            + "team@shop.example,,orders@shop.example; ext@else.example,,,\n"
            + "hello@shop.example,exact,orders@shop.example,,,\n"
            + "rma*@shop.example,prefix,returns@shop.example,,,\n"
            + "*@shop.example,,orders@shop.example,,,\n"
            + "x@foreign.example,,orders@shop.example,,,\n"
            + "team@shop.example,,other@else.example,,,\n"
            + "a b@shop.example,odd,nobody,maybe,,soon\n"
        )
        rows = list(bulk.rows.values_list("number", "verdict"))
        self.assertEqual(
            rows,
            [
                (2, "new"),
                (3, "changed"),
                (4, "same"),
                (5, "error"),
                (6, "error"),
                (7, "error"),
                (8, "error"),
            ],
        )
        faults = {row.number: row.faults for row in bulk.rows.all()}
        self.assertEqual(faults[5][0][0], "Kind")
        self.assertIn("is no domain of this account", faults[6][0][1])
        self.assertIn("Line 2 is about the same addresses", faults[7][0][1])
        columns = [column for column, _ in faults[8]]
        self.assertEqual(columns, ["Address or pattern", "Targets", "Last day"])
        r = self.client.get(f"/routing/bulk/{bulk.pk}/")
        self.assertContains(r, "Start with 2 rules")
        self.assertContains(r, "is no e-mail address")

    def test_the_checks_warn_before_it_starts(self) -> None:
        bulk = self.upload(
            HEADER
            + "mia.wendt@shop.example,,orders@shop.example,,,\n"
            + "loop@shop.example,,loop2@shop.example,,,\n"
            + "loop2@shop.example,,loop@shop.example,,,\n"
            + "*@shop.example,any,orders@shop.example,,,\n"
        )
        r = self.client.get(f"/routing/bulk/{bulk.pk}/")
        for words in (
            "mia.wendt@shop.example is a mailbox, but this rule takes all of its mail",
            "Mail goes round in a circle",
            "of shop.example get no mail",
            "Type shop.example to confirm",
        ):
            self.assertContains(r, words)

    def test_it_is_carried_out_with_note_and_last_day(self) -> None:
        last = date(timezone.localdate().year + 1, 5, 1)
        bulk = self.upload(
            HEADER
            + "mia.wendt@shop.example,,orders@shop.example,yes,"
            + f"on leave,{last:%d.%m.%Y}\n"
            + "hello@shop.example,,orders@shop.example,,moved,\n"
        )
        states = self.run_bulk(bulk)
        self.assertEqual(set(states.values()), {"done"})
        listed = self.listed()
        self.assertEqual(
            listed["mia.wendt@shop.example"],
            ["mia.wendt@shop.example", "orders@shop.example"],
        )
        self.assertEqual(listed["hello@shop.example"], ["orders@shop.example"])
        rule = Rule.objects.present().get(match_user="mia.wendt")
        self.assertEqual(rule.note, "on leave")
        self.assertEqual(Expiry.objects.get().remote_id, rule.remote_id)
        self.assertEqual(Expiry.objects.get().ends_on, last)
        moved = Rule.objects.present().get(domain="shop.example", match_user="hello")
        self.assertEqual(moved.note, "moved")

    def test_where_columns_are_in_doubt_somebody_is_asked(self) -> None:
        bulk = self.upload("what,where\nteam@shop.example,orders@shop.example\n")
        path = f"/routing/bulk/{bulk.pk}/columns/"
        self.assertRedirects(self.client.get(f"/routing/bulk/{bulk.pk}/"), path)
        r = self.client.post(path, {"column0": "address"})
        self.assertContains(r, "No column is the targets", status_code=422)
        self.client.post(path, {"column0": "address", "column1": "targets"})
        self.assertEqual(self.verdicts(bulk), {"team@shop.example": "new"})

    def test_a_file_that_is_no_table_is_refused(self) -> None:
        r = self.client.post(PATH, {"file": SimpleUploadedFile("x.csv", b"%PDF-1.7")})
        self.assertContains(r, "This is a PDF document", status_code=422)
        self.assertContains(self.client.post(PATH), "Choose a file", status_code=422)

    def test_limited_people_touch_their_domains_alone(self) -> None:
        self.client.force_login(self.lina)
        bulk = self.upload(
            HEADER
            + "team@shop.example,,orders@shop.example,,,\n"
            + "abuse@example.org,,orders@shop.example,,,\n"
        )
        self.assertEqual(
            self.verdicts(bulk),
            {"team@shop.example": "new", "abuse@example.org": "error"},
        )
        self.assertEqual(bulk.domains, ["shop.example"])


class ExportTests(ImportTestCase):
    def export(self, **filters: str) -> str:
        r = self.client.get("/routing/export/csv/", filters)
        return b"".join(r.streaming_content).decode()  # type: ignore[attr-defined]

    def test_what_is_exported_can_be_imported_and_changes_nothing(self) -> None:
        bulk = self.upload(self.export())
        self.assertEqual(set(self.verdicts(bulk).values()), {"same"})
        self.assertEqual(bulk.rows.count(), Rule.objects.present().count())
        entry = Entry.objects.get(event="rule.exported")
        self.assertEqual(entry.details, {"filters": "no filter"})

    def test_filters_and_scope_hold(self) -> None:
        self.client.force_login(self.lina)
        table = self.export(q="rma")
        self.assertEqual(len(table.splitlines()), 2)
        self.assertIn("rma*@shop.example,prefix,returns@shop.example", table)
        self.assertNotIn("example.org", self.export())

    def test_no_cell_is_a_formula(self) -> None:
        Rule.objects.filter(match_user="hello").update(note="=1+1")
        sync.sync(actor=Agent.PANEL)
        self.assertIn("'=1+1", self.export())

    def test_the_example_file_can_be_imported(self) -> None:
        r = self.client.get("/routing/import/template/")
        text = b"".join(r.streaming_content).decode()  # type: ignore[attr-defined]
        bulk = self.upload(text.replace("2027-01-31", ""))
        self.assertEqual(bulk.rows.exclude(verdict="error").count(), 4)
