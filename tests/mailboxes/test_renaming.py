"""Another name for a mailbox, and all that hangs on the old one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from purelymanage.audit.models import Agent, Entry
from purelymanage.domains import sync
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from purelymanage.mailboxes import tasks
from purelymanage.mailboxes.models import AppPassword, Change, Mailbox
from purelymanage.mailboxes.operations import renaming
from purelymanage.mailboxes.operations.changing import NotChanged
from purelymanage.mailboxes.operations.renaming import rename_mailbox
from purelymanage.purelymail.client import PurelymailClient
from tests.account import (
    add_app_password,
    add_deletion,
    add_hand_over,
)
from tests.mailboxes.rename_cases import NEW, OLD, PASSWORD, RenamingTestCase


class RenameTests(RenamingTestCase):
    def test_the_same_mailbox_has_another_name(self) -> None:
        pk = self.mailbox.pk
        user = self.sandbox.account.log_in(OLD, PASSWORD)
        change = self.rename()
        self.assertEqual(change.state, Change.State.DONE)
        self.assert_renamed()
        self.assertEqual(Mailbox.objects.get(address=NEW).pk, pk)
        self.assertEqual(self.sandbox.account.log_in(NEW, PASSWORD), user)
        self.assertEqual(self.events(), ["mailbox.renamed"])
        self.assertIn(f"renamed {OLD} to {NEW}", Entry.objects.latest("pk").sentence)

    def test_it_may_move_to_another_domain(self) -> None:
        self.rename("orders2@example.org")
        self.mailbox.refresh_from_db()
        self.assertEqual(self.mailbox.domain, "example.org")

    def test_a_refusal_is_told(self) -> None:
        self.fault("error", "modifyUser", message="Not on a Sunday.")
        with self.assertRaisesMessage(NotChanged, "Not on a Sunday."):
            self.rename()
        self.assert_not_renamed()
        self.assertEqual(self.events(), ["mailbox.change_failed"])

    def test_success_without_effect_is_told(self) -> None:
        self.fault("silent_success", "modifyUser")
        with self.assertRaisesMessage(NotChanged, "but nothing changed"):
            self.rename()
        self.assert_not_renamed()

    def test_a_request_lost_before_the_deed_is_told(self) -> None:
        self.fault("drop", "modifyUser")
        with self.assertRaisesMessage(NotChanged, "was not renamed") as caught:
            self.rename()
        self.assertTrue(caught.exception.is_outage)
        self.assert_not_renamed()

    @pytest.mark.slow
    def test_an_answer_lost_after_the_deed_is_no_failure(self) -> None:
        for kind in ("drop_after", "half_answer", "hang_after"):
            with self.subTest(kind=kind), self.timeout(0.3, "modifyUser"):
                self.begin()
                self.fault(kind, "modifyUser", seconds=1)
                self.rename()
                self.assert_renamed()

    @pytest.mark.slow
    def test_where_nobody_can_tell_the_panel_looks_again(self) -> None:
        for kind in ("drop_after", "drop"):
            with self.subTest(kind=kind):
                self.begin()
                self.fault(kind, "modifyUser")
                self.fault("status_500", "getUser", times=None)
                with self.assertRaisesMessage(NotChanged, "Nobody knows yet"):
                    self.rename()
                self.sandbox.faults.clear()
                self.resolve()
                if kind == "drop":
                    self.assert_not_renamed()
                    continue
                self.assert_renamed()
                tasks.follow_renames()
                self.assertEqual(self.targets()["orders"], [NEW])

    @pytest.mark.slow
    def test_a_crash_before_settling_is_made_good(self) -> None:
        with (
            mock.patch.object(renaming, "_look", side_effect=SystemExit),
            self.assertRaises(SystemExit),
        ):
            self.rename()
        sync.sync(actor=Agent.PANEL)  # tells nothing, and makes no second row
        self.assertEqual(Mailbox.objects.get(address=OLD).gone_at, None)
        self.assertFalse(Mailbox.objects.filter(address=NEW).exists())
        self.resolve()
        self.assert_renamed()
        self.assertEqual(self.events(), ["mailbox.renamed"])

    def test_a_sync_that_read_before_it_changes_nothing(self) -> None:
        rules = sync._parts["rules"]

        def rename_first(client: PurelymailClient) -> Any:
            self.rename()
            return rules.fetch(client)

        late = sync.Part(name="rules", fetch=rename_first, apply=rules.apply)
        with mock.patch.dict(sync._parts, {"rules": late}):
            sync.sync(actor=Agent.PANEL)
        self.assert_renamed()
        sync.sync(actor=Agent.PANEL)
        self.assert_renamed()
        self.assertEqual(self.events(), ["mailbox.renamed"])

    @pytest.mark.slow
    def test_both_or_neither_is_told(self) -> None:
        modify = PurelymailClient.modify_user

        def copy(client: PurelymailClient, *args: Any, **named: Any) -> None:
            modify(client, *args, **named)
            self.remote(
                "createUser", userName="orders", domainName="shop.example", password="x"
            )

        def lose(client: PurelymailClient, *args: Any, **named: Any) -> None:
            self.remote("deleteUser", userName=OLD)

        for deed, words in ((copy, "of both names"), (lose, "of neither name")):
            with (
                self.subTest(words),
                mock.patch.object(PurelymailClient, "modify_user", deed),
            ):
                self.begin()
                with self.assertRaisesMessage(NotChanged, words):
                    self.rename()
                sync.sync(actor=Agent.PANEL)
                self.assert_mirrored()

    def test_what_is_left_of_an_earlier_mailbox_gives_way(self) -> None:
        former = Mailbox.objects.create(
            address=NEW, domain="shop.example", gone_at=timezone.now()
        )
        Change.objects.create(mailbox=former, kind=Change.Kind.FLAGS)
        hand_over = add_hand_over(NEW)
        add_app_password(self.adam, NEW, name="Of the former one")
        add_app_password(self.adam, OLD, name="Of this one")
        self.rename()
        self.assert_renamed()
        hand_over.refresh_from_db()
        self.assertEqual(hand_over.mailbox, self.mailbox)
        # What opens nothing any more does not stay with the one that has its name now.
        self.assertFalse(hand_over.is_open)
        kept = AppPassword.objects.filter(address=NEW, revoke_after=None)
        self.assertEqual([it.name for it in kept], ["Of this one"])
        self.assertEqual(
            self.events(), ["mailbox.hand_over_withdrawn", "mailbox.renamed"]
        )

    def test_it_is_not_asked_for_what_cannot_be(self) -> None:
        Domain.objects.filter(name="shop.example").update(symbolic_subaddressing=True)
        for new, words in (
            ("returns@shop.example", "exists already"),
            (OLD, "its name already"),
            ("x@elsewhere.example", "not a domain of this account"),
            ("a.b@shop.example", "subaddressing is on"),
            ("a b@shop.example", "no spaces"),
        ):
            with self.subTest(new), self.assertRaisesMessage(NotChanged, words):
                self.rename(new)
        with self.assertRaisesMessage(NotChanged, "not a domain of this account"):
            rename_mailbox(
                mailbox=self.mailbox,
                new="x@example.org",
                with_rule=True,
                actor=self.lina,
            )
        add_deletion(self.olga, OLD)
        with self.assertRaisesMessage(Refused, "is to be deleted"):
            self.rename()
        self.assertEqual(len(self.sandbox.calls), 0)

    def resolve(self) -> None:
        Change.objects.update(requested_at=timezone.now() - timedelta(minutes=6))
        tasks.fill_in_details()
