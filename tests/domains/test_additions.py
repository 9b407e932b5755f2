from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django_q.models import OrmQ

from purelymanage.audit.models import Entry
from purelymanage.broker import pulse
from purelymanage.domains import operations, tasks
from purelymanage.domains.models import Addition, Domain
from purelymanage.domains.operations import NotAdded
from purelymanage.errors import Refused
from tests.domains.clock import MINUTE, ClockTestCase

NEW, UNPROVEN = "new.example", "unproven.example"


class AdditionTestCase(ClockTestCase):
    def setUp(self) -> None:
        super().setUp()
        tasks.sync()
        self.sandbox.calls.clear()

    def events(self) -> list[str]:
        found = Entry.objects.filter(event__startswith="domain.add")
        return list(found.order_by("pk").values_list("event", flat=True))

    def addition(self) -> Addition:
        return Addition.objects.get()

    def prove(self) -> None:
        """Let the ownership record of the domain become visible."""
        self.zone(UNPROVEN, "owned")

    def remote_names(self) -> list[str]:
        return [it["name"] for it in self.remote("listDomains")["domains"]]


class AddDomainTests(AdditionTestCase):
    def test_it_adds_the_domain(self) -> None:
        domain = operations.add_domain(name="https://New.Example/", actor=self.adam)
        self.assertEqual(domain.name, NEW)
        self.assertIn(NEW, self.remote_names())
        self.assertEqual(self.addition().state, Addition.State.ADDED)
        self.assertEqual(self.events(), ["domain.added"])

    def test_account_reset_is_switched_off(self) -> None:
        domain = operations.add_domain(name=NEW, actor=self.adam)
        self.assertFalse(domain.allow_account_reset)
        state = self.sandbox.account.state
        self.assertFalse(state.domains[NEW].allow_account_reset)

    def test_unless_it_is_wanted(self) -> None:
        domain = operations.add_domain(
            name=NEW, actor=self.adam, allow_account_reset=True
        )
        self.assertTrue(domain.allow_account_reset)
        self.assertNotIn("updateDomainSettings", self.sandbox.calls.as_dict())

    def test_a_sync_does_not_tell_it_again(self) -> None:
        operations.add_domain(name=NEW, actor=self.adam)
        self.now += MINUTE
        tasks.sync()
        self.assertFalse(Entry.objects.filter(event="domain.appeared").exists())

    def test_without_the_record_it_says_what_to_do(self) -> None:
        with self.assertRaises(NotAdded) as caught:
            operations.add_domain(name=UNPROVEN, actor=self.adam)
        self.assertTrue(caught.exception.is_unproven)
        self.assertIn("does not see the ownership record", str(caught.exception))
        self.assertEqual(self.addition().state, Addition.State.FAILED)
        self.assertEqual(self.events(), ["domain.addition_failed"])

    def test_bad_names_are_refused_before_anybody_is_asked(self) -> None:
        for name in ("example", "co.uk", "a_b.example", "", "192.0.2.1"):
            with self.subTest(name), self.assertRaises(NotAdded):
                operations.add_domain(name=name, actor=self.adam)
        self.assertEqual(self.sandbox.calls.total, 0)

    def test_what_is_there_is_not_added_again(self) -> None:
        with self.assertRaisesMessage(NotAdded, "in the account already"):
            operations.add_domain(name="example.org", actor=self.adam)

    def test_a_limited_person_adds_their_own_domains_only(self) -> None:
        with self.assertRaises(NotAdded):
            operations.add_domain(name=NEW, actor=self.lina)

    def test_success_that_is_none_is_found_out(self) -> None:
        self.fault("silent_success", "addDomain")
        with self.assertRaisesMessage(NotAdded, "does not list it"):
            operations.add_domain(name=NEW, actor=self.adam)
        self.assertFalse(Domain.objects.filter(name=NEW).exists())

    def test_an_answer_that_is_lost_does_not_matter(self) -> None:
        self.fault("drop_after", "addDomain")
        operations.add_domain(name=NEW, actor=self.adam)
        self.assertEqual(self.addition().state, Addition.State.ADDED)


