from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from purelymanage.domains.models import Change, Domain, Health
from purelymanage.domains.recheck import disputes
from tests.cast import CastTestCase

STATES = {
    "a.example": ("good", 0),
    "b.example": ("broken", 1),
    "c.example": ("attention", 2),
    "shop.example": ("broken", 4),
    "e.example": ("unknown", 0),
}


class HealthQueryTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        now = timezone.now()
        for name, (state, count) in STATES.items():
            domain = Domain.objects.create(name=name)
            Health.objects.create(
                domain=domain,
                state=state,
                finding_count=count,
                looked_at=now,
                next_look_at=now + timedelta(hours=1),
                disputed=["passes_mx"] if name == "c.example" else [],
            )
        Domain.objects.create(name="new.example")

    def test_the_worst_come_first(self) -> None:
        with self.assertNumQueries(1):
            found = list(Domain.objects.with_health().worst_seen_first())
            names = [(it.name, it.seen and it.seen.state) for it in found]
        self.assertEqual(
            names,
            [
                ("shop.example", "broken"),
                ("b.example", "broken"),
                ("c.example", "attention"),
                ("e.example", "unknown"),
                ("a.example", "good"),
                ("new.example", None),
            ],
        )

    def test_those_in_one_state(self) -> None:
        def names(state: str) -> list[str]:
            return [it.name for it in Domain.objects.in_state(state)]

        self.assertEqual(names("broken"), ["b.example", "shop.example"])
        self.assertEqual(names("unseen"), ["new.example"])

    def test_those_of_which_purelymail_says_something_else(self) -> None:
        found = Domain.objects.disputed()
        self.assertEqual([it.name for it in found], ["c.example"])

    def test_a_limited_person_sees_their_own(self) -> None:
        shop = Domain.objects.get(name="shop.example")
        other = Domain.objects.get(name="b.example")
        for domain in (shop, other):
            Change.objects.create(domain=domain, kind="record", sentence="MX added")
        mine = Health.objects.visible_to(self.lina)
        self.assertEqual([it.domain for it in mine], [shop])
        changes = Change.objects.visible_to(self.lina).newest_first()
        self.assertEqual([it.domain for it in changes], [shop])
        self.assertEqual(Change.objects.of(other).count(), 1)

    def test_shared_and_vanished_domains_are_not_due(self) -> None:
        later = timezone.now() + timedelta(hours=2)
        Domain.objects.filter(name="a.example").update(is_shared=True)
        Domain.objects.filter(name="b.example").update(gone_at=later)
        names = {it.domain.name for it in Health.objects.due(later)}
        self.assertEqual(names, {"c.example", "shop.example", "e.example"})

    def test_what_could_not_be_looked_up_is_no_dispute(self) -> None:
        domain = Domain(name="x.example", passes_mx=True)
        sees = {"passes_mx": False, "passes_spf": None, "passes_dkim": False}
        self.assertEqual(disputes(domain, sees), ["passes_mx"])
