from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from django.db import transaction
from django.test import override_settings

from purelymanage.purelymail import client
from purelymanage.purelymail.client import PurelymailClient, get_client
from purelymanage.purelymail.errors import (
    NotSent,
    PurelymailError,
    Rejected,
    Unavailable,
)
from purelymanage.purelymail.sandbox.account import OPERATIONS
from purelymanage.purelymail.sandbox.demo import HEALTHY
from tests.sandbox import SandboxTestCase

if TYPE_CHECKING:
    from collections.abc import Iterator

ANNA = "anna@example.org"


class OperationsTests(SandboxTestCase):
    """Each operation does at the stand-in what it says."""

    def setUp(self) -> None:
        super().setUp()
        self.purelymail = get_client()

    def test_mailboxes(self) -> None:
        self.purelymail.create_user(
            "new@example.org",
            "a password",
            enable_password_reset=False,
            enable_search_indexing=False,
            recovery_email="new@private.example",
        )
        self.assertIn("new@example.org", self.purelymail.list_users())
        details = self.purelymail.get_user("new@example.org")
        self.assertFalse(details.reset_allowed or details.search_indexing)
        self.assertEqual(details.recovery_methods[0].target, "new@private.example")

        self.purelymail.modify_user(
            "new@example.org",
            new_address="newer@example.org",
            new_password="another",
            enable_search_indexing=True,
            require_two_factor=False,
        )
        self.assertTrue(self.purelymail.get_user("newer@example.org").search_indexing)
        login = self.sandbox.account.log_in("newer@example.org", "another")
        self.assertIsNotNone(login)

        self.purelymail.delete_user("newer@example.org")
        self.assertNotIn("newer@example.org", self.purelymail.list_users())

    def test_recovery_methods(self) -> None:
        upsert = self.purelymail.upsert_password_reset
        upsert("ben@example.org", type="phone", target="+1", allow_mfa_reset=False)
        upsert("ben@example.org", type="phone", target="+2", existing_target="+1")
        methods = self.purelymail.list_password_resets("ben@example.org")
        self.assertEqual([it.target for it in methods], ["+2"])

        self.purelymail.delete_password_reset("ben@example.org", "+2")
        self.assertEqual(self.purelymail.list_password_resets("ben@example.org"), [])
        with self.assertRaises(ValueError):
            self.purelymail.delete_password_reset("ben@example.org", "")

    def test_app_passwords(self) -> None:
        secret = self.purelymail.create_app_password(ANNA, "a copy")
        self.assertIsNotNone(self.sandbox.account.log_in(ANNA, secret))
        self.purelymail.delete_app_password(ANNA, secret)
        self.assertIsNone(self.sandbox.account.log_in(ANNA, secret))

    def test_routing_rules(self) -> None:
        self.purelymail.create_routing_rule(
            HEALTHY, match_user="x", prefix=True, catchall=False, targets=[ANNA]
        )
        [rule] = [
            it
            for it in self.purelymail.list_routing_rules()
            if (it.domain, it.match_user) == (HEALTHY, "x")
        ]
        self.assertEqual((rule.prefix, rule.targets), (True, (ANNA,)))
        self.purelymail.delete_routing_rule(rule.id)
        self.assertNotIn(rule, self.purelymail.list_routing_rules())

    def test_domains(self) -> None:
        self.assertIn("ownership_proof=", self.purelymail.get_ownership_code())
        self.purelymail.add_domain("new.example")
        self.purelymail.update_domain_settings(
            "new.example", symbolic_subaddressing=False, recheck_dns=True
        )
        domains = {it.name: it for it in self.purelymail.list_domains()}
        self.assertFalse(domains["new.example"].symbolic_subaddressing)
        self.assertTrue(domains["example.org"].passes_mx)
        self.assertFalse(domains["new.example"].is_shared)

        self.purelymail.delete_domain("new.example")
        names = [it.name for it in self.purelymail.list_domains(include_shared=True)]
        self.assertNotIn("new.example", names)
        self.assertIn("purelymail.com", names)

    def test_credit_keeps_all_its_digits(self) -> None:
        credit = self.purelymail.check_account_credit()
        self.assertIsInstance(credit, Decimal)
        self.assertGreater(len(credit.as_tuple().digits), 30)

    def test_every_operation_has_a_method(self) -> None:
        # What the tests above have called is all there is.
        for test in (
            self.test_mailboxes,
            self.test_recovery_methods,
            self.test_app_passwords,
            self.test_routing_rules,
            self.test_domains,
            self.test_credit_keeps_all_its_digits,
        ):
            test()
        self.assertEqual(set(self.sandbox.calls.as_dict()), set(OPERATIONS))


