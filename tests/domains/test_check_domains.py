from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from purelymanage.domains.models import Domain, Health
from tests.cast import HTMX, CastTestCase
from tests.domains.rows import add_domain

URL = "/domains/check/"


class CheckDomainsTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        for name in ("a.example", "b.example", "shop.example"):
            add_domain(name)

    def setUp(self) -> None:
        self.client.force_login(self.olga)

    def asked(self) -> list[str]:
        found = Domain.objects.filter(health__asked_at__isnull=False)
        return list(found.values_list("name", flat=True))

    def test_one_is_checked_whatever_else_is_ticked(self) -> None:
        data = {"only": "a.example", "domain": ["b.example"]}
        r = self.client.post(URL, data, headers=HTMX)
        self.assertContains(r, "1 domain is looked at now.")
        self.assertEqual(self.asked(), ["a.example"])

    def test_the_chosen_ones_are_checked(self) -> None:
        self.client.post(URL, {"domain": ["a.example", "b.example", "\0"]})
        self.assertEqual(self.asked(), ["a.example", "b.example"])

    def test_what_was_checked_is_followed_for_a_while(self) -> None:
        self.client.post(URL, {"domain": ["a.example", "b.example"]})
        followed = Health.objects.filter(touched_at__isnull=False)
        self.assertEqual(followed.count(), 2)
        r = self.client.get("/domains/a.example/")
        self.assertContains(r, "Looked at every minute for a while")

    def test_all_are_checked_and_the_filters_are_kept(self) -> None:
        r = self.client.post(f"{URL}?q=shop", {"all": "1"})
        self.assertRedirects(r, "/domains/?q=shop")
        self.assertEqual(len(self.asked()), 3)

    def test_without_any_it_says_so(self) -> None:
        r = self.client.post(URL, headers=HTMX)
        self.assertContains(r, "There is no domain to look at", status_code=422)

    def test_too_soon_is_refused_with_a_sentence(self) -> None:
        self.client.post(URL, {"only": "a.example"})
        r = self.client.post(URL, {"only": "a.example"}, headers=HTMX)
        self.assertContains(r, "has just been looked at", status_code=422)

    def test_limited_people_check_their_own_only(self) -> None:
        self.client.force_login(self.lina)
        self.client.post(URL, {"domain": ["a.example", "shop.example"]})
        self.assertEqual(self.asked(), ["shop.example"])

    def test_the_list_asks_for_itself_and_keeps_the_ticks(self) -> None:
        self.client.post(URL, {"only": "a.example"})
        r = self.client.get("/domains/?q=example&domain=b.example", headers=HTMX)
        self.assertContains(r, "every 2s")
        self.assertContains(
            r, 'value="b.example" aria-label="Choose b.example" checked'
        )
        self.assertContains(r, 'hx-get="/domains/?q=example"')

    def test_it_stops_asking_when_nobody_looks(self) -> None:
        Health.objects.update(asked_at=timezone.now() - timedelta(minutes=5))
        Health.objects.update(looked_at=timezone.now() - timedelta(minutes=9))
        self.assertNotContains(self.client.get("/domains/"), "every 2s")
        r = self.client.get("/domains/a.example/")
        self.assertContains(r, "has not come yet")

    def test_the_page_of_a_domain_follows(self) -> None:
        r = self.client.post("/domains/a.example/check/", headers=HTMX)
        self.assertContains(r, "Looking now")
        self.assertContains(r, "every 2s")
        health = Health.objects.get(domain__name="a.example")
        assert health.looked_at
        url = "/domains/a.example/looked/"
        query = {"seen": health.looked_at.isoformat()}
        r = self.client.get(url, query, headers=HTMX)
        self.assertNotIn("HX-Trigger", r.headers)
        health.looked_at = timezone.now()
        health.save()
        r = self.client.get(url, query, headers=HTMX)
        self.assertEqual(r.headers["HX-Trigger"], "looked")
        self.assertContains(r, "every 30s")
