from __future__ import annotations

import json
import tempfile
from io import StringIO
from pathlib import Path

from django.core.management import CommandError, call_command

from purelymanage.audit.models import Entry
from purelymanage.migrations.models import Batch, Job
from tests.account import add_server
from tests.migrations.importing.cases import TABLE, ImportTestCase

RIGHT = "\n".join(TABLE.splitlines()[:-1])


class ImportCommandTests(ImportTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_it(self, text: str, *options: str) -> tuple[int, str, str]:
        """Return how it ended, and what it said on both of its outputs."""
        file = self.folder / "wave.csv"
        file.write_text(text)
        out, err = StringIO(), StringIO()
        try:
            call_command(
                "import_jobs",
                str(file),
                "--server",
                self.server.name,
                *options,
                stdout=out,
                stderr=err,
            )
        except SystemExit as exc:
            return int(exc.code or 0), out.getvalue(), err.getvalue()
        return 0, out.getvalue(), err.getvalue()

    def test_it_imports_what_is_right(self) -> None:
        code, out, _ = self.run_it(RIGHT, "--batch", "First wave")
        batch = Batch.objects.get()
        self.assertEqual(code, 0)
        self.assertIn(f"3 copies imported as batch {batch.pk}, First wave.", out)
        self.assertEqual(batch.created_by, self.olga)
        self.assertEqual(batch.sheet, "")
        self.assertEqual(batch.jobs.filter(login=Job.Login.WAITING).count(), 3)
        self.assertNotEqual(Entry.objects.last().actor_name, "olga@example.org")  # type: ignore[union-attr]

    def test_rows_with_an_error_are_told_and_left_out(self) -> None:
        code, out, err = self.run_it(TABLE)
        self.assertEqual(code, 1)
        self.assertIn("Line 5, dest_email: There is no such mailbox", err)
        self.assertIn("wave; 1 row left out.", out)
        self.assertNotIn("four", out + err)

    def test_a_dry_run_keeps_nothing(self) -> None:
        code, out, _ = self.run_it(TABLE, "--dry-run")
        self.assertEqual(code, 1)
        self.assertIn("3 copies could be imported; 1 row left out.", out)
        self.assertFalse(Batch.objects.exists())

    def test_it_creates_what_is_missing(self) -> None:
        code, _, _ = self.run_it(TABLE, "--create-missing")
        self.assertEqual(code, 0)
        self.assertEqual(Job.objects.filter(creates_destination=True).count(), 1)

    def test_it_prints_json(self) -> None:
        _, out, _ = self.run_it(TABLE, "--dry-run", "--json")
        told = json.loads(out)
        self.assertEqual((told["copies"], told["left_out"]), (3, 1))
        self.assertEqual(told["errors"][0]["line"], 5)

    def test_it_takes_another_server(self) -> None:
        other = add_server(self.olga, name="Other", host="other.example")
        text = "from,password,to,dest_password\na,b,c,d\n"
        code, _, _ = self.run_it(text, "--destination-server", "other")
        self.assertEqual(code, 0)
        self.assertEqual(Job.objects.get().destination_server, other)

    def test_it_works_in_somebodys_name(self) -> None:
        code, _, err = self.run_it(RIGHT, "--person", "lina@example.org")
        self.assertEqual(code, 1)
        self.assertIn("example.org is not one of your domains.", err)
        self.assertEqual(Batch.objects.get().created_by, self.lina)

    def test_what_cannot_begin_is_said(self) -> None:
        for text, options, words in (
            ("", (), "This file is empty."),
            ("a,b\nc,d\n", (), "No column is surely the old mailbox."),
            (RIGHT, ("--server", "Nowhere"), "There is no server Nowhere."),
            (RIGHT, ("--person", "x@y.example"), "nobody called x@y.example"),
            (RIGHT, ("--person", "audrey@example.org"), "do not allow this"),
        ):
            with self.subTest(words=words):
                with self.assertRaisesMessage(CommandError, words) as raised:
                    self.run_it(text, *options)
                self.assertEqual(raised.exception.returncode, 2)
        self.assertFalse(Batch.objects.exists())
