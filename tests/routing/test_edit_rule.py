from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from purelymanage.audit.models import Agent, Entry
from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.domains import sync
from purelymanage.purelymail import client as client_module
from purelymanage.routing.models import Expiry, Rewrite, Rule
from tests.sandbox import SyncedTestCase


class EditRuleTests(SyncedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client_module, "PAUSES", ()))
        self.rule = Rule.objects.get(match_user="hello")
        Rule.objects.filter(pk=self.rule.pk).update(note="Keep me", made_by=self.olga)
        self.client.force_login(self.adam)

    def form(self, **fields: Any) -> dict[str, Any]:
        return {
            "kind": "exact",
            "name": "hello",
            "domain": "shop.example",
            "targets": "orders@shop.example",
        } | fields

    def edit(self, **fields: Any) -> Any:
        return self.client.post(f"{self.rule.url}edit/", self.form(**fields))

    def edited(self, **fields: Any) -> Rule:
        r = self.edit(**fields)
        self.assertEqual(r.status_code, 302, r.content.decode()[-3000:])
        rule = Rule.objects.present().order_by("-first_seen_at")[0]
        self.assertRedirects(r, rule.url)
        return rule

    def writes(self) -> list[str]:
        called = [it.operation for it in self.sandbox.calls]
        return [it for it in called if not it.startswith("list")]

    def test_the_form_begins_with_the_rule(self) -> None:
        r = self.client.get(f"{self.rule.url}edit/")
        self.assertContains(r, "orders@shop.example\nlars.holm@shop.example")
        self.assertContains(r, 'value="hello"')
        self.assertEqual(len(self.sandbox.calls), 0)

    def test_other_targets_delete_first_as_no_two_may_match_the_same(self) -> None:
        self.edited()
        self.assertEqual(self.writes(), ["deleteRoutingRule", "createRoutingRule"])

    def test_another_address_creates_first_so_that_no_mail_is_lost(self) -> None:
        self.edited(name="hi")
        self.assertEqual(self.writes(), ["createRoutingRule", "deleteRoutingRule"])

    @pytest.mark.slow
    def test_what_is_kept_here_and_its_history_follow_it(self) -> None:
        ends_on = timezone.localdate()
        Expiry.objects.create(
            remote_id=self.rule.remote_id,
            domain="shop.example",
            ends_on=ends_on,
            set_by=self.adam,
        )
        rule = self.edited(name="hi")
        self.rule = rule
        rule = self.edited(name="hey", targets="lars.holm@shop.example")
        self.assertEqual((rule.note, rule.made_by), ("Keep me", self.olga))
        self.assertEqual(Expiry.objects.get().remote_id, rule.remote_id)
        r = self.client.get(rule.url)
        entries = [it.target for it in r.context["history"].entries]
        self.assertEqual(entries[:2], ["hi@shop.example", "hello@shop.example"])

    @pytest.mark.slow
    def test_the_old_address_leads_to_the_new_rule(self) -> None:
        old = self.rule.url
        self.rule = self.edited(name="hi")
        rule = self.edited(name="hey")
        self.assertRedirects(self.client.get(old), rule.url)

    def test_nobody_is_led_where_they_may_not_look(self) -> None:
        old = self.rule.url
        self.edited(domain="example.org", name="hi")
        self.client.force_login(self.lina)
        self.assertContains(self.client.get(old), "Gone")

    def test_the_same_again_is_refused(self) -> None:
        targets = "lars.holm@shop.example orders@shop.example"
        self.assertContains(self.edit(targets=targets), "already", status_code=422)
        self.assertEqual(self.writes(), [])

    def test_the_address_of_another_rule_is_refused_before_anything_is_done(
        self,
    ) -> None:
        r = self.edit(name="warehouse")
        self.assertContains(r, "There is a rule for warehouse@", status_code=422)
        self.assertEqual(self.writes(), [])

    def test_warnings_are_about_what_changes(self) -> None:
        r = self.edit(targets="nobody@shop.example")
        self.assertContains(r, "nobody@shop.example is no mailbox", status_code=422)
        accepted = r.context["draft"].digest
        self.edited(targets="nobody@shop.example", accepted=accepted)

    def test_a_copy_can_be_kept_by_one_click(self) -> None:
        self.edited(name="orders", targets="lars.holm@shop.example", keep_copy="on")
        rule = Rule.objects.present().get(match_user="orders")
        r = self.client.get(f"{rule.url}edit/")
        self.assertContains(r, 'id="id_keep_copy" checked')
        self.assertContains(self.client.get(f"{rule.url}edit/?keep=1"), "checked")

    @pytest.mark.slow
    def test_an_outage_in_between_is_told_and_repaired(self) -> None:
        self.fault("drop", "createRoutingRule")
        r = self.edit()
        self.assertContains(r, "The panel goes on by itself", status_code=502)
        r = self.client.get(f"{self.rule.url}edit/")
        self.assertContains(r, "is being replaced just now", status_code=409)
        r = self.client.get("/routing/")
        self.assertContains(r, "hello@shop.example is under way")
        deletion = f"/deletions/new/rule/{self.rule.remote_id}/"
        shown = self.client.get(deletion).context["shown"]
        r = self.client.post(deletion, {"shown": shown, "key": self.rule.remote_id})
        self.assertContains(r, "is being replaced just now", status_code=422)
        self.assertTrue(Rewrite.objects.open().exists())

    def test_what_is_to_be_deleted_is_frozen(self) -> None:
        now = timezone.now()
        PendingDeletion.objects.create(
            kind=Kind.RULE,
            key=str(self.rule.remote_id),
            label="hello@shop.example",
            domain="shop.example",
            requested_by=self.adam,
            waits_since=now,
            delete_after=now,
        )
        for page in ("edit", "note"):
            url = f"{self.rule.url}{page}/"
            for r in (self.client.get(url), self.client.post(url, self.form())):
                self.assertContains(r, "is to be deleted", status_code=409)
        self.assertNotContains(self.client.get(self.rule.url), "/edit/")
        self.assertEqual(self.writes(), [])

    def test_custom_rules_can_become_one_of_the_four_kinds(self) -> None:
        Rule.objects.filter(pk=self.rule.pk).update(catchall=True)
        r = self.client.get(f"{self.rule.url}edit/")
        self.assertContains(r, "a combination that the portal does not offer")


