"""Rules that end with a day: by the queue of deletions, and only once."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from unittest import mock

from purelymanage import crypto
from purelymanage.accounts.models import Organisation
from purelymanage.accounts.permissions import Role
from purelymanage.audit import notices
from purelymanage.audit.models import Entry, Notice, OutgoingMail
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.operations import requests
from purelymanage.errors import Refused
from purelymanage.routing import tasks
from purelymanage.routing.deeds import fields_of
from purelymanage.routing.models import Expiry, Rule
from purelymanage.routing.operations import expiry
from purelymanage.routing.operations.rewriting import replace_rule
from tests.deletions.cases import DeletionTestCase, ask

START = datetime(2027, 3, 1, 10, tzinfo=UTC)
LAST = date(2027, 3, 10)
END = datetime(2027, 3, 11, tzinfo=UTC)


class ExpiryTestCase(DeletionTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = START
        self.rule = Rule.objects.present().filter(domain="example.org")[0]
        self.url = f"/routing/{self.rule.remote_id}/expiry/"

    def tick(self) -> None:
        tasks.end_rules()
        super().tick()

    def at(self, *moments: datetime) -> None:
        """Let the schedule do its work at these moments only."""
        for self.now in moments:
            self.tick()

    def set(self, day: date = LAST) -> Expiry:
        return expiry.set_expiry(rule=self.rule, ends_on=day, actor=self.adam)

    def is_listed(self) -> bool:
        rules = self.remote("listRoutingRules")["rules"]
        return any(it["id"] == self.rule.remote_id for it in rules)

    def events(self) -> list[str]:
        events = Entry.objects.order_by("sequence").values_list("event", flat=True)
        return [it for it in events if it.startswith("rule.expi")]


class EndingTests(ExpiryTestCase):
    def test_the_waiting_time_of_the_deletion_ends_with_the_day(self) -> None:
        self.set()
        self.at(END - timedelta(hours=25))
        self.assertFalse(PendingDeletion.objects.exists())
        self.at(END - timedelta(hours=24), END - timedelta(hours=23))
        deletion = PendingDeletion.objects.get()
        self.assertEqual(deletion.requested_by, self.adam)
        self.assertEqual(deletion.reason, "It was to end with 10 March 2027.")
        self.assertEqual(deletion.delete_after, END)
        self.at(END - timedelta(minutes=60), END - timedelta(minutes=1))
        self.assertTrue(self.is_listed())
        self.at(END)
        self.assertFalse(self.is_listed())
        self.assertFalse(Expiry.objects.exists())

    def test_cancelling_keeps_the_rule_for_good(self) -> None:
        self.set()
        self.at(END - timedelta(hours=20))
        deletion = PendingDeletion.objects.get()
        requests.cancel_deletions(deletions=[deletion], actor=self.olga)
        self.assertFalse(Expiry.objects.exists())
        self.assertEqual(self.events()[-1], "rule.expiry_cleared")
        self.at(END - timedelta(hours=1), END)
        self.assertTrue(self.is_listed())
        self.assertEqual(PendingDeletion.objects.count(), 1)

    def test_a_deletion_by_hand_long_before_leaves_the_day_alone(self) -> None:
        self.set()
        deletion = ask(self.olga, str(self.rule.remote_id), kind="rule")
        requests.cancel_deletions(deletions=[deletion], actor=self.olga)
        self.assertTrue(Expiry.objects.exists())

    def test_a_deletion_by_hand_forgets_the_day(self) -> None:
        self.set()
        ask(self.olga, str(self.rule.remote_id), kind="rule")
        self.at(START + timedelta(hours=23), START + timedelta(hours=24))
        self.assertFalse(self.is_listed())
        self.assertFalse(Expiry.objects.exists())

    def test_the_day_follows_an_edit(self) -> None:
        self.set()
        new = fields_of(self.rule) | {"targets": ["else@elsewhere.example"]}
        replace_rule(rule=self.rule, new=new, actor=self.olga)
        now = Rule.objects.present().get(remote_id=Expiry.objects.get().remote_id)
        self.assertNotEqual(now.remote_id, self.rule.remote_id)
        self.assertEqual(now.targets, ["else@elsewhere.example"])

    def test_the_day_follows_an_edit_that_ends_just_when_it_is_looked_at(self) -> None:
        self.set()
        new = fields_of(self.rule) | {"targets": ["else@elsewhere.example"]}
        self.now = END - timedelta(hours=20)
        found = expiry.due(self.now)
        replace_rule(rule=self.rule, new=new, actor=self.olga)
        with mock.patch.object(expiry, "due", return_value=found):
            expiry.request_due()
        self.assertTrue(Expiry.objects.exists())
        expiry.request_due()
        self.assertEqual(PendingDeletion.objects.count(), 1)

    def test_whoever_lost_the_right_ends_nothing_and_it_is_said_once(self) -> None:
        self.set()
        self.adam.role = Role.HELPDESK
        self.adam.save(update_fields=["role"])
        self.at(END - timedelta(hours=24), END - timedelta(hours=1), END)
        self.assertTrue(self.is_listed())
        self.assertEqual(self.events().count("rule.expiry_stuck"), 1)
        self.assertIn("may not delete it any more", Expiry.objects.get().trouble)

    def test_the_day_of_a_rule_that_vanished_is_forgotten(self) -> None:
        self.set()
        Rule.objects.filter(pk=self.rule.pk).update(gone_at=self.now)
        self.now = END
        self.assertEqual(tasks.end_rules(), "0 reminded of, 0 asked for")
        self.assertFalse(Expiry.objects.exists())


class RemindingTests(ExpiryTestCase):
    def test_the_morning_before_everybody_is_told_once(self) -> None:
        self.set()
        self.at(datetime(2027, 3, 9, 8, 50, tzinfo=UTC))
        self.assertNotIn("rule.expires_soon", self.events())
        self.at(*(datetime(2027, 3, 9, hour, tzinfo=UTC) for hour in (9, 10)))
        self.assertEqual(self.events().count("rule.expires_soon"), 1)
        notices.make_notices()
        told = Notice.objects.filter(kind="expiries").values_list("person__email")
        # Limited people hear of their own domains alone, helpers of no rule.
        self.assertEqual(
            {email for (email,) in told},
            {"olga@example.org", "adam@example.org", "audrey@example.org"},
        )
        mine = OutgoingMail.objects.filter(recipient=self.adam.email)
        mail = mine.get(subject__startswith="Ends 10 March 2027")
        text, _ = json.loads(crypto.unseal(mail.sealed, bound_to=mail.place))
        self.assertIn(self.url, text)

    def test_people_are_told_of_a_rule_that_is_just_being_replaced(self) -> None:
        self.set()
        mine = Rule.objects.filter(pk=self.rule.pk)
        mine.update(gone_at=self.now)
        self.at(datetime(2027, 3, 9, 9, tzinfo=UTC))
        mine.update(gone_at=None)
        self.at(datetime(2027, 3, 9, 9, 1, tzinfo=UTC))
        self.assertEqual(self.events().count("rule.expires_soon"), 1)

    def test_who_sets_a_near_day_is_not_reminded_of_it(self) -> None:
        self.now = datetime(2027, 3, 9, 12, tzinfo=UTC)
        self.set()
        self.tick()
        self.assertNotIn("rule.expires_soon", self.events())


class SettingTests(ExpiryTestCase):
    def test_a_day_is_set_moved_and_taken_away(self) -> None:
        self.client.force_login(self.adam)
        for day in ("2027-03-10", "2027-03-12"):
            r = self.client.post(self.url, {"ends_on": day})
            self.assertRedirects(r, self.rule.url)
            self.assertEqual(str(Expiry.objects.get().ends_on), day)
        self.assertContains(self.client.get(self.url), 'value="2027-03-12"')
        self.client.post(self.url, {"clear": "1"})
        self.assertFalse(Expiry.objects.exists())
        self.assertEqual(
            self.events(),
            ["rule.expiry_set", "rule.expiry_set", "rule.expiry_cleared"],
        )

    def test_a_day_too_near_is_refused_with_the_first_possible_one(self) -> None:
        self.client.force_login(self.adam)
        r = self.client.post(self.url, {"ends_on": "2027-03-01"})
        self.assertContains(
            r, "so 2 March 2027 is the first possible day", status_code=422
        )
        with mock.patch.object(Organisation.objects, "present") as present:
            present.return_value = Organisation(grace_hours=72)
            with self.assertRaisesMessage(Refused, "wait 72 hours, so 4 March"):
                self.set(date(2027, 3, 2))

    def test_a_rule_to_be_deleted_is_frozen(self) -> None:
        ask(self.olga, str(self.rule.remote_id), kind="rule")
        with self.assertRaisesMessage(Refused, "frozen until then"):
            self.set()

    def test_a_new_rule_can_end_by_itself(self) -> None:
        self.client.force_login(self.adam)
        form = {
            "kind": "exact",
            "name": "leave",
            "domain": "example.org",
            "targets": "anna@example.org",
        }
        r = self.client.post("/routing/new/", form | {"ends_on": "2027-03-01"})
        self.assertContains(r, "is the first possible day", status_code=422)
        self.client.post("/routing/new/", form | {"ends_on": "2027-03-10"})
        rule = Rule.objects.present().get(match_user="leave")
        self.assertEqual(Expiry.objects.get().remote_id, rule.remote_id)
        self.assertEqual(Expiry.objects.get().ends_on, LAST)
        self.assertContains(self.client.get(rule.url), "Ends with 10 Mar 2027")
