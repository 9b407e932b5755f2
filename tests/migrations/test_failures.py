from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.test import SimpleTestCase

from purelymanage.imap.backoff import told_wait
from purelymanage.imap.errors import (
    CertificateRefused,
    ConnectionLost,
    ImapError,
    LoginRefused,
    ProtocolError,
    Refused,
    Unreachable,
)
from purelymanage.migrations.engines.base import BudgetUsed, ItemError, Outcome, Verdict
from purelymanage.migrations.failures import (
    diagnose,
    diagnose_items,
    is_oversize,
)
from purelymanage.migrations.models import Run

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
SOURCE = "The source imap.old.example:993"
DESTINATION = "The destination imap.new.example:993"
Trouble = Run.Trouble


def outcome(*reasons: str) -> Outcome:
    return Outcome(
        verdict=Verdict.SKIPPED,
        dry_run=False,
        folders=[],
        errors=[
            ItemError("INBOX", n, 10, reason) for n, reason in enumerate(reasons, 1)
        ],
        messages_copied=0,
        messages_already_there=0,
        messages_failed=len(reasons),
        bytes_copied=0,
        seconds=1,
    )


class DiagnoseTests(SimpleTestCase):
    def test_each_failure_has_its_class(self) -> None:
        cases: list[tuple[ImapError, Run.Trouble]] = [
            (LoginRefused(f"{SOURCE} refused this password for a."), Trouble.PASSWORD),
            (
                LoginRefused(f"{SOURCE} refused.", "Too many login failures"),
                Trouble.THROTTLED,
            ),
            (
                CertificateRefused("The certificate is not trusted."),
                Trouble.CERTIFICATE,
            ),
            (Unreachable(f"Nobody listens at the {SOURCE}."), Trouble.CONNECTION),
            (
                ConnectionLost("It was lost.", "Server shutting down."),
                Trouble.CONNECTION,
            ),
            (Refused("No.", "try later", code="UNAVAILABLE"), Trouble.CONNECTION),
            (Refused("No.", "in use", code="INUSE"), Trouble.CONNECTION),
            (Refused("No.", "x", code="THROTTLED"), Trouble.THROTTLED),
            (Refused("No.", "Rate limit hit.", code="LIMIT"), Trouble.THROTTLED),
            (Refused("No.", "Unknown command"), Trouble.PROTOCOL),
            (ProtocolError("It makes no sense."), Trouble.PROTOCOL),
            (
                Refused(f"{DESTINATION} refused it.", "full", code="OVERQUOTA"),
                Trouble.QUOTA,
            ),
            (
                Refused("The destination takes no more messages.", "Quota exceeded"),
                Trouble.QUOTA,
            ),
            (
                Refused(f"{SOURCE} refused it.", "x", code="OVERQUOTA"),
                Trouble.THROTTLED,
            ),
            (BudgetUsed("Enough for now."), Trouble.BUDGET),
        ]
        for failure, trouble in cases:
            with self.subTest(failure=repr(failure)):
                self.assertEqual(diagnose(failure, NOON).trouble, trouble)

    def test_a_server_that_names_a_time_gets_it(self) -> None:
        words = "Request is throttled. Suggested Backoff Time: 299923 milliseconds"
        found = diagnose(Refused(f"{SOURCE} refused FETCH.", words), NOON)
        self.assertEqual(found.trouble, Trouble.THROTTLED)
        self.assertEqual(found.until, NOON + timedelta(seconds=299.923))
        self.assertEqual(found.sentence, "The old server asked us to slow down.")

    def test_what_counts_by_the_day_goes_on_the_next_one(self) -> None:
        for failure in (
            BudgetUsed("Enough for now."),
            LoginRefused(f"{SOURCE} refused.", "[OVERQUOTA] Account exceeded limits"),
            Refused(f"{SOURCE} no.", "Account exceeded command or bandwidth limits."),
        ):
            with self.subTest(failure=failure.technical):
                self.assertEqual(diagnose(failure, NOON).until, MIDNIGHT)

    def test_waits_are_read_in_all_units(self) -> None:
        for words, seconds in (
            ("Suggested Backoff Time: 299923 milliseconds", 299.923),
            ("please try again in 5 minutes", 300),
            ("Retry after 30 seconds", 30),
            ("wait 2 hours", 7200),
            ("try again in 10 min", 600),
            ("wait 90 s", 90),
            ("try again in 900 hours", 172800),
        ):
            with self.subTest(words=words):
                wait = told_wait(words)
                assert wait is not None
                self.assertAlmostEqual(wait.total_seconds(), seconds)
        self.assertIsNone(told_wait("try again later"))

    def test_single_messages_tell_of_a_throttle_too(self) -> None:
        found = diagnose_items(
            outcome("The source refused it: Request is throttled."), NOON
        )
        assert found is not None
        self.assertEqual(found.trouble, Trouble.THROTTLED)
        full = diagnose_items(outcome("The destination refused it: Over quota"), NOON)
        assert full is not None
        self.assertEqual(full.trouble, Trouble.QUOTA)
        self.assertIsNone(diagnose_items(outcome("Larger than the limit."), NOON))

    def test_messages_too_large_are_told_from_others(self) -> None:
        self.assertTrue(is_oversize(outcome("The destination refused it: [TOOBIG] no")))
        self.assertTrue(
            is_oversize(outcome("It is larger than the destination takes."))
        )
        self.assertFalse(is_oversize(outcome("The destination refused it: bad date")))