class EditNoteTests(SyncedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.rule = Rule.objects.get(match_user="hello")
        self.url = f"{self.rule.url}note/"
        self.client.force_login(self.adam)

    def shown(self) -> str:
        found: str = self.client.get(self.url).context["shown"]
        return found

    def test_it_is_kept_here_and_audited(self) -> None:
        form = {"note": "Until the\r\nfair", "shown": self.shown()}
        self.assertRedirects(self.client.post(self.url, form), f"{self.rule.url}#note")
        self.rule.refresh_from_db()
        self.assertEqual(self.rule.note, "Until the\nfair")
        entry = Entry.objects.get(event="rule.noted")
        self.assertEqual((entry.actor, entry.domain), (self.adam, "shop.example"))

    def test_what_somebody_else_wrote_meanwhile_is_not_lost(self) -> None:
        shown = self.shown()
        Rule.objects.filter(pk=self.rule.pk).update(note="Theirs")
        r = self.client.post(self.url, {"note": "Mine", "shown": shown})
        self.assertContains(r, "Somebody has changed the note", status_code=422)
        self.assertContains(r, "Theirs", status_code=422)

    def test_it_stays_through_a_sync(self) -> None:
        Rule.objects.filter(pk=self.rule.pk).update(note="Mine")
        sync.sync(actor=Agent.PANEL)
        self.rule.refresh_from_db()
        self.assertEqual(self.rule.note, "Mine")
