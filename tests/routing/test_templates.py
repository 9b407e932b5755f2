"""One rule over many domains."""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from purelymanage.audit.models import Agent, Entry
from purelymanage.domains import sync
from purelymanage.mailboxes.bulk import running
from purelymanage.mailboxes.models import Bulk, Mailbox
from purelymanage.purelymail.client import PurelymailClient
from purelymanage.routing.bulk.rows import WORK
from purelymanage.routing.models import RuleBulk, Snapshot
from tests.routing.bulk_cases import RuleBulkTestCase

PATH = "/routing/template/"


def form(**fields: Any) -> dict[str, Any]:
    return {
        "roles": ["postmaster", "abuse"],
        "others": "",
        "domains": ["example.org", "shop.example"],
        "targets": "anna@example.org",
        "where_rule": "keep",
        "spares_mailboxes": "on",
    } | fields


class TemplateTests(RuleBulkTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.listed_before = self.listed()

    def test_each_name_at_each_domain_gets_its_rule(self) -> None:
        bulk = self.draft(PATH, form(others="billing, press"))
        wanted = {
            f"{name}@{domain}"
            for name in ("postmaster", "abuse", "billing", "press")
            for domain in ("example.org", "shop.example")
        } - self.listed_before.keys()
        wanted -= set(Mailbox.objects.values_list("address", flat=True))
        new = {it for it, verdict in self.verdicts(bulk).items() if verdict == "new"}
        self.assertEqual(new, wanted)
        states = self.run_bulk(bulk)
        self.assertEqual({states[it] for it in wanted}, {"done"})
        for pattern in wanted:
            self.assertEqual(self.listed()[pattern], ["anna@example.org"])
        self.assertEqual(bulk.state, RuleBulk.State.DONE)
        self.assertEqual(Snapshot.objects.get().occasion, Snapshot.Occasion.RULES)
        events = Entry.objects.values_list("event", flat=True)
        self.assertEqual(list(events).count("rule.created"), len(wanted))
        self.assertIn("bulk.finished", events)

    @pytest.mark.slow
    def test_a_second_time_nothing_is_to_be_done(self) -> None:
        self.run_bulk(self.draft(PATH, form()))
        again = self.draft(PATH, form())
        self.assertEqual(set(self.verdicts(again).values()), {"same"})
        self.assertNotIn("waiting", self.states(again).values())
        r = self.client.get(f"/routing/bulk/{again.pk}/")
        self.assertContains(r, "There is nothing to do")
        r = self.client.post(f"/routing/bulk/{again.pk}/start/")
        self.assertContains(r, "There is nothing to do", status_code=422)

    @pytest.mark.slow
    def test_rules_that_are_there_stay_grow_or_are_replaced(self) -> None:
        self.remote(
            "createRoutingRule",
            domainName="shop.example",
            matchUser="press",
            prefix=False,
            catchall=False,
            targetAddresses=["old@elsewhere.example"],
        )
        sync.sync(actor=Agent.PANEL)
        fields = form(roles=[], others="press", domains=["shop.example"])
        for where, outcome in (
            ("keep", ["old@elsewhere.example"]),
            ("add", ["anna@example.org", "old@elsewhere.example"]),
            ("replace", ["anna@example.org"]),
        ):
            with self.subTest(where=where):
                bulk = self.draft(PATH, fields | {"where_rule": where})
                if where == "keep":
                    self.assertEqual(
                        self.states(bulk)["press@shop.example"], "left_out"
                    )
                else:
                    self.run_bulk(bulk)
                self.assertEqual(self.listed()["press@shop.example"], outcome)

    def test_mailboxes_keep_their_mail_unless_somebody_wants_otherwise(self) -> None:
        fields = form(roles=[], others="ben", domains=["example.org"])
        bulk = self.draft(PATH, fields)
        self.assertIn("keeps its mail", self.row(bulk, "ben@example.org").reason)
        del fields["spares_mailboxes"]
        row = self.row(self.draft(PATH, fields), "ben@example.org")
        self.assertEqual(row.verdict, "new")
        self.assertIn("this rule takes all of its mail", str(row.warnings))

    def test_what_failed_is_tried_again(self) -> None:
        bulk = self.draft(PATH, form(roles=["hostmaster"], domains=["shop.example"]))
        self.fault("error", "createRoutingRule", code="oops", message="Not today.")
        states = self.run_bulk(bulk)
        self.assertEqual(states, {"hostmaster@shop.example": "failed"})
        r = self.client.get(f"/routing/bulk/{bulk.pk}/")
        self.assertContains(r, "Not today.")
        self.client.post(f"/routing/bulk/{bulk.pk}/decide/", {"decision": "retry"})
        self.assertEqual(self.work(bulk), {"hostmaster@shop.example": "done"})

    @pytest.mark.slow
    def test_an_outage_stops_it_and_it_can_be_resumed(self) -> None:
        bulk = self.draft(PATH, form(others="one two three"))
        self.fault("status_500", "*", times=None)
        self.run_bulk(bulk)
        self.assertEqual(bulk.state, RuleBulk.State.STOPPED)
        self.assertIn("5 rows in a row", bulk.reason)
        self.sandbox.faults.clear()
        self.client.post(f"/routing/bulk/{bulk.pk}/decide/", {"decision": "resume"})
        self.assertNotIn("waiting", self.work(bulk).values())
        self.assertIn("one@shop.example", self.listed())

    def test_a_row_left_by_a_dead_worker_is_done_once(self) -> None:
        bulk = self.draft(PATH, form(roles=["hostmaster"], domains=["shop.example"]))
        real = PurelymailClient.create_routing_rule

        def die(*args: Any, **fields: Any) -> None:
            real(*args, **fields)
            raise SystemExit(os.EX_TEMPFAIL)

        with mock.patch.object(PurelymailClient, "create_routing_rule", die):
            self.client.post(f"/routing/bulk/{bulk.pk}/start/")
            with self.assertRaises(SystemExit):
                running.run_slice(WORK, bulk_id=bulk.pk, ticket=0)
        self.assertEqual(self.states(bulk), {"hostmaster@shop.example": "working"})
        self.sandbox.calls.clear()
        later = timezone.now() + 2 * Bulk.LEASE
        with mock.patch("django.utils.timezone.now", return_value=later):
            self.assertEqual(self.work(bulk), {"hostmaster@shop.example": "done"})
        self.assertNotIn("createRoutingRule", self.sandbox.calls.names)
        sync.sync(actor=Agent.PANEL)
        created = Entry.objects.filter(event="rule.created")
        self.assertEqual([it.actor_name for it in created], ["adam@example.org"])

    def test_rows_are_left_out_and_taken_in_again(self) -> None:
        bulk = self.draft(PATH, form(domains=["shop.example"]))
        row = bulk.rows.waiting().order_by("number")[0]
        path = f"/routing/bulk/{bulk.pk}/rows/{row.number}/"
        self.client.post(path, {"wanted": "no"})
        row.refresh_from_db()
        self.assertEqual(row.state, "left_out")
        self.client.post(path, {"wanted": "yes"})
        row.refresh_from_db()
        self.assertEqual(row.state, "waiting")

    def test_what_cannot_be_is_said_at_the_field(self) -> None:
        for fields, words in (
            ({"targets": "no address"}, "is no e-mail address"),
            ({"targets": ""}, "Fill this in"),
            ({"others": "a b@example.org"}, "Write only what stands before the @"),
            ({"domains": []}, "Choose at least one domain"),
            ({"domains": ["foreign.example"]}, "Choose one of those"),
            ({"roles": []}, "Choose a name above"),
        ):
            with self.subTest(fields=fields):
                r = self.client.post(PATH, form(**fields))
                self.assertContains(r, words, status_code=422)
        self.assertFalse(RuleBulk.objects.exists())

    def test_limited_people_get_their_domains_alone(self) -> None:
        self.client.force_login(self.lina)
        self.assertNotContains(self.client.get(PATH), 'value="example.org"')
        fields = form(domains=[], all_domains="on", targets="orders@shop.example")
        bulk = self.draft(PATH, fields)
        self.assertEqual(bulk.domains, ["shop.example"])
        self.client.force_login(self.adam)
        r = self.client.get(f"/routing/bulk/{bulk.pk}/")
        self.assertEqual(r.status_code, 404)  # a draft is its maker's