class TroubleTests(SandboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.purelymail = get_client()
        self.enterContext(mock.patch.object(client, "PAUSES", (0.01, 0.01)))
        logging.disable(logging.WARNING)
        self.addCleanup(logging.disable, logging.NOTSET)

    def test_a_refusal_carries_code_and_message(self) -> None:
        with self.assertRaisesMessage(Rejected, "User does not exist.") as caught:
            self.purelymail.get_user("nobody@example.org")
        self.assertEqual(caught.exception.code, "noSuchUser")

    def test_reads_are_tried_three_times(self) -> None:
        for kind in ("status_503", "drop", "half_answer", "not_json"):
            with self.subTest(kind=kind):
                self.sandbox.calls.clear()
                self.fault(kind, "listUser", times=2)
                self.assertEqual(len(self.purelymail.list_users()), 40)
                self.assertEqual(self.sandbox.calls.count("listUser"), 3)

    def test_reads_end_after_three_attempts(self) -> None:
        self.fault("status_500", times=None)
        with self.assertRaises(Unavailable):
            self.purelymail.list_users()
        self.assertEqual(self.sandbox.calls.count("listUser"), 3)

    def test_writes_are_never_repeated(self) -> None:
        for kind in ("status_503", "drop_after", "half_answer"):
            with self.subTest(kind=kind):
                self.sandbox.reset()
                self.fault(kind, "deleteUser")
                with self.assertRaises(Unavailable):
                    self.purelymail.delete_user(ANNA)
                self.assertEqual(self.sandbox.calls.count("deleteUser"), 1)

    def test_a_silent_server_is_given_up(self) -> None:
        self.fault("hang", seconds=5)
        with self.timeout(0.2, "deleteUser"), self.assertRaises(Unavailable) as caught:
            get_client().delete_user(ANNA)
        self.assertNotIsInstance(caught.exception, NotSent)

    def test_a_refused_connection_has_certainly_done_nothing(self) -> None:
        for url in ("http://127.0.0.1:9", "http://nowhere.invalid"):
            with self.subTest(url=url):
                nobody = PurelymailClient("pm-live-x", base_url=url)
                with self.assertRaisesMessage(NotSent, "could not be reached"):
                    nobody.delete_user(ANNA)

    def test_a_wrong_token_is_recognised(self) -> None:
        stranger = PurelymailClient("pm-live-x", base_url=self.sandbox.api_url)
        with self.assertRaises(Rejected) as caught:
            stranger.list_users()
        self.assertTrue(caught.exception.is_about_token)

    def test_no_token_is_said_in_a_sentence(self) -> None:
        with (
            override_settings(PURELYMAIL_API_TOKEN=""),
            self.assertRaisesMessage(Unavailable, "No PurelyMail token is set"),
        ):
            get_client()

    def test_no_call_is_made_inside_a_transaction(self) -> None:
        with transaction.atomic(), self.assertRaises(RuntimeError):
            self.purelymail.list_users()

    def test_secrets_stay_out_of_exceptions_and_logs(self) -> None:
        logging.disable(logging.NOTSET)
        for kind in ("drop", "status_500", "not_json", "error", "half_answer"):
            self.fault(kind, "createUser")
            with (
                self.subTest(kind=kind),
                self.assertLogs(level=logging.DEBUG) as logs,
                self.expect_failure() as told,
            ):
                logging.getLogger("purelymanage").debug("so that there is one")
                self.purelymail.create_user("new@example.org", "canary-password")
            everything = "\n".join([*logs.output, *told])
            self.assertNotIn("canary-password", everything)
            self.assertNotIn(self.sandbox.api_token, everything)

    @contextmanager
    def expect_failure(self) -> Iterator[list[str]]:
        told: list[str] = []
        with self.assertRaises(PurelymailError) as caught:
            yield told
        error = caught.exception
        told += [repr(error), repr(vars(error)), *traceback.format_exception(error)]


@pytest.mark.parametrize("name", sorted(client.READS))
def test_what_counts_as_reading_only_reads(name: str) -> None:
    assert name.startswith(("list", "get", "check"))
