from __future__ import annotations

import logging
from datetime import timedelta
from io import StringIO
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.audit.models import Agent, Entry
from purelymanage.domains import operations, sync, tasks
from purelymanage.domains.models import Domain, SyncRun
from purelymanage.domains.operations import syncing
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Mailbox
from purelymanage.purelymail import client
from purelymanage.purelymail.sandbox.account import OPERATIONS
from purelymanage.routing.models import Rule
from tests.sandbox import SandboxTestCase

REQUESTED = "purelymanage.domains.tasks.sync_if_requested"


class SyncTestCase(SandboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client, "PAUSES", ()))
        logging.disable(logging.WARNING)
        self.addCleanup(logging.disable, logging.NOTSET)

    def sync(self) -> SyncRun:
        return sync.sync(actor=Agent.PANEL)

    def queued(self) -> list[str]:
        return [queued.func() for queued in OrmQ.objects.all()]

    def counts(self) -> tuple[int, int, int]:
        return (
            Domain.objects.present().count(),
            Mailbox.objects.present().count(),
            Rule.objects.present().count(),
        )

    def sentences(self) -> list[str]:
        return [str(entry) for entry in Entry.objects.order_by("pk")]


class FirstSyncTests(SyncTestCase):
    def test_it_reads_the_whole_account(self) -> None:
        run = self.sync()
        self.assertEqual(run.state, SyncRun.State.DONE)
        self.assertIn("3 domains, 40 mailboxes, 12 rules", run.summary)
        self.assertEqual(self.counts(), (3, 40, 12))
        self.assertTrue(Domain.objects.get(name="example.org").is_healthy)
        self.assertFalse(Domain.objects.get(name="shop.example").passes_spf)
        self.assertEqual(Mailbox.objects.filter(domain="shop.example").count(), 12)

    def test_what_was_there_before_is_no_news(self) -> None:
        self.sync()
        self.assertEqual(self.sentences(), [])

    def test_it_only_reads(self) -> None:
        self.sync()
        self.assertLessEqual(set(self.sandbox.calls.as_dict()), client.READS)
        self.assertLessEqual(client.READS, OPERATIONS.keys())

    def test_the_number_of_queries_does_not_grow(self) -> None:
        self.sync()
        for number in range(200):
            name = f"user{number}"
            self.remote(
                "createUser", userName=name, domainName="example.org", password="x"
            )
        found = client.get_client().list_users()
        self.assertEqual(len(found), 240)
        part = sync._parts["mailboxes"]
        reading = sync.Reading(began_at=timezone.now(), is_first=True)
        with self.assertNumQueries(4):
            part.apply(found, reading)


