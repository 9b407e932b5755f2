from __future__ import annotations

import csv
import io
import json
from unittest import mock

from django.http import StreamingHttpResponse

from purelymanage.audit import exports, log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, Entry
from purelymanage.sheets.cells import is_formula
from tests.audit.test_chain import write
from tests.cast import CastTestCase


class ExportEntriesTests(CastTestCase):
    def setUp(self) -> None:
        write(7)
        self.client.force_login(self.audrey)

    def export(self, form: str, **asked: str) -> str:
        r = self.client.get(f"/audit/export/{form}/", asked)
        assert isinstance(r, StreamingHttpResponse)
        self.assertIn("attachment", r["Content-Disposition"])
        return b"".join(r).decode()

    def rows(self, **asked: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.export("csv", **asked)[1:])))

    def test_it_holds_the_filtered_entries(self) -> None:
        self.assertEqual(len(self.rows(what="mailbox")), 7)
        (row,) = self.rows(target="box3@example.org")
        self.assertEqual(row["sentence"], "created the mailbox box3@example.org")
        self.assertEqual(row["hmac"], Entry.objects.get(sequence=4).hmac)
        self.assertEqual(len(self.rows(q="box3@", what="mailbox")), 1)

    def test_json_lines_hold_the_same(self) -> None:
        lines = self.export("jsonl", what="mailbox").splitlines()
        self.assertEqual([json.loads(line)["sequence"] for line in lines][:2], [7, 6])

    def test_it_is_read_in_steps(self) -> None:
        with mock.patch.object(exports, "PER_STEP", 3):
            found = [row["sequence"] for row in self.rows(what="mailbox")]
        self.assertEqual(found, ["7", "6", "5", "4", "3", "2", "1"])

    def test_it_leaves_an_entry_that_names_the_filter(self) -> None:
        self.export("csv", what="mailbox", since="2020-01-01")
        entry = Entry.objects.latest("sequence")
        self.assertEqual(
            str(entry),
            "audrey@example.org exported the audit log as CSV: "
            "what mailbox, since 2020-01-01",
        )

    def test_no_cell_is_a_formula(self) -> None:
        for target in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"):
            log.record(Event.MAILBOX_CREATED, actor=Agent.PANEL, target=target)
            (row,) = self.rows(target=target.strip()) or [{"target": ""}]
            if target.strip() == target:
                self.assertEqual(row["target"], f"'{target}")
        for row in self.rows():
            for cell in row.values():
                self.assertFalse(is_formula(cell))

    def test_limited_people_take_along_what_they_see(self) -> None:
        self.client.force_login(self.lina)
        self.assertEqual(self.rows(what="mailbox"), [])

    def test_other_forms_and_wrong_filters_are_not_there(self) -> None:
        for path in ("xml/", "csv/?since=x"):
            self.assertEqual(self.client.get(f"/audit/export/{path}").status_code, 404)

    def test_a_look_at_the_headers_exports_nothing(self) -> None:
        before = Entry.objects.count()
        self.assertEqual(self.client.head("/audit/export/csv/").status_code, 405)
        self.assertEqual(Entry.objects.count(), before)
