"""A mailbox that two rules point to, and how to look at it afterwards."""

from __future__ import annotations

from typing import Any
from unittest import mock

from purelymanage.audit.models import Agent, Entry
from purelymanage.domains import sync
from purelymanage.mailboxes.models import Change, FollowUp, Mailbox
from purelymanage.mailboxes.operations.follow_ups import follow_up
from purelymanage.mailboxes.operations.renaming import rename_mailbox
from purelymanage.purelymail import client as client_module
from purelymanage.routing.models import Rule
from tests.sandbox import SandboxTestCase

OLD, NEW = "orders@shop.example", "sales2@shop.example"
PASSWORD = "purelymail-demo-orders"


class RenamingTestCase(SandboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client_module, "PAUSES", ()))
        self.begin()

    def begin(self) -> None:
        FollowUp.objects.all().delete()
        Change.objects.all().delete()
        Mailbox.objects.all().delete()
        Rule.objects.all().delete()
        self.sandbox.reset()
        for rule in list(self.rules()):
            self.remote("deleteRoutingRule", routingRuleId=rule)
        self.add_rule("team", [OLD, "Ext@elsewhere.example"])
        self.add_rule("all", [OLD.upper()], prefix=True)
        sync.sync(actor=Agent.PANEL)
        self.mailbox = Mailbox.objects.get(address=OLD)
        self.sandbox.calls.clear()

    def add_rule(self, match: str, targets: list[str], **flags: bool) -> None:
        body = {"prefix": False, "catchall": False} | flags
        self.remote(
            "createRoutingRule",
            domainName="shop.example",
            matchUser=match,
            targetAddresses=targets,
            **body,
        )

    def rules(self) -> dict[int, tuple[str, list[str]]]:
        return {
            it["id"]: (it["matchUser"], it["targetAddresses"])
            for it in self.remote("listRoutingRules")["rules"]
        }

    def targets(self) -> dict[str, list[str]]:
        return dict(self.rules().values())

    def rename(self, new: str = NEW, *, with_rule: bool = True) -> Change:
        return rename_mailbox(
            mailbox=self.mailbox, new=new, with_rule=with_rule, actor=self.adam
        )

    def rename_all(self, **named: Any) -> bool:
        return follow_up(change=self.rename(**named), actor=self.adam)

    def users(self) -> list[str]:
        found: list[str] = self.remote("listUser")["users"]
        return found

    def assert_renamed(self) -> None:
        self.assertIn(NEW, self.users())
        self.assertNotIn(OLD, self.users())
        self.assert_mirrored()
        self.mailbox.refresh_from_db()
        self.assertEqual(self.mailbox.address, NEW)

    def assert_not_renamed(self) -> None:
        self.assertIn(OLD, self.users())
        self.assert_mirrored()
        self.mailbox.refresh_from_db()
        self.assertEqual(self.mailbox.address, OLD)

    def assert_mirrored(self) -> None:
        present = Mailbox.objects.present().values_list("address", flat=True)
        self.assertEqual(sorted(present), self.users())

    def events(self, about: str = "mailbox.") -> list[str]:
        entries = Entry.objects.filter(event__startswith=about)
        return list(entries.order_by("sequence").values_list("event", flat=True))
