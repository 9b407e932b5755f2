from __future__ import annotations

import io
import json
from pathlib import Path
from unittest import mock

import pytest
from django.core import mail as outbox
from django.core.management import CommandError, call_command
from django.test import TestCase
from django_q.models import OrmQ

from purelymanage.audit import checkpoints, mail, operations, tasks
from purelymanage.audit.models import ChainCheck, Entry, OutgoingMail
from purelymanage.audit.verification import Position
from tests.audit.test_chain import write


class VerifyAuditTests(TestCase):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.file = tmp_path / "checkpoints"

    def setUp(self) -> None:
        write(10)

    def verify(self, *arguments: str) -> str:
        said = io.StringIO()
        call_command("verify_audit", *arguments, stdout=said)
        return said.getvalue()

    def check(self) -> str:
        with self.settings(AUDIT_CHECKPOINT_FILE=str(self.file)):
            return tasks.check_chain()

    def test_it_counts_what_is_whole(self) -> None:
        self.assertEqual(self.verify(), "10 entries are as they were written.\n")
        self.assertEqual(Position(1).in_words, "1 entry is as it was written")

    def test_it_names_the_first_broken_entry(self) -> None:
        Entry.objects.filter(sequence__in=(4, 6)).update(target="x@example.org")
        with self.assertRaises(CommandError) as caught:
            self.verify()
        self.assertEqual(caught.exception.returncode, 1)
        self.assertIn("Entry 4 (mailbox.created x@example.org)", str(caught.exception))

    def test_an_entry_put_before_the_first_one_is_named(self) -> None:
        for number in (0, -5):
            forged = Entry.objects.get(sequence=3)
            forged.pk, forged.sequence, forged.target = None, number, "x@example.org"
            forged.save(force_insert=True)
            with self.assertRaisesMessage(CommandError, "never part of the chain"):
                self.verify()
            Entry.objects.filter(sequence=number).delete()

    def test_a_checkpoint_tells_of_a_cut_tail(self) -> None:
        self.check()
        ChainCheck.objects.all().delete()  # whoever cuts the chain does this, too
        Entry.objects.filter(sequence__gt=7).delete()
        self.verify()
        with self.assertRaisesMessage(CommandError, "Entry 8 is missing"):
            self.verify("--checkpoint", str(self.file))

    def test_the_last_check_tells_as_well_while_it_is_there(self) -> None:
        self.check()
        Entry.objects.filter(sequence__gt=7).delete()
        with self.assertRaisesMessage(CommandError, "Entry 8 is missing"):
            self.verify()

    def test_older_checkpoints_of_the_file_are_looked_at_too(self) -> None:
        self.check()
        write(5)
        self.check()
        self.assertEqual(len(self.file.read_text().splitlines()), 2)
        self.assertIn("15 entries", self.verify("--checkpoint", str(self.file)))

    def test_a_mail_is_taken_as_it_is(self) -> None:
        with self.settings(AUDIT_CHECKPOINT_EMAIL="vault@example.org"):
            tasks.check_chain()
        queued = OutgoingMail.objects.get()
        self.assertEqual(queued.recipient, "vault@example.org")
        with mock.patch.object(mail, "_settle"):
            mail.send_due()
        self.file.write_text(str(outbox.outbox[0].body))
        self.assertIn("10 entries", self.verify("--checkpoint", str(self.file)))

    def test_a_forged_checkpoint_is_refused(self) -> None:
        self.check()
        note = json.loads(self.file.read_text())
        self.file.write_text(json.dumps(note | {"entries": 7}))
        with self.assertRaisesMessage(CommandError, "not signed by AUDIT_KEY"):
            self.verify("--checkpoint", str(self.file))

    def test_a_file_without_a_checkpoint_is_refused(self) -> None:
        for text in ("", "Hello", "{broken"):
            self.file.write_text(text)
            with self.assertRaises(CommandError):
                self.verify("--checkpoint", str(self.file))
        with self.assertRaisesMessage(CommandError, "cannot be read"):
            self.verify("--checkpoint", str(self.file.with_name("nothing")))


class CheckChainTests(TestCase):
    def setUp(self) -> None:
        write(10)

    def test_a_broken_chain_is_told_once(self) -> None:
        Entry.objects.filter(sequence=4).update(target="x@example.org")
        with self.assertLogs("purelymanage.audit", "ERROR") as logs:
            for _ in range(2):
                self.assertIn("Entry 4", tasks.check_chain())
        self.assertEqual(len(logs.output), 1)
        said = Entry.objects.get(event="panel.chain_broken").sentence
        self.assertIn("found the audit log tampered with: Entry 4", said)

    def test_no_checkpoint_is_made_of_a_broken_chain(self) -> None:
        Entry.objects.filter(sequence=4).delete()
        with self.settings(AUDIT_CHECKPOINT_EMAIL="vault@example.org"):
            tasks.check_chain()
        self.assertFalse(OutgoingMail.objects.exists())

    def test_a_long_chain_takes_several_legs(self) -> None:
        with (
            mock.patch.object(operations, "LEG", 0),
            mock.patch("purelymanage.audit.verification.PER_FETCH", 4),
        ):
            for position in (4, 8, 10):
                tasks.check_chain()
                check = ChainCheck.objects.get()
                self.assertEqual(check.sequence, position)
                self.assertIsNone(check.finished_at)
        self.assertEqual(OrmQ.objects.count(), 3)
        self.assertEqual(tasks.check_chain(), "10 entries are as they were written")
        self.assertIsNotNone(ChainCheck.objects.get().finished_at)

    def test_a_checkpoint_that_cannot_be_written_is_logged(self) -> None:
        with (
            self.settings(AUDIT_CHECKPOINT_FILE="/nowhere/at/all"),
            self.assertLogs("purelymanage.audit.checkpoints", "ERROR"),
        ):
            tasks.check_chain()
        self.assertIsNotNone(ChainCheck.objects.get().finished_at)

    def test_another_app_may_name_the_address(self) -> None:
        addresses = [lambda: "vault@example.org", lambda: ""]
        with mock.patch.object(checkpoints, "_addresses", addresses):
            tasks.check_chain()
        self.assertEqual(OutgoingMail.objects.get().recipient, "vault@example.org")
