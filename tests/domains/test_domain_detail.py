from __future__ import annotations

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.domains.models import Domain
from tests.account import fill_account
from tests.cast import CastTestCase

URL = "/domains/example.org/"


class DomainDetailTests(CastTestCase):
    def setUp(self) -> None:
        fill_account()
        self.client.force_login(self.olga)

    def test_it_names_each_record(self) -> None:
        Domain.objects.filter(name="example.org").update(passes_mx=False)
        r = self.client.get(URL)
        for words in ("MX", "SPF", "DKIM", "DMARC", "Mail does not arrive"):
            self.assertContains(r, words)

    def test_it_warns_of_account_recovery(self) -> None:
        self.assertContains(self.client.get(URL), "Whoever controls this domain")
        Domain.objects.update(allow_account_reset=False)
        self.assertNotContains(self.client.get(URL), "Whoever controls this domain")

    def test_it_tells_its_history(self) -> None:
        log.record(Event.DOMAIN_APPEARED, actor=self.adam, target="example.org")
        self.assertContains(self.client.get(URL), "added the domain example.org")

    def test_another_domain_is_not_found(self) -> None:
        self.assertEqual(self.client.get("/domains/nowhere.example/").status_code, 404)
