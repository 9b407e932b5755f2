from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from purelymanage.domains.models import Addition, Domain, Health
from tests.account import add_addition
from tests.cast import HTMX, CastTestCase
from tests.domains.rows import add_domain, seen

GREEK = "xn--hxajbheg2az3al.example"


class DomainListTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        add_domain("a.example")
        add_domain("deaf.example", seen("deaf.example", mx=[]))
        add_domain("shop.example", seen("shop.example", dmarc=[], dkim=[]))

    def setUp(self) -> None:
        self.client.force_login(self.olga)

    def names(self, query: str = "") -> list[str]:
        r = self.client.get(f"/domains/{query}")
        return [domain.name for domain in r.context["page"]]

    def test_the_worst_comes_first(self) -> None:
        self.assertEqual(self.names(), ["deaf.example", "shop.example", "a.example"])

    def test_each_domain_is_told_in_words(self) -> None:
        r = self.client.get("/domains/")
        for words in (
            "Mail does not arrive",
            "DKIM and DMARC are not right",
            "Healthy",
            "MX: missing",
            "DKIM 3: missing",
            "SPF: right",
        ):
            self.assertContains(r, words)

    def test_it_tells_when_it_looked_and_looks_again(self) -> None:
        r = self.client.get("/domains/")
        self.assertContains(r, "3 minutes ago")
        self.assertContains(r, "in 4 minutes")

    def test_not_being_able_to_look_is_nothing_missing(self) -> None:
        Health.objects.update(state="unknown", cells={})
        r = self.client.get("/domains/?q=deaf")
        self.assertContains(r, "MX: could not look")
        self.assertNotContains(r, ": missing")
        self.assertNotContains(r, "Mail does not arrive")

    def test_what_was_not_looked_at_says_so(self) -> None:
        Domain.objects.create(name="new.example")
        r = self.client.get("/domains/?q=new")
        self.assertContains(r, "Not looked at yet")
        self.assertContains(r, "MX: not looked at yet")

    @pytest.mark.slow
    def test_it_filters_by_name_and_state(self) -> None:
        Domain.objects.filter(name="a.example").update(allow_account_reset=False)
        Health.objects.filter(domain__name="a.example").update(disputed=["passes_mx"])
        Domain.objects.create(name="new.example")
        for query, names in {
            "?q=SHOP": ["shop.example"],
            "?state=broken": ["deaf.example"],
            "?state=attention": ["shop.example"],
            "?state=good": ["a.example"],
            "?state=unseen": ["new.example"],
            "?state=disputed": ["a.example"],
            "?state=recovery": ["deaf.example", "shop.example", "new.example"],
            "?state=waiting": [],
            "?q=%00": ["deaf.example", "shop.example", "a.example", "new.example"],
        }.items():
            with self.subTest(query):
                self.assertEqual(self.names(query), names)

    def test_foreign_names_are_found_and_shown_in_both_forms(self) -> None:
        add_domain(GREEK)
        for query in ("?q=παρ", "?q=xn--hx", "?q=ΠΑΡΆ"):
            with self.subTest(query):
                self.assertEqual(self.names(query), [GREEK])
        r = self.client.get("/domains/")
        self.assertContains(r, "παράδειγμα.example")
        self.assertContains(r, GREEK)

    def test_disagreement_is_marked(self) -> None:
        Health.objects.filter(domain__name="a.example").update(disputed=["passes_mx"])
        self.assertContains(self.client.get("/domains/"), "PurelyMail disagrees")

    def test_htmx_gets_the_list_alone(self) -> None:
        r = self.client.get("/domains/", headers=HTMX)
        self.assertTemplateNotUsed(r, "base.html")
        self.assertContains(r, 'id="domain-list"')

    def test_limited_people_see_their_domains(self) -> None:
        self.client.force_login(self.lina)
        self.assertEqual(self.names(), ["shop.example"])

    def test_more_domains_take_no_more_queries(self) -> None:
        with CaptureQueriesContext(connection) as few:
            self.client.get("/domains/")
        for number in range(20):
            add_domain(f"d{number}.example")
            add_addition(self.olga, f"n{number}.example")
        with CaptureQueriesContext(connection) as many:
            self.client.get("/domains/")
        self.assertLessEqual(len(many), len(few) + 1)
        self.assertLess(len(many), 20)

    def test_auditors_may_look_and_add_nothing(self) -> None:
        self.client.force_login(self.audrey)
        r = self.client.get("/domains/")
        self.assertContains(r, "Check all now")
        self.assertNotContains(r, "/domains/add/")


class AdditionListTests(CastTestCase):
    def setUp(self) -> None:
        self.client.force_login(self.olga)

    def test_what_waits_is_above_the_list(self) -> None:
        add_addition(self.adam, note="The record is not visible yet.")
        r = self.client.get("/domains/")
        for words in (
            "new.example.org is added as soon as",
            "The record is not visible yet.",
            "Gives up",
            "adam@example.org",
        ):
            self.assertContains(r, words)
        self.assertContains(self.client.get("/domains/?state=waiting"), "new.example")

    def test_foreign_names_wait_in_both_forms(self) -> None:
        add_addition(self.olga, "xn--bcher-kva.example")
        r = self.client.get("/domains/")
        self.assertContains(r, "bücher.example is added as soon as")
        self.assertContains(r, 'In the DNS <span class="mono">xn--bcher-kva.example')

    def test_it_can_be_cancelled_once(self) -> None:
        addition = add_addition(self.adam)
        url = f"/domains/additions/{addition.pk}/cancel/"
        r = self.client.post(url, headers=HTMX)
        self.assertContains(r, "is not waited for any more")
        addition.refresh_from_db()
        self.assertEqual(addition.state, Addition.State.CANCELLED)
        r = self.client.post(url, headers=HTMX)
        self.assertContains(r, "does not wait any more", status_code=422)
        self.assertRedirects(self.client.post(url), "/domains/")

    def test_the_list_follows_what_was_added(self) -> None:
        add_addition(self.adam)
        r = self.client.get("/domains/additions/?open=1", headers=HTMX)
        self.assertNotIn("HX-Trigger", r.headers)
        self.assertContains(r, "every 5s")
        Addition.objects.update(state=Addition.State.ADDED)
        r = self.client.get("/domains/additions/?open=1", headers=HTMX)
        self.assertEqual(r.headers["HX-Trigger"], "synced")
        self.assertNotContains(r, "hx-get")

    def test_what_waited_in_vain_is_told_until_it_is_tried_again(self) -> None:
        now = timezone.now()
        add_addition(
            self.adam,
            state=Addition.State.EXPIRED,
            looked_at=now,
            settled_at=now,
            requested_at=now - timedelta(days=7),
        )
        r = self.client.get("/domains/")
        self.assertContains(r, "was not seen in seven days")
        add_addition(self.adam)
        r = self.client.get("/domains/")
        self.assertNotContains(r, "was not seen in seven days")

    def test_limited_people_see_their_own(self) -> None:
        add_addition(self.adam)
        self.client.force_login(self.lina)
        self.assertNotContains(self.client.get("/domains/"), "new.example.org")
