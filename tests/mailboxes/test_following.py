"""What hangs on the name of a mailbox follows when that changes."""

from __future__ import annotations

import itertools
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from purelymanage.audit.models import Agent
from purelymanage.domains import sync
from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.followers import Rename, lines_of
from purelymanage.mailboxes.models import AppPassword, Change, FollowUp, Mailbox
from purelymanage.mailboxes.operations.changing import NotChanged
from purelymanage.mailboxes.operations.follow_ups import follow_up
from purelymanage.mailboxes.operations.renaming import rename_mailbox
from purelymanage.migrations.models import Run
from purelymanage.purelymail.client import PurelymailClient
from purelymanage.purelymail.errors import Unavailable
from purelymanage.routing.models import Rewrite, Rule
from purelymanage.routing.tasks import repair_rewrites
from tests.account import (
    add_app_password,
    add_deletion,
    add_hand_over,
    add_job,
    add_server,
)
from tests.mailboxes.rename_cases import NEW, OLD, RenamingTestCase


class FollowingTests(RenamingTestCase):
    def test_rules_follow_and_the_old_name_leads_to_the_new_one(self) -> None:
        self.assertTrue(self.rename_all())
        self.assertEqual(
            self.targets(),
            {
                "team": [NEW, "Ext@elsewhere.example"],
                "all": [NEW],
                "orders": [NEW],
            },
        )
        mirrored = Rule.objects.present().values_list("match_user", "targets")
        self.assertEqual(dict(mirrored), self.targets())
        sync.sync(actor=Agent.PANEL)
        self.assertEqual(
            self.events("rule."),
            ["rule.created", "rule.rewritten", "rule.rewritten"],
        )

    def test_without_the_rule_nothing_leads_there(self) -> None:
        self.rename_all(with_rule=False)
        self.assertNotIn("orders", self.targets())

    @pytest.mark.slow
    def test_an_alias_of_the_new_name_does_not_go_round(self) -> None:
        self.add_rule("sales2", [OLD])
        self.assertFalse(self.rename_all(), "the mirror does not know it yet")
        self.assertNotIn("orders", self.targets())
        sync.sync(actor=Agent.PANEL)
        follow_up(change=Change.objects.get(), actor=self.adam)
        rules = list(self.rules().values())
        self.assertEqual(self.targets()["sales2"], [NEW])
        # Rewritten before the rule for the old name came.
        self.assertLess(rules.index(("sales2", [NEW])), rules.index(("orders", [NEW])))

    def test_a_rule_that_takes_the_old_name_already_stays(self) -> None:
        self.add_rule("orders", [OLD, "keep@elsewhere.example"])
        sync.sync(actor=Agent.PANEL)
        self.rename_all()
        self.assertEqual(self.targets()["orders"], [NEW, "keep@elsewhere.example"])
        exact = FollowUp.objects.get(key="exact")
        self.assertIn("already, which stays", exact.outcome)

    def test_what_hangs_on_the_name_here_follows(self) -> None:
        app_password = add_app_password(self.adam, OLD)
        hand_over = add_hand_over(OLD)
        server = add_server(self.olga)
        job = add_job(server)
        job.destination, job.destination_domain = OLD, "shop.example"
        job.save()
        run = Run.objects.create(job=job, pair=job.pair, dry_run=False, is_newest=False)
        self.rename("sales2@example.org")
        app_password.refresh_from_db()
        job.refresh_from_db()
        run.refresh_from_db()
        hand_over.refresh_from_db()
        self.assertEqual(app_password.address, "sales2@example.org")
        self.assertEqual(job.destination_domain, "example.org")
        self.assertEqual(run.pair, job.pair)
        self.assertIn("sales2@example.org", run.pair)
        self.assertEqual(hand_over.mailbox.address, "sales2@example.org")

    def test_a_running_copy_comes_first(self) -> None:
        job = add_job(add_server(self.olga))
        job.destination = OLD
        job.save()
        Run.objects.update(
            state=Run.State.RUNNING, finished_at=None, lease_until=timezone.now()
        )
        with self.assertRaisesMessage(NotChanged, "copy into orders@shop.example is"):
            self.rename()

    def test_failures_are_told_by_line_and_tried_again(self) -> None:
        self.fault("error", "createRoutingRule", message="Not today.")
        change = self.rename()
        self.assertFalse(follow_up(change=change, actor=self.adam))
        [failed] = FollowUp.objects.open()
        self.assertEqual((failed.key, failed.state), ("exact", "failed"))
        self.assertIn("Not today.", failed.outcome)
        self.assertIn("mailbox.rename_incomplete", self.events())
        # The others were done all the same.
        self.assertEqual(self.targets()["all"], [NEW])
        tasks.follow_renames()
        self.assertTrue(FollowUp.objects.open().exists(), "for a person")
        self.assertTrue(follow_up(change=change, actor=self.adam))
        self.assertEqual(self.targets()["orders"], [NEW])

    def test_a_frozen_rule_is_told_by_line(self) -> None:
        rule = Rule.objects.get(match_user="team")
        deletion = add_deletion(self.olga, "x@shop.example")
        deletion.kind, deletion.key = "rule", str(rule.remote_id)
        deletion.save()
        self.assertFalse(self.rename_all())
        [failed] = FollowUp.objects.open()
        self.assertIn("is to be deleted", failed.outcome)

    @pytest.mark.slow
    def test_an_outage_in_the_middle_passes_by_itself(self) -> None:
        for number in itertools.count():
            with self.subTest(calls=number):
                self.begin()
                change = self.rename()
                if not self.go_on_until_outage(change, number):
                    break
                FollowUp.objects.update(not_before=timezone.now())
                Rewrite.objects.open().update(lease_until=timezone.now())
                repair_rewrites()
                tasks.follow_renames()
                FollowUp.objects.update(not_before=timezone.now())
                tasks.follow_renames()
                self.assertFalse(FollowUp.objects.open().exists())
                self.assertEqual(
                    self.targets(),
                    {
                        "team": [NEW, "Ext@elsewhere.example"],
                        "all": [NEW],
                        "orders": [NEW],
                    },
                )
        self.assertGreater(number, 8)

    def go_on_until_outage(self, change: Change, number: int) -> bool:
        """Let all calls after the first few fail; return whether there were more."""
        real, calls = PurelymailClient._call, itertools.count()
        failed = []

        def call(client: PurelymailClient, *args: Any, **body: Any) -> Any:
            if next(calls) >= number:
                failed.append(args)
                raise Unavailable
            return real(client, *args, **body)

        with mock.patch.object(PurelymailClient, "_call", call):
            follow_up(change=change, actor=self.adam)
        return bool(failed)

    @pytest.mark.slow
    def test_a_crash_in_the_middle_is_made_good(self) -> None:
        change = self.rename()
        with (
            mock.patch(
                "purelymanage.routing.operations.following.replace_rule",
                side_effect=SystemExit,
            ),
            self.assertRaises(SystemExit),
        ):
            follow_up(change=change, actor=self.adam)
        tasks.follow_renames()
        self.assertEqual(FollowUp.objects.open().count(), 1, "somebody may be at it")
        FollowUp.objects.update(not_before=timezone.now())
        tasks.follow_renames()
        self.assertFalse(FollowUp.objects.open().exists())
        self.assertNotIn(OLD, str(self.targets()).lower())

    @pytest.mark.slow
    def test_a_limited_person_changes_no_foreign_rules(self) -> None:
        self.remote(
            "createRoutingRule",
            domainName="example.org",
            matchUser="shop",
            prefix=False,
            targetAddresses=[OLD],
        )
        sync.sync(actor=Agent.PANEL)
        lines = lines_of(Rename(OLD, NEW), self.lina)
        told = " ".join(f"{it.what} {it.more} {it.note}" for it in lines)
        self.assertIn("1 rule of other domains points to it", told)
        self.assertNotIn("shop@example.org", str(lines))
        change = rename_mailbox(
            mailbox=self.mailbox, new=NEW, with_rule=True, actor=self.lina
        )
        self.assertTrue(follow_up(change=change, actor=self.lina))
        self.assertEqual(self.targets()["shop"], [OLD])


