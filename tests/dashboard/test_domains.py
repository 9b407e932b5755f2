from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from purelymanage.broker import CLUSTERS
from purelymanage.dashboard.domains import Domains, domains_of
from purelymanage.domains.models import Domain, Health, Standing, SyncRun
from tests.cast import CastTestCase
from tests.domains.rows import PASSES, add_domain, seen

FOREIGN = ["10 mx.elsewhere.example"]


class DomainsOfTests(CastTestCase):
    def of_olga(self) -> Domains:
        return domains_of(self.olga)

    def standing(self) -> str:
        (standing,) = (it for it, count in self.of_olga().standings.items() if count)
        return standing

    def unseen(self, **fields: Any) -> Domain:
        passes = dict.fromkeys(PASSES, True)
        return Domain.objects.create(**{"name": "a.example"} | passes | fields)

    def test_what_was_seen_decides(self) -> None:
        cases: list[tuple[Standing, dict[str, list[str]]]] = [
            (Standing.RIGHT, {}),
            (Standing.DEAF, {"mx": []}),
            (Standing.DEAF, {"mx": FOREIGN, "dkim": []}),
            (Standing.WRONG, {"txt": []}),
            (Standing.WRONG, {"dkim": []}),
            (Standing.WRONG, {"dmarc": []}),
        ]
        for standing, records in cases:
            with self.subTest(records=records):
                Domain.objects.all().delete()
                # PurelyMail has not noticed yet.
                add_domain("a.example", seen("a.example", **records))
                self.assertEqual(self.standing(), standing)

    def test_what_could_not_be_looked_up_is_neither_right_nor_wrong(self) -> None:
        unknown = {"state": "unknown", "cells": {"mx": "unknown", "spf": "unknown"}}
        add_domain("a.example", passes_mx=True, health=unknown)
        self.assertEqual(self.standing(), Standing.UNKNOWN)

    def test_a_missing_mx_counts_although_the_rest_could_not_be_looked_up(self) -> None:
        known = {"state": "unknown", "cells": {"mx": "missing", "spf": "unknown"}}
        add_domain("a.example", health=known)
        self.assertEqual(self.standing(), Standing.DEAF)

    def test_purelymail_is_believed_before_the_first_look(self) -> None:
        for standing, fields in (
            (Standing.RIGHT, {}),
            (Standing.DEAF, {"passes_mx": False}),
            (Standing.WRONG, {"passes_spf": False}),
            (Standing.WRONG, {"passes_dmarc": False}),
        ):
            for is_watched in (False, True):
                with self.subTest(fields=fields, is_watched=is_watched):
                    Domain.objects.all().delete()
                    domain = self.unseen(**fields)
                    if is_watched:
                        Health.objects.create(domain=domain)
                    self.assertEqual(self.standing(), standing)

    def test_purelymail_alone_tells_the_records_of_shared_domains(self) -> None:
        add_domain("a.example", is_shared=True, passes_mx=False)
        self.assertEqual(self.standing(), Standing.DEAF)

    def test_the_first_ones_are_named_and_the_rest_counted(self) -> None:
        for number in range(5):
            add_domain(f"deaf{number}.example", seen(f"deaf{number}.example", mx=[]))
            add_domain(f"wrong{number}.example", seen(f"wrong{number}.example", txt=[]))
            add_domain(f"good{number}.example")
        found = self.of_olga()
        self.assertEqual((found.count, found.healthy_count), (15, 5))
        self.assertEqual((found.deaf_count, found.wrong_count), (5, 5))
        named = [row.domain.name for row in (*found.deaf, *found.wrong)]
        self.assertEqual(
            named,
            [
                f"{word}{number}.example"
                for word in ("deaf", "wrong")
                for number in range(3)
            ],
        )
        self.assertFalse(found.others_are_healthy)

    def test_the_others_are_healthy_where_the_worst_are_all_that_is_wrong(self) -> None:
        add_domain("wrong.example", seen("wrong.example", txt=[]))
        for number in range(7):
            add_domain(f"good{number}.example")
        found = self.of_olga()
        self.assertEqual(found.other_count, 2)
        self.assertTrue(found.others_are_healthy)
        # It stands last in the list, but is not in order for that.
        self.unseen(name="unseen.example", passes_spf=False)
        self.assertFalse(self.of_olga().others_are_healthy)

    def test_limited_people_have_their_own_counted(self) -> None:
        add_domain("shop.example")
        add_domain("other.example", seen("other.example", mx=[]))
        found = domains_of(self.lina)
        self.assertEqual((found.count, found.deaf), (1, []))


class PageTests(CastTestCase):
    def setUp(self) -> None:
        for name in CLUSTERS:
            cache.set(f"pulse:{name}", "asks for work", 30)
        SyncRun.objects.create(state="done")
        self.client.force_login(self.olga)

    def queries(self) -> int:
        self.client.get("/")
        with CaptureQueriesContext(
            connection,
        ) as found:
            self.assertEqual(self.client.get("/").status_code, 200)
        return len(found)

    @pytest.mark.slow
    def test_a_thousand_domains_take_as_many_queries_as_ten(self) -> None:
        self.add(range(10))
        few = self.queries()
        self.add(range(10, 1_000))
        self.assertEqual(self.queries(), few)
        self.assertContains(self.client.get("/"), "Mail to 497 more domains")

    def add(self, numbers: range) -> None:
        new = Domain.objects.bulk_create(
            Domain(name=f"d{number}.example") for number in numbers
        )
        states = ("broken", "attention")
        Health.objects.bulk_create(
            Health(
                domain=domain,
                state=states[at % 2],
                cells={"mx": "wrong" if at % 2 == 0 else "right"},
                looked_at=domain.first_seen_at,
            )
            for at, domain in enumerate(new)
        )