class WaitingTests(AdditionTestCase):
    def request(self) -> Addition:
        return operations.request_addition(name=UNPROVEN, actor=self.adam)

    @pytest.mark.slow
    def test_it_is_added_once_its_record_is_visible(self) -> None:
        self.request()
        self.pass_minutes(3)
        self.assertEqual(self.addition().state, Addition.State.WAITING)
        self.assertEqual(self.addition().note, "The record is not visible yet.")
        self.assertNotIn("addDomain", self.sandbox.calls.as_dict())
        self.prove()
        self.pass_minutes(2)
        self.assertEqual(self.addition().state, Addition.State.ADDED)
        self.assertIn(UNPROVEN, self.remote_names())
        self.assertEqual(self.events(), ["domain.addition_requested", "domain.added"])
        added = Entry.objects.get(event="domain.added")
        # So that whoever asked for it gets the notice.
        self.assertIsNone(added.actor_id)

    @pytest.mark.slow
    def test_looking_costs_no_call_and_becomes_rare(self) -> None:
        self.request()
        looked = []
        for minute in range(6 * 60):
            self.now += MINUTE
            tasks.add_visible()
            if self.addition().looked_at == self.now:
                looked.append(minute)
        self.assertEqual(self.sandbox.calls.total, 0)
        self.assertEqual(looked[:10], list(range(10)))
        self.assertLess(len(looked), 25)

    @pytest.mark.slow
    def test_it_can_be_cancelled(self) -> None:
        addition = self.request()
        operations.cancel_addition(addition=addition, actor=self.olga)
        self.prove()
        self.pass_minutes(2)
        self.assertEqual(self.addition().state, Addition.State.CANCELLED)
        self.assertNotIn(UNPROVEN, self.remote_names())
        with self.assertRaises(Refused):
            operations.cancel_addition(addition=addition, actor=self.olga)

    def test_one_waits_at_a_time(self) -> None:
        self.request()
        with self.assertRaisesMessage(NotAdded, "waits to be added already"):
            self.request()

    def test_it_may_be_tried_at_once_meanwhile(self) -> None:
        self.request()
        self.prove()
        operations.add_domain(name=UNPROVEN, actor=self.adam)
        self.assertEqual(self.addition().state, Addition.State.ADDED)

    @pytest.mark.slow
    def test_trying_it_too_soon_does_not_end_the_wait(self) -> None:
        self.request()
        with self.assertRaisesMessage(NotAdded, "It goes on waiting."):
            operations.add_domain(name=UNPROVEN, actor=self.adam)
        self.assertEqual(self.addition().state, Addition.State.WAITING)
        self.assertNotIn("domain.addition_failed", self.events())
        self.prove()
        self.pass_minutes(2)
        self.assertEqual(self.addition().state, Addition.State.ADDED)

    def test_at_first_it_is_looked_for_between_the_minutes(self) -> None:
        self.request()
        tasks.add_visible()
        OrmQ.objects.all().delete()
        queued = []
        for second in range(0, 60, 5):
            self.now += timedelta(seconds=5)
            pulse.send(type(self), cluster="default", in_hand={})
            if OrmQ.objects.exists():
                queued.append(second + 5)
                OrmQ.objects.all().delete()
                cache.clear()  # which keeps the real time
                tasks.add_visible()
        self.assertEqual(queued, [15, 30, 45, 60])

    def test_later_the_minute_is_enough(self) -> None:
        self.request()
        OrmQ.objects.all().delete()
        self.now += timedelta(minutes=6)
        pulse.send(type(self), cluster="default", in_hand={})
        self.assertFalse(OrmQ.objects.exists())

    def test_hosts_do_not_queue_the_same_look_twice(self) -> None:
        self.request()
        OrmQ.objects.all().delete()
        for _ in range(3):
            pulse.send(type(self), cluster="default", in_hand={})
        self.assertEqual(OrmQ.objects.count(), 1)

    def test_a_token_that_is_refused_is_waited_for(self) -> None:
        self.request()
        self.prove()
        self.fault("error", "addDomain", code="invalidToken", message="Invalid token.")
        self.pass_minutes(1)
        self.assertEqual(self.addition().state, Addition.State.WAITING)
        self.assertIn("refused the panel's token", self.addition().note)

    def test_it_ends_after_seven_days(self) -> None:
        self.request()
        self.now += timedelta(days=7)
        tasks.add_visible()
        self.assertEqual(self.addition().state, Addition.State.EXPIRED)
        self.assertEqual(self.events()[-1], "domain.addition_expired")

    @pytest.mark.slow
    def test_purelymail_may_see_it_later_than_we(self) -> None:
        self.request()
        self.prove()
        self.fault(
            "error",
            "addDomain",
            times=2,
            code="x",
            message="DNS ownership checks did not pass",
        )
        self.pass_minutes(4)
        self.assertEqual(self.addition().state, Addition.State.WAITING)
        self.assertIn("PurelyMail does not yet", self.addition().note)
        self.pass_minutes(16)
        self.assertEqual(self.addition().state, Addition.State.ADDED)
        self.assertEqual(self.sandbox.calls.as_dict()["addDomain"], 3)

    def test_another_refusal_ends_it(self) -> None:
        self.request()
        self.prove()
        self.fault("error", "addDomain", code="x", message="Too many domains")
        self.pass_minutes(1)
        self.assertEqual(self.addition().state, Addition.State.FAILED)
        self.assertIn("Too many domains", self.addition().note)
        self.assertEqual(self.events()[-1], "domain.addition_failed")

    @pytest.mark.slow
    def test_an_outage_is_waited_for(self) -> None:
        self.request()
        self.prove()
        self.fault("status_500", "addDomain")
        self.pass_minutes(1)
        self.assertEqual(self.addition().state, Addition.State.WAITING)
        self.pass_minutes(6)
        self.assertEqual(self.addition().state, Addition.State.ADDED)

    def test_a_crash_in_between_is_settled_by_looking(self) -> None:
        addition = self.request()
        Addition.objects.filter(pk=addition.pk).update(
            state=Addition.State.ADDING, claimed_at=self.now, looked_at=self.now
        )
        self.prove()
        self.remote("addDomain", domainName=UNPROVEN)
        self.pass_minutes(6)
        self.assertEqual(self.addition().state, Addition.State.ADDED)
        self.assertNotIn("addDomain", self.sandbox.calls.as_dict())

    @pytest.mark.slow
    def test_a_crash_before_the_call_is_settled_as_well(self) -> None:
        addition = self.request()
        Addition.objects.filter(pk=addition.pk).update(
            state=Addition.State.ADDING, claimed_at=self.now, looked_at=self.now
        )
        self.prove()
        self.pass_minutes(12)
        self.assertEqual(self.addition().state, Addition.State.ADDED)
