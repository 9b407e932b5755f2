from __future__ import annotations

from purelymanage.domains.models import Domain
from tests.cast import HTMX, CastTestCase

RIGHT = {
    "passes_mx": True,
    "passes_spf": True,
    "passes_dkim": True,
    "passes_dmarc": True,
}


class DomainListTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Domain.objects.create(name="a.example", **RIGHT)
        Domain.objects.create(name="deaf.example", **RIGHT | {"passes_mx": False})
        Domain.objects.create(name="shop.example", **RIGHT | {"passes_dmarc": False})

    def setUp(self) -> None:
        self.client.force_login(self.olga)

    def names(self, query: str = "") -> list[str]:
        r = self.client.get(f"/domains/{query}")
        return [domain.name for domain in r.context["page"]]

    def test_the_worst_comes_first(self) -> None:
        self.assertEqual(self.names(), ["deaf.example", "shop.example", "a.example"])

    def test_each_domain_is_told_in_words(self) -> None:
        r = self.client.get("/domains/")
        for words in ("Mail does not arrive", "DMARC fails", "Healthy"):
            self.assertContains(r, words)

    def test_it_filters_by_name_and_health(self) -> None:
        self.assertEqual(self.names("?q=SHOP"), ["shop.example"])
        self.assertEqual(self.names("?health=healthy"), ["a.example"])
        self.assertEqual(
            self.names("?health=unhealthy"), ["deaf.example", "shop.example"]
        )

    def test_htmx_gets_the_list_alone(self) -> None:
        r = self.client.get("/domains/", headers=HTMX)
        self.assertTemplateNotUsed(r, "base.html")
        self.assertContains(r, 'id="domain-list"')

    def test_limited_people_see_their_domains(self) -> None:
        self.client.force_login(self.lina)
        self.assertEqual(self.names(), ["shop.example"])

    def test_needed_records_are_broken_and_advisable_ones_need_attention(self) -> None:
        domain = Domain(name="x.example", passes_mx=True, passes_dkim=True)
        self.assertEqual(
            domain.cells,
            [
                ("MX", "good"),
                ("SPF", "broken"),
                ("DKIM", "good"),
                ("DMARC", "attention"),
            ],
        )
        self.assertEqual(domain.tone, "broken")
        self.assertEqual(domain.verdict, "SPF and DMARC fail")
