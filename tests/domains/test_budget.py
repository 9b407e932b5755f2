from __future__ import annotations

from itertools import pairwise

import pytest

from purelymanage.domains import tasks
from purelymanage.domains.dns import looking
from purelymanage.domains.dns.wire import Reply
from purelymanage.domains.models import Change, Health
from purelymanage.purelymail.sandbox.state import Domain as Remote
from purelymanage.purelymail.sandbox.zones import summary
from tests.domains.clock import ClockTestCase

A_DAY = 24 * 60
# How often somebody who leaves the dashboard open has it drawn; its mirror is polled.
DRAWN_EACH = 60


class BudgetTests(ClockTestCase):
    def begin(self, count: int, *, broken: int) -> list[str]:
        names = [f"d{number}.example" for number in range(count)]
        # What is in order lives long in the DNS, so that most looks need no traffic.
        self.fill_account(names, broken=broken, ttl=A_DAY * 60)
        self.sandbox.calls.clear()
        self.client.force_login(self.olga)
        tasks.sync()
        return names

    def live(self, minutes: int) -> None:
        """Let time pass with a dashboard open.

        Five minutes to the round, as the first pause is: no look is left out.
        """
        for _ in range(minutes // DRAWN_EACH):
            self.assertEqual(self.client.get("/").status_code, 200)
            self.assertEqual(self.client.get("/domains/sync/").status_code, 302)
            self.pass_minutes(DRAWN_EACH, step=5)

    def remember(self, names: list[str]) -> None:
        """Know all about these domains, as of one that is like them, for the day.

        They are looked at, judged and settled as ever; only the wire is spared.
        """
        example = names[0]
        seen = looking.look([example])[example]
        for name in names[1:]:
            for (asked, kind), answer in seen.answers.items():
                question = (asked.replace(example, name), kind)
                looking.memory.put(question, Reply(answer, keeps=A_DAY * 60))

    @property
    def calls(self) -> int:
        return self.sandbox.calls.total

    @pytest.mark.slow
    def test_a_quiet_day_with_fifty_domains(self) -> None:
        names = self.begin(50, broken=3)
        self.remember(names[:3])
        self.live(A_DAY)
        self.assertLessEqual(self.calls, 100)
        self.assertNotIn("updateDomainSettings", self.sandbox.calls.as_dict())
        # All the same, everything has been looked at, the red ones often.
        self.assertEqual(Health.objects.filter(state="good").count(), 47)
        self.assertEqual(Health.objects.filter(state="broken").count(), 3)
        self.assertFalse(Health.objects.disputed().exists())

    @pytest.mark.slow
    def test_a_quiet_day_with_a_thousand_domains(self) -> None:
        names = self.begin(1_000, broken=30)
        self.remember(names[:30])
        self.remember(names[30:])
        self.live(A_DAY)
        self.assertLessEqual(self.calls, 150)
        self.assertNotIn("updateDomainSettings", self.sandbox.calls.as_dict())
        self.assertEqual(Health.objects.filter(state="broken").count(), 30)

    @pytest.mark.slow
    def test_domains_that_are_mended_cost_a_few_calls_each(self) -> None:
        names = self.begin(50, broken=8)
        self.remember(names[5:8])  # the ones that stay as they are
        self.live(2 * 60)
        for name in names[:5]:
            self.zone(name)
            self.live(60)
        mended = self.calls
        self.live(A_DAY - 7 * 60)
        self.assertLessEqual(self.calls, 100 + 5 * 10)
        asked = self.sandbox.calls.as_dict()["updateDomainSettings"]
        self.assertEqual(asked, 5)
        self.assertLess(mended, 100)
        for name in names[:5]:
            health = self.health(name)
            self.assertEqual((health.state, health.disputed), ("good", []))
            self.assertTrue(health.domain.is_healthy)


class DisputeTests(ClockTestCase):
    def begin(self, name: str = "d.example", *, broken: int = 0) -> Remote:
        self.fill_account([name, "other.example"], broken=broken)
        tasks.sync()
        self.pass_minutes(1)
        self.sandbox.calls.clear()
        return self.sandbox.account.state.domains[name]

    def asked(self) -> int:
        return self.sandbox.calls.as_dict().get("updateDomainSettings", 0)

    @pytest.mark.slow
    def test_one_that_agrees_is_never_asked_about(self) -> None:
        self.begin(broken=1)
        self.pass_minutes(180)
        self.assertEqual(self.asked(), 0)

    def test_what_was_mended_is_told_to_purelymail(self) -> None:
        self.begin(broken=1)
        self.zone("d.example")
        self.pass_minutes(10)
        self.assertEqual(self.asked(), 1)
        self.assertEqual(self.sandbox.calls.as_dict()["listDomains"], 1)
        self.assertTrue(self.health("d.example").domain.is_healthy)
        kinds = set(Change.objects.values_list("kind", flat=True))
        self.assertLessEqual({"record", "witness"}, kinds)

    def test_what_broke_is_told_as_well(self) -> None:
        self.begin()
        self.zone("d.example", "broken")
        health = self.health("d.example")
        Health.objects.filter(pk=health.pk).update(next_look_at=self.now)
        self.pass_minutes(2)
        self.assertEqual(self.asked(), 1)
        self.assertFalse(self.health("d.example").domain.passes_spf)

    @pytest.mark.slow
    def test_who_keeps_disagreeing_is_asked_ever_more_seldom(self) -> None:
        remote = self.begin()
        stale = dict.fromkeys(remote.dns_summary, False)
        remote.dns_summary = stale
        self.fault("silent_success", "updateDomainSettings", times=None)
        tasks.sync()
        self.sandbox.calls.clear()
        asked = []
        for minute in range(1, 5 * 60):
            before = self.asked()
            self.pass_minutes(1)
            if self.asked() > before:
                asked.append(minute)
        gaps = [b - a for a, b in pairwise(asked)]
        self.assertEqual(gaps, [5, 10, 20, 40, 60, 60, 60])

    @pytest.mark.slow
    def test_what_cannot_be_looked_up_is_no_dispute(self) -> None:
        self.begin()
        self.zone("d.example", failure="servfail")
        Health.objects.update(next_look_at=self.now)
        self.pass_minutes(30)
        self.assertEqual(self.asked(), 0)
        self.assertEqual(self.health("d.example").state, "unknown")

    @pytest.mark.slow
    def test_one_list_serves_all_that_were_asked_about(self) -> None:
        names = [f"d{number}.example" for number in range(6)]
        self.fill_account(names, broken=6)
        tasks.sync()
        self.pass_minutes(1)
        state = self.sandbox.account.state
        for name in names:
            self.zone(name)
        self.sandbox.calls.clear()
        self.pass_minutes(6)
        self.assertEqual(self.asked(), 6)
        self.assertEqual(self.sandbox.calls.as_dict()["listDomains"], 1)
        self.assertTrue(summary(state.zones, names[0])["passesMx"])