class EffectTests(RenamingTestCase):
    def told(self, new: str = NEW) -> str:
        lines = lines_of(Rename(OLD, new), self.adam)
        return "\n".join(f"{it.what} {it.more} {it.note} {it.names}" for it in lines)

    def test_it_names_what_hangs_on_the_name(self) -> None:
        add_app_password(self.adam, OLD, name="Phone")
        job = add_job(add_server(self.olga))
        job.destination = OLD
        job.save()
        Mailbox.objects.filter(address="returns@shop.example").update(
            recovery_methods=[{"type": "email", "target": OLD}]
        )
        told = self.told()
        for words in (
            "every mail program",
            "1 app password may stop working",
            "Phone",
            "1 copy into it goes into",
            "1 mailbox recovers its password",
            "2 rules point to it",
            "team@shop.example",
        ):
            self.assertIn(words, told)
        self.assertEqual(AppPassword.objects.count(), 1)

    def test_a_rule_for_the_new_name_is_told(self) -> None:
        self.add_rule(NEW.partition("@")[0], ["boss@elsewhere.example"])
        sync.sync(actor=Agent.PANEL)
        self.assertIn("this mailbox receives none", self.told())

    def test_a_rule_for_the_old_name_is_told(self) -> None:
        self.add_rule("orders", ["boss@elsewhere.example"])
        sync.sync(actor=Agent.PANEL)
        self.assertIn("takes the mail of the old name already", self.told())
