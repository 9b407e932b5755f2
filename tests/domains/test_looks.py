from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings
from django_q.models import OrmQ

from purelymanage.audit import notices
from purelymanage.audit.models import Entry, Notice
from purelymanage.domains import operations, tasks
from purelymanage.domains.dns import looking
from purelymanage.domains.models import Change, Domain, Health
from purelymanage.domains.operations import looks
from purelymanage.domains.schedule import EACH_ROUND
from purelymanage.errors import Refused
from tests.domains.clock import MINUTE, ClockTestCase


class LooksTestCase(ClockTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.fill_account(["d.example", "shop.example"])
        tasks.sync()
        self.pass_minutes(1)

    def look(self, name: str = "d.example") -> Health:
        """Let a look be due, and do it."""
        self.now += MINUTE
        Health.objects.filter(domain__name=name).update(next_look_at=self.now)
        tasks.look_at_due()
        return self.health(name)

    def events(self) -> list[str]:
        found = Entry.objects.filter(event__startswith="domain.")
        return list(found.order_by("pk").values_list("event", flat=True))


class LooksTests(LooksTestCase):
    def test_a_new_domain_is_looked_at_at_once(self) -> None:
        health = self.health("d.example")
        self.assertEqual((health.state, health.looked_at), ("good", self.now))
        self.assertEqual(set(health.cells.values()), {"right"})
        self.assertEqual(health.finding_count, 0)

    def test_what_was_seen_is_kept(self) -> None:
        self.zone("d.example", "broken")
        health = self.look()
        self.assertEqual(health.state, "broken")
        self.assertEqual(health.cells["dkim3"], "missing")
        self.assertEqual(health.cells["spf"], "wrong")
        self.assertGreater(health.finding_count, 0)
        self.assertEqual(health.observation["domain"], "d.example")

    def test_a_change_is_told_as_a_difference(self) -> None:
        self.zone("d.example", "waiting")
        self.look()
        sentences = [str(it) for it in Change.objects.filter(kind="record")]
        self.assertIn(
            "MX changed: 50 mailserver.purelymail.com → 10 mx.old-provider.example",
            sentences,
        )
        self.assertIn(
            "DKIM key 1 removed, which was key1.dkimroot.purelymail.com", sentences
        )

    @pytest.mark.slow
    def test_nothing_is_noted_where_nothing_changed(self) -> None:
        self.look()
        self.pass_minutes(5)
        self.look()
        self.assertFalse(Change.objects.exists())

    def test_a_look_in_vain_changes_no_record(self) -> None:
        self.zone("d.example", failure="servfail")
        health = self.look()
        self.assertEqual(health.state, "unknown")
        self.assertEqual(set(health.cells.values()), {"unknown"})
        self.assertFalse(Change.objects.filter(kind="record").exists())
        self.zone("d.example")
        self.look()
        self.assertFalse(Change.objects.filter(kind="record").exists())

    def test_history_is_never_rewritten(self) -> None:
        self.zone("d.example", "waiting")
        self.look()
        change = Change.objects.earliest("pk")
        with self.assertRaises(TypeError):
            change.save()

    @pytest.mark.slow
    def test_the_number_of_queries_does_not_grow(self) -> None:
        Health.objects.update(next_look_at=self.now)
        with self.assertNumQueries(10):
            tasks.look_at_due()
        self.fill_account([f"d{n}.example" for n in range(30)])
        tasks.sync()
        self.pass_minutes(1)
        Health.objects.update(next_look_at=self.now)
        with self.assertNumQueries(10):
            tasks.look_at_due()


class LeaseTests(LooksTestCase):
    def test_nobody_else_takes_what_is_being_looked_at(self) -> None:
        Health.objects.update(next_look_at=self.now)
        self.assertEqual(len(looks._claim_due(10)), 2)
        self.assertEqual(looks._claim_due(10), [])

    def test_a_lease_ends_with_its_worker(self) -> None:
        Health.objects.update(next_look_at=self.now)
        looks._claim_due(10)
        self.now += Health.LEASE
        self.assertEqual(len(looks._claim_due(10)), 2)

    def test_who_comes_too_late_changes_nothing(self) -> None:
        Health.objects.update(next_look_at=self.now)
        slow = looks._claim_due(10)
        self.now += Health.LEASE
        looks._claim_due(10)
        self.zone("d.example", "broken")
        seen = looking.look(["d.example"], anew=True)
        looks.settle_looks(seen, leased=slow)
        self.assertEqual(self.health("d.example").state, "good")

    def test_a_touch_during_a_look_is_not_lost(self) -> None:
        Health.objects.update(next_look_at=self.now)
        leased = looks._claim_due(10)
        seen = looking.look(["d.example", "shop.example"], anew=True)
        operations.touch("d.example")
        looks.settle_looks(seen, leased=leased)
        soon = self.now + EACH_ROUND
        self.assertEqual(self.health("d.example").next_look_at, soon)
        self.assertGreater(
            self.health("shop.example").next_look_at, self.now + 2 * MINUTE
        )


@pytest.mark.slow
class AlertTests(LooksTestCase):
    def test_a_break_is_told_once_and_so_is_its_end(self) -> None:
        self.zone("d.example", "broken")
        self.look()
        self.assertNotIn("domain.broke", self.events())
        self.pass_minutes(9)
        self.assertNotIn("domain.broke", self.events())
        self.pass_minutes(2)
        self.assertEqual(self.events().count("domain.broke"), 1)
        told = str(Entry.objects.get(event="domain.broke"))
        self.assertIn("saw d.example break: There are 2 SPF records", told)
        self.assertIn("There is no such record (DKIM key 3).", told)
        self.pass_minutes(60)
        self.zone("d.example")
        self.pass_minutes(75)
        self.assertEqual(self.events().count("domain.broke"), 1)
        self.assertEqual(self.events().count("domain.recovered"), 1)
        states = Change.objects.filter(kind="state").order_by("pk")
        self.assertEqual([it.after for it in states], [["Broken"], ["Healthy"]])

    def test_a_flicker_is_not_told(self) -> None:
        self.zone("d.example", "broken")
        self.look()
        self.zone("d.example")
        self.pass_minutes(60)
        self.assertFalse({"domain.broke", "domain.recovered"} & set(self.events()))

    def test_people_hear_of_their_own_domains_only(self) -> None:
        for name in ("d.example", "shop.example"):
            self.zone(name, "broken")
            self.look(name)
        self.pass_minutes(12)
        notices.make_notices()
        told = Notice.objects.filter(entry__event="domain.broke")
        heard = {
            (it.person_id, it.entry.target)
            for it in told.select_related("entry")
            if it.person_id in (self.adam.pk, self.lina.pk)
        }
        self.assertEqual(
            heard,
            {
                (self.adam.pk, "d.example"),
                (self.adam.pk, "shop.example"),
                (self.lina.pk, "shop.example"),
            },
        )

    def test_what_cannot_be_looked_up_is_told_after_a_day_and_once(self) -> None:
        self.zone("d.example", failure="servfail")
        self.look()
        self.pass_minutes(23 * 60, step=5)
        self.assertNotIn("domain.unseen", self.events())
        self.pass_minutes(30 * 60, step=30)
        self.assertEqual(self.events().count("domain.unseen"), 1)
        self.assertNotIn("domain.broke", self.events())
        blind = Health.objects.blind(self.now)
        self.assertEqual([it.domain.name for it in blind], ["d.example"])


class CheckNowTests(LooksTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now += timedelta(minutes=3)

    def test_one_domain(self) -> None:
        mine = Domain.objects.filter(name="d.example")
        self.assertEqual(operations.check_now(domains=mine, actor=self.adam), 1)
        self.assertEqual(
            [it.func() for it in OrmQ.objects.all()][-1],
            "purelymanage.domains.tasks.look_at_due",
        )
        self.zone("d.example", "broken")
        tasks.look_at_due()
        self.assertEqual(self.health("d.example").state, "broken")
        self.assertEqual(self.events()[-1], "domain.check_requested")

    def test_not_again_at_once(self) -> None:
        mine = Domain.objects.filter(name="d.example")
        operations.check_now(domains=mine, actor=self.adam)
        with self.assertRaisesMessage(Refused, "has just been looked at"):
            operations.check_now(domains=mine, actor=self.olga)
        self.now += timedelta(seconds=16)
        operations.check_now(domains=mine, actor=self.olga)

    def test_all_of_them(self) -> None:
        self.fill_account([f"d{n}.example" for n in range(30)])
        tasks.sync()
        everything = Domain.objects.all()
        self.assertEqual(operations.check_now(domains=everything, actor=self.adam), 30)
        self.now += MINUTE
        with self.assertRaisesMessage(Refused, "within the last 5 minutes"):
            operations.check_now(domains=everything, actor=self.adam)

    @pytest.mark.slow
    def test_a_touched_domain_is_looked_at_each_minute(self) -> None:
        operations.touch("d.example")
        seen = []
        for _ in range(14):
            self.pass_minutes(1)
            looked_at = self.health("d.example").looked_at
            if looked_at == self.now:
                seen.append(looked_at)
        self.assertIn(len(seen), (10, 11))


class NoResolverTests(ClockTestCase):
    def test_it_is_said_and_nothing_is_missing(self) -> None:
        tasks.sync()
        with override_settings(DNS_RESOLVERS=["127.0.0.1:9", "nonsense"]):
            self.assertIn("nonsense", tasks.keep_watch())
        self.assertFalse(Health.objects.exclude(state="unseen").exists())