class DriftTests(SyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.sync()

    def test_nothing_new_is_no_news(self) -> None:
        self.sync()
        self.assertEqual(self.sentences(), [])

    def test_what_appeared_is_told(self) -> None:
        self.remote("addDomain", domainName="new.example")
        body = {"userName": "zoe", "domainName": "new.example", "password": "x"}
        self.remote("createUser", **body)
        self.remote(
            "createRoutingRule",
            domainName="new.example",
            prefix=True,
            matchUser="sales",
            targetAddresses=["zoe@new.example"],
        )
        self.sync()
        self.assertEqual(self.counts(), (4, 41, 13))
        self.assertEqual(
            self.sentences(),
            [
                "Somebody outside this panel added the domain new.example",
                "Somebody outside this panel created the mailbox zoe@new.example",
                "Somebody outside this panel added the rule sales*@new.example"
                " to zoe@new.example",
            ],
        )
        domains = set(Entry.objects.values_list("domain", flat=True))
        self.assertEqual(domains, {"new.example"})

    def test_what_vanished_is_kept_and_told(self) -> None:
        self.remote("deleteUser", userName="anna@example.org")
        self.remote("deleteRoutingRule", routingRuleId=self.rule("abuse").remote_id)
        self.sync()
        self.assertIsNotNone(Mailbox.objects.get(address="anna@example.org").gone_at)
        self.assertIsNotNone(self.rule("abuse").gone_at)
        self.assertEqual(
            self.sentences(),
            [
                "Somebody outside this panel removed the mailbox anna@example.org",
                "Somebody outside this panel removed the rule abuse@example.org"
                " to support@example.org",
            ],
        )

    @pytest.mark.slow
    def test_what_comes_back_is_present_again(self) -> None:
        self.remote("deleteDomain", name="waiting.example")
        self.sync()
        self.assertEqual(self.counts(), (2, 36, 11))
        self.sandbox.reset()
        self.sync()
        self.assertEqual(self.counts(), (3, 40, 12))

    def test_a_rule_that_changed_is_told_as_two(self) -> None:
        rule = self.sandbox.account.state.rules[0]
        rule.targets = ["anna@example.org"]
        self.sync()
        self.assertEqual(self.rule("abuse").targets, ["anna@example.org"])
        self.assertEqual(
            self.sentences(),
            [
                "Somebody outside this panel removed the rule abuse@example.org"
                " to support@example.org",
                "Somebody outside this panel added the rule abuse@example.org"
                " to anna@example.org",
            ],
        )

    @pytest.mark.slow
    def test_changed_flags_are_told(self) -> None:
        self.remote(
            "updateDomainSettings", name="example.org", symbolicSubaddressing=False
        )
        state = self.sandbox.account.state
        state.domains["example.org"].dns_summary["passesMx"] = False
        self.sync()
        domain = Domain.objects.get(name="example.org")
        self.assertFalse(domain.symbolic_subaddressing or domain.passes_mx)
        self.assertEqual(
            self.sentences(),
            [
                "Somebody outside this panel changed example.org: subaddressing off",
                "Somebody outside this panel saw the records of example.org change:"
                " MX is not right any more",
            ],
        )

    def test_what_the_panel_made_meanwhile_is_not_taken_for_gone(self) -> None:
        found = client.get_client().list_users()
        reading = sync.Reading(began_at=timezone.now(), is_first=False)
        Mailbox.objects.create(address="late@example.org", domain="example.org")
        sync._parts["mailboxes"].apply(found, reading)
        self.assertIsNone(Mailbox.objects.get(address="late@example.org").gone_at)

    def test_what_the_panel_removed_meanwhile_stays_gone(self) -> None:
        found = client.get_client().list_users()
        reading = sync.Reading(began_at=timezone.now(), is_first=False)
        anna = Mailbox.objects.filter(address="anna@example.org")
        anna.update(gone_at=timezone.now())
        sync._parts["mailboxes"].apply(found, reading)
        self.assertIsNotNone(anna.get().gone_at)

    @pytest.mark.slow
    def test_a_full_list_makes_nobody_gone(self) -> None:
        for number in range(990):
            address = f"{number}@example.org"
            Mailbox.objects.create(address=address, domain="example.org")
            self.sandbox.account.state.users[address] = (
                self.sandbox.account.state.users["anna@example.org"]
            )
        run = self.sync()
        self.assertIn("1000 mailboxes (PurelyMail lists no more", run.summary)
        self.assertEqual(Mailbox.objects.present().count(), 1_030)

    @staticmethod
    def rule(match_user: str) -> Rule:
        return Rule.objects.get(match_user=match_user)


class FailureTests(SyncTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.sync()
        # Something to find, so that a run that applies anything would show.
        self.remote("deleteUser", userName="anna@example.org")

    def assert_unchanged(self, run: SyncRun, reason: str) -> None:
        self.assertEqual(run.state, SyncRun.State.FAILED)
        self.assertIn(reason, run.reason)
        self.assertEqual(self.counts(), (3, 40, 12))

    @pytest.mark.slow
    def test_an_error_changes_nothing(self) -> None:
        for operation in ("listDomains", "listUser", "listRoutingRules"):
            for kind in ("status_500", "drop", "half_answer", "error"):
                with self.subTest(operation=operation, kind=kind):
                    self.fault(kind, operation)
                    self.assert_unchanged(self.sync(), "PurelyMail")

    def test_an_implausible_list_changes_nothing(self) -> None:
        for operation, name in (
            ("listDomains", "domains"),
            ("listUser", "mailboxes"),
            ("listRoutingRules", "rules"),
        ):
            with self.subTest(operation=operation):
                self.fault("empty_list", operation)
                self.assert_unchanged(self.sync(), f"listed no {name}")

    @pytest.mark.slow
    def test_an_empty_list_is_believed_when_it_stays(self) -> None:
        for rule in list(self.sandbox.account.state.rules):
            self.remote("deleteRoutingRule", routingRuleId=rule.id)
        self.assert_unchanged(self.sync(), "listed no rules")
        self.assert_unchanged(self.sync(), "listed no rules")

        long_ago = timezone.now() - timedelta(hours=3)
        SyncRun.objects.update(finished_at=long_ago)
        SyncRun.objects.filter(state="done").update(
            finished_at=long_ago - timedelta(hours=1)
        )
        self.assertEqual(self.sync().state, SyncRun.State.DONE)
        self.assertEqual(self.counts(), (3, 39, 0))

    def test_a_refused_token_says_where_to_look(self) -> None:
        with override_settings(PURELYMAIL_API_TOKEN="pm-live-wrong"):
            self.assert_unchanged(self.sync(), "PURELYMAIL_API_TOKEN")

    def test_the_same_failure_is_told_once(self) -> None:
        for _ in range(3):
            self.fault("status_500")
            self.sync()
        self.assertEqual(
            self.sentences(),
            [
                "The panel could not sync: PurelyMail was reached and answered with "
                "an error (HTTP 500). Try again in a few minutes."
            ],
        )

    def test_a_bug_leaves_no_run_behind(self) -> None:
        with (
            mock.patch.object(Domain.objects, "all", side_effect=ZeroDivisionError),
            self.assertRaises(ZeroDivisionError),
        ):
            self.sync()
        self.assertEqual(SyncRun.objects.latest("pk").state, SyncRun.State.FAILED)
        self.assertEqual(self.sync().state, SyncRun.State.DONE)


class OneAtATimeTests(SyncTestCase):
    def test_a_second_sync_is_refused(self) -> None:
        SyncRun.objects.create()
        with self.assertRaisesMessage(Refused, "running already"):
            self.sync()
        self.assertEqual(len(self.sandbox.calls), 0)

    def test_a_stale_one_is_taken_over(self) -> None:
        stale = SyncRun.objects.create(started_at=timezone.now() - timedelta(hours=1))
        self.assertEqual(self.sync().state, SyncRun.State.DONE)
        stale.refresh_from_db()
        self.assertEqual(stale.reason, "It was interrupted.")

    def test_one_that_was_overtaken_applies_nothing(self) -> None:
        fetch = sync._parts["mailboxes"].fetch

        def overtaken(purelymail: client.PurelymailClient) -> list[str]:
            SyncRun.objects.update(state=SyncRun.State.FAILED)
            found: list[str] = fetch(purelymail)
            return found

        part = sync.Part(
            name="mailboxes",
            fetch=overtaken,
            apply=sync._parts["mailboxes"].apply,
        )
        with (
            mock.patch.dict(sync._parts, {"mailboxes": part}),
            self.assertRaises(RuntimeError),
        ):
            self.sync()
        self.assertEqual(self.counts(), (0, 0, 0))

    def test_requests_are_queued_once(self) -> None:
        operations.sync_now(actor=self.adam)
        operations.sync_now(actor=self.adam)
        self.assertEqual(self.queued(), [REQUESTED])
        self.assertEqual(self.sentences(), ["adam@example.org asked for a sync"])
        self.assertTrue(SyncRun.objects.freshness().running)

    def test_a_queued_sync_runs_once(self) -> None:
        operations.sync_now(actor=self.adam)
        self.assertIn("40 mailboxes", tasks.sync_if_requested())
        self.assertEqual(tasks.sync_if_requested(), "not queued any more")
        self.assertEqual(SyncRun.objects.get().state, SyncRun.State.DONE)
        self.assertFalse(SyncRun.objects.freshness().running)

    def test_a_request_whose_task_was_lost_is_queued_once_more(self) -> None:
        syncing.request_sync()
        OrmQ.objects.all().delete()
        syncing.revive_sync()
        self.assertEqual(OrmQ.objects.count(), 0)
        SyncRun.objects.update(started_at=timezone.now() - 2 * SyncRun.STALE_AFTER)
        syncing.revive_sync()
        self.assertEqual(OrmQ.objects.count(), 1)

    def test_what_is_new_is_looked_at_without_waiting(self) -> None:
        self.sync()
        self.sync()
        look = "purelymanage.domains.tasks.look_at_due"
        self.assertEqual(self.queued().count(look), 1)

    def test_what_is_asked_for_meanwhile_runs_afterwards(self) -> None:
        part = sync.Part(
            name="interruption",
            fetch=lambda _: operations.sync_now(actor=self.adam),
            apply=lambda _, reading: "",
        )
        with mock.patch.dict(sync._parts, {"interruption": part}):
            self.sync()
        self.assertEqual(self.queued().count(REQUESTED), 2)
        tasks.sync_if_requested()
        self.assertEqual(SyncRun.objects.filter(state="done").count(), 2)


class CommandTests(SyncTestCase):
    def test_it_says_what_it_found(self) -> None:
        out = StringIO()
        call_command("sync", stdout=out)
        self.assertIn("Synced 3 domains, 40 mailboxes, 12 rules", out.getvalue())

    def test_it_fails_with_the_reason(self) -> None:
        self.fault("status_500")
        with self.assertRaisesMessage(CommandError, "answered with an error"):
            call_command("sync")

    def test_the_hourly_task_does_the_same(self) -> None:
        self.assertIn("40 mailboxes", tasks.sync())
        SyncRun.objects.create()
        self.assertEqual(tasks.sync(), "A sync is running already.")
