from __future__ import annotations

import base64
import io
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from unittest import mock

from django.conf import settings
from django.core.checks import run_checks
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import TestCase, override_settings
from django.utils import timezone

from purelymanage import command_line, crypto
from purelymanage.audit import key_proofs
from purelymanage.audit.mail import queue_mail
from purelymanage.audit.models import Entry, KeyProof, OutgoingMail
from purelymanage.audit.verification import Position, walk
from purelymanage.environment import NEVER_MIND
from tests.audit.test_chain import write


def key(key_id: str, letter: str = "") -> str:
    text = (letter or key_id).encode() * 32
    return f"{key_id}:{base64.b64encode(text).decode()}"


ONE = override_settings(ENCRYPTION_KEYS=key("1"))


@ONE
class KeyProofTests(TestCase):
    def refusal(self) -> str:
        with self.assertRaises(key_proofs.WrongKeys) as caught:
            key_proofs.prove()
        return str(caught.exception)

    def seal_something(self) -> None:
        queue_mail(to="olga@example.org", subject="Hello", text="a link")

    def test_right_keys_are_remembered_and_right_again(self) -> None:
        for _ in range(2):
            key_proofs.prove()
        names = KeyProof.objects.order_by("name").values_list("name", flat=True)
        self.assertEqual(list(names), ["audit", "seal 1"])

    def test_a_key_with_the_same_id_and_other_bytes_is_refused(self) -> None:
        key_proofs.prove()
        with override_settings(ENCRYPTION_KEYS=key("1", "x")):
            self.assertIn("key 1 in ENCRYPTION_KEYS is not the one", self.refusal())
        key_proofs.prove()

    def test_it_is_refused_also_where_nothing_was_remembered(self) -> None:
        self.seal_something()
        with override_settings(ENCRYPTION_KEYS=key("1", "x")):
            self.assertIn("key 1 in ENCRYPTION_KEYS is not the one", self.refusal())
        self.assertFalse(KeyProof.objects.exists())

    def test_one_broken_text_is_no_wrong_key(self) -> None:
        for _ in range(2):
            self.seal_something()
        first, second = OutgoingMail.objects.order_by("pk")
        OutgoingMail.objects.filter(pk=first.pk).update(sealed=second.sealed)
        key_proofs.prove()

    def test_a_key_that_is_used_must_not_be_missing(self) -> None:
        self.seal_something()
        with override_settings(ENCRYPTION_KEYS=key("2")):
            said = self.refusal()
        self.assertIn("has no key 1, and one secret is sealed with it", said)
        with override_settings(ENCRYPTION_KEYS=f"{key('2')},{key('1')}"):
            key_proofs.prove()

    def test_a_key_that_nothing_uses_may_go_but_not_come_back_as_another(self) -> None:
        key_proofs.prove()
        with override_settings(ENCRYPTION_KEYS=key("2")):
            key_proofs.prove()
        with override_settings(ENCRYPTION_KEYS=f"{key('2')},{key('1', 'x')}"):
            self.assertIn("The key 1", self.refusal())

    def test_another_key_for_the_audit_log_is_refused(self) -> None:
        write(3)
        with override_settings(AUDIT_KEY="another"):
            self.assertIn("AUDIT_KEY is not the one", self.refusal())
        key_proofs.prove()
        with override_settings(AUDIT_KEY="another"):
            self.assertIn("AUDIT_KEY is not the one", self.refusal())

    def test_one_broken_entry_is_no_wrong_key(self) -> None:
        write(3)
        Entry.objects.filter(sequence=3).update(target="x@example.org")
        key_proofs.prove()

    def test_the_audit_log_goes_on_with_a_new_key_where_the_old_is_named(self) -> None:
        old = settings.AUDIT_KEY
        write(3)
        key_proofs.prove()
        with override_settings(AUDIT_KEY="another", AUDIT_KEY_FALLBACKS=[old]):
            for _ in range(2):
                key_proofs.prove()
            self.assertEqual(Entry.objects.count(), 4)
            last = Entry.objects.get(sequence=4)
            self.assertEqual(last.event, "panel.audit_key_replaced")
            self.assertEqual(walk().problem, "")
        with override_settings(AUDIT_KEY=old):
            self.assertIn("AUDIT_KEY is not the one", self.refusal())

    def test_whoever_has_the_old_key_of_the_audit_log_cannot_go_on_with_it(
        self,
    ) -> None:
        old = settings.AUDIT_KEY
        write(3)
        replaced = override_settings(AUDIT_KEY="another", AUDIT_KEY_FALLBACKS=[old])
        with replaced:
            write(1)
        write(1)  # a worker that was not started anew yet
        with replaced:
            self.assertEqual(walk().problem, "")
            # The next leg of a long walk begins where the new key is known.
            leg = Position(4, Entry.objects.get(sequence=4).hmac)
            self.assertEqual(walk(since=leg).problem, "")
        later = timezone.now() + timedelta(hours=2)
        with mock.patch.object(timezone, "now", return_value=later):
            write(1)
        with replaced:
            self.assertIn("Entry 6", walk().problem)
            self.assertIn("Entry 6", walk(since=leg).problem)
        Entry.objects.filter(sequence=2).update(target="x@example.org")
        with replaced:
            self.assertIn("Entry 2", walk().problem)

    def test_wrong_keys_end_the_start_with_a_sentence(self) -> None:
        key_proofs.prove()
        said = io.StringIO()
        with (
            override_settings(ENCRYPTION_KEYS=key("1", "x")),
            redirect_stderr(said),
            # It would end the transaction that the test is in.
            mock.patch.object(connection, "close"),
            mock.patch.object(connection, "close_pool"),
            self.assertRaises(SystemExit) as caught,
        ):
            key_proofs.prove_or_exit()
        self.assertEqual(caught.exception.code, NEVER_MIND)
        self.assertIn("PurelyManage does not start. The key 1", said.getvalue())

    def test_processes_that_are_forked_later_share_no_connection(self) -> None:
        # In a transaction of the tests it cannot be closed in earnest.
        with (
            mock.patch.object(DatabaseWrapper, "close") as closes,
            mock.patch.object(DatabaseWrapper, "close_pool") as closes_pool,
        ):
            key_proofs.prove_or_exit()
        closes.assert_called_once_with()
        closes_pool.assert_called_once_with()

    def test_commands_that_could_do_harm_are_refused_and_others_are_not(self) -> None:
        key_proofs.prove()
        with (
            override_settings(ENCRYPTION_KEYS=key("1", "x")),
            redirect_stderr(io.StringIO()),
            mock.patch.object(connection, "close"),
            mock.patch.object(connection, "close_pool"),
        ):
            with self.assertRaises(SystemExit) as caught:
                command_line.run(["manage.py", "verify_audit"])
            self.assertEqual(caught.exception.code, NEVER_MIND)
            # What helps to put it right is not among them.
            with redirect_stdout(io.StringIO()):
                command_line.run(["manage.py", "showmigrations", "audit"])
                with self.assertRaises(SystemExit) as caught:
                    command_line.run(["manage.py", "verify_audit", "--help"])
            self.assertEqual(caught.exception.code, 0)

    def test_checks_of_the_database_tell_as_well(self) -> None:
        key_proofs.prove()
        self.assertEqual(run_checks(databases=["default"]), [])
        with override_settings(ENCRYPTION_KEYS=key("1", "x")):
            (found,) = run_checks(databases=["default"])
        self.assertEqual(found.id, "purelymanage.E001")

    def test_nothing_secret_is_said(self) -> None:
        self.seal_something()
        with override_settings(ENCRYPTION_KEYS=key("1", "x")):
            said = self.refusal()
        for secret in (key("1")[2:], key("1", "x")[2:], "a link"):
            self.assertNotIn(secret, said)
        self.assertEqual(crypto.key_ids(), ["1"])
