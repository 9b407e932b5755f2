"""The pages of bulk changes: what they show, ask for and refuse."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.deletions.models import PendingDeletion
from purelymanage.mailboxes.models import Bulk, BulkRow, HandOver, Mailbox
from tests.cast import HTMX
from tests.mailboxes.bulk.cases import ADDRESSES, BulkTestCase, slices_of
from tests.proof import prove

ORDERS, RETURNS = "orders@shop.example", "returns@shop.example"


class PageTestCase(BulkTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)
        prove(self.client)

    def draft(self, kind: str, *addresses: str) -> Bulk:
        r = self.client.post("/mailboxes/bulk/new/", {"kind": kind, "key": addresses})
        bulk = Bulk.objects.latest("pk")
        self.assertRedirects(r, f"/mailboxes/bulk/{bulk.pk}/")
        return bulk

    def post(self, bulk: Bulk, verb: str, **fields: str) -> int:
        r = self.client.post(f"/mailboxes/bulk/{bulk.pk}/{verb}/", fields)
        self.said = r.content.decode()
        return r.status_code


class DraftPageTests(PageTestCase):
    def test_all_that_a_filter_finds_can_be_taken(self) -> None:
        form = {"kind": "tag", "all": "1", "domain": "shop.example"}
        self.client.post("/mailboxes/bulk/new/", form)
        bulk = Bulk.objects.get()
        count = Mailbox.objects.present().filter(domain="shop.example").count()
        self.assertEqual(bulk.rows.count(), count)

    def test_nothing_chosen_leads_back_to_the_list(self) -> None:
        r = self.client.post("/mailboxes/bulk/new/", {"kind": "tag"}, follow=True)
        self.assertContains(r, "No mailbox was chosen.")
        r = self.client.post(
            "/mailboxes/bulk/new/", {"kind": "create", "key": ORDERS}, follow=True
        )
        self.assertContains(r, "Choose what is to be done.")

    def test_it_shows_what_would_happen_before_anything_does(self) -> None:
        Mailbox.objects.filter(address=ORDERS).update(
            two_factor=False, details_at=timezone.now(), recovery_methods=[]
        )
        bulk = self.draft("flags", ORDERS, RETURNS)
        r = self.client.post(
            f"/mailboxes/bulk/{bulk.pk}/wishes/", {"two_factor": "on"}, headers=HTMX
        )
        self.assertContains(r, "Fails, as it has no recovery method")
        self.assertContains(r, "not known yet becomes on")
        self.assertEqual(self.sandbox.calls.count("modifyUser"), 0)
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/")
        self.assertContains(r, '<option value="on" selected>')

    def test_it_shows_where_there_would_be_too_many_tags(self) -> None:
        full = [f"t{number}" for number in range(10)]
        Mailbox.objects.filter(address=ORDERS).update(tags=full)
        bulk = self.draft("tag", ORDERS, RETURNS)
        url = f"/mailboxes/bulk/{bulk.pk}/wishes/"
        r = self.client.post(url, {"add": "one-more"}, headers=HTMX)
        self.assertContains(r, "Fails: A mailbox has at most 10 tags", count=1)
        self.assertContains(r, "Tags: none becomes one-more")
        r = self.client.post(url, {"add": "one-more", "remove": "t1"}, headers=HTMX)
        self.assertNotContains(r, "Fails")

    def test_something_has_to_be_wanted(self) -> None:
        self.assertEqual(self.post(self.draft("flags", ORDERS), "start"), 422)
        self.assertIn("Choose at least one switch.", self.said)
        self.assertEqual(self.post(self.draft("tag", ORDERS), "start"), 422)
        self.assertIn("Write at least one tag.", self.said)
        bulk = self.draft("tag", ORDERS)
        self.assertEqual(self.post(bulk, "start", add="a", remove="A"), 422)

    def test_the_number_of_many_rows_is_typed(self) -> None:
        many = list(Mailbox.objects.values_list("address", flat=True)[:30])
        bulk = self.draft("tag", *many)
        self.assertEqual(self.post(bulk, "start", add="x", confirm="29"), 422)
        self.assertIn("Type 30 here, nothing else.", self.said)
        self.assertEqual(self.post(bulk, "start", add="x", confirm="30"), 302)

    def test_links_of_a_form_that_came_back_lead_to_the_page(self) -> None:
        bulk = self.draft("tag", ORDERS)
        for path in ("start", "wishes"):
            r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/{path}/?rows=left_out")
            self.assertRedirects(r, f"/mailboxes/bulk/{bulk.pk}/?rows=left_out")

    def test_a_draft_can_be_discarded(self) -> None:
        bulk = self.draft("tag", ORDERS)
        self.assertEqual(self.post(bulk, "decide", decision="discard"), 302)
        self.assertFalse(Bulk.objects.exists())

    @pytest.mark.slow
    def test_deletions_want_a_proof_the_number_and_what_was_shown(self) -> None:
        bulk = self.draft("delete", ORDERS, RETURNS)
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/")
        self.assertContains(r, "All its mail", count=2)
        shown = r.context["shown"]
        prove(self.client, ago=3600)
        self.post(bulk, "start", shown=shown, confirm="2")
        self.assertFalse(PendingDeletion.objects.exists())
        prove(self.client)
        self.assertEqual(self.post(bulk, "start", shown=shown, confirm="1"), 422)
        self.assertEqual(self.post(bulk, "start", shown=shown, confirm="2"), 302)
        self.work()
        self.assertEqual(PendingDeletion.objects.count(), 2)

    def test_the_queue_takes_no_more_than_it_ever_does(self) -> None:
        form = {"kind": "delete", "key": ADDRESSES[:201]}
        r = self.client.post("/mailboxes/bulk/new/", form, follow=True)
        self.assertContains(r, "At most 200 can be deleted at once.")

    def test_pages_take_as_many_queries_for_many_rows(self) -> None:
        few = self.draft("reset", ORDERS, RETURNS)
        addresses = Mailbox.objects.values_list("address", flat=True)[:20]
        many = self.draft("reset", *addresses)
        self.client.get(f"/mailboxes/bulk/{few.pk}/")
        with CaptureQueriesContext(connection) as one:
            self.client.get(f"/mailboxes/bulk/{few.pk}/")
        with CaptureQueriesContext(connection) as other:
            self.client.get(f"/mailboxes/bulk/{many.pk}/")
        self.assertEqual(len(one), len(other))


class ProgressTests(PageTestCase):
    @pytest.mark.slow
    def test_it_shows_how_far_it_is_and_asks_for_itself(self) -> None:
        bulk = self.draft("tag", ORDERS, RETURNS)
        self.assertEqual(self.post(bulk, "start", add="x"), 302)
        with slices_of(0):
            self.work(slices=1)
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/", headers=HTMX)
        self.assertContains(r, 'hx-trigger="every 2s"')
        self.assertContains(r, 'data-title="50 %"')
        self.assertContains(r, "1 of 2 are over")
        self.work()
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/", headers=HTMX)
        self.assertNotContains(r, "every 2s")
        self.assertContains(r, "All done")
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/?state=failed")
        self.assertContains(r, "No row is like this.")

    def test_it_promises_no_end_where_nobody_works(self) -> None:
        bulk = self.import_rows(2, self.adam)
        self.start(bulk, self.adam)
        page = f"/mailboxes/bulk/{bulk.pk}/"
        r = self.client.get(page)
        self.assertContains(r, "Nobody works on it at the moment")
        self.assertNotContains(r, "finishes near")
        cache.set("pulse:default", "asks for work", 30)
        r = self.client.get(page)
        self.assertNotContains(r, "Nobody works on it")
        self.assertContains(r, "finishes near")

    def test_what_does_not_exist_is_not_linked(self) -> None:
        bulk = self.import_rows(2, self.adam)
        self.start(bulk, self.adam)
        self.fault("error", "createUser", message="Not on a Sunday.")
        self.work()
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/")
        self.assertNotContains(r, f'href="/mailboxes/{ADDRESSES[0]}/"')
        self.assertContains(r, f'href="/mailboxes/{ADDRESSES[1]}/"')
        self.assertContains(r, "Not on a Sunday.")
        self.assertContains(r, "Retry the failed")

    @pytest.mark.slow
    def test_people_decide_on_the_page(self) -> None:
        bulk = self.draft("tag", ORDERS, RETURNS)
        self.post(bulk, "start", add="x")
        self.post(bulk, "decide", decision="stop")
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/")
        self.assertContains(r, "adam@example.org stopped it.")
        self.assertContains(r, "Resume")
        self.post(bulk, "decide", decision="resume")
        self.post(bulk, "decide", decision="cancel")
        r = self.client.get(f"/mailboxes/bulk/{bulk.pk}/")
        self.assertContains(r, "The rest was cancelled")
        r = self.client.post(
            f"/mailboxes/bulk/{bulk.pk}/decide/", {"decision": "resume"}, follow=True
        )
        self.assertContains(r, "Somebody was quicker")

    def test_the_list_tells_what_became_of_each(self) -> None:
        bulk = self.draft("tag", ORDERS, RETURNS)
        self.post(bulk, "start", add="x")
        self.assertContains(self.client.get("/mailboxes/bulk/"), "every 2s")
        self.work()
        r = self.client.get("/mailboxes/bulk/")
        self.assertContains(r, "Tags of 2 mailboxes")
        self.assertContains(r, "2 done")

    def test_limited_people_see_what_lies_within_their_domains(self) -> None:
        within = self.draft("tag", ORDERS)
        beyond = self.draft("tag", ORDERS, "anna@example.org")
        for bulk in (within, beyond):
            self.post(bulk, "start", add="x")
        self.client.force_login(self.lina)
        r = self.client.get(f"/mailboxes/bulk/{within.pk}/")
        self.assertEqual(r.status_code, 200)
        self.assertEqual(self.post(beyond, "decide", decision="cancel"), 404)
        r = self.client.get("/mailboxes/bulk/")
        self.assertEqual(len(r.context["views"]), 1)
        self.client.force_login(self.hedy)
        self.assertEqual(self.client.get("/mailboxes/bulk/").status_code, 403)


class SheetTests(PageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.bulk = self.draft("reset", ORDERS, RETURNS)
        self.post(self.bulk, "start")
        self.work()
        self.path = f"/mailboxes/bulk/{self.bulk.pk}/links/"

    def sheet(self) -> list[str]:
        r = self.client.get(self.path)
        self.assertEqual(r["Cache-Control"].count("no-cache"), 1)
        text = b"".join(r.streaming_content).decode()  # type: ignore[attr-defined]
        return text.removeprefix("\ufeff").splitlines()

    def test_it_has_links_and_no_passwords(self) -> None:
        header, *rows = self.sheet()
        self.assertEqual(header, "address,link,works until,state")
        self.assertEqual([row.split(",")[0] for row in rows], [ORDERS, RETURNS])
        self.assertTrue(all("/welcome/" in row for row in rows))
        passwords = [
            call.body["newPassword"]
            for call in self.sandbox.calls
            if call.operation == "modifyUser"
        ]
        self.assertEqual(len(passwords), 2)
        self.assertFalse(any(it in "".join(rows) for it in passwords))

    @pytest.mark.slow
    def test_each_time_it_is_taken_is_written_down(self) -> None:
        self.sheet()
        self.sheet()
        taken = Entry.objects.filter(event="bulk.links_taken")
        self.assertEqual(taken.count(), 2)
        self.assertIn("took the sheet with 2 links", taken[0].sentence)

    @pytest.mark.slow
    def test_a_link_that_was_opened_is_empty(self) -> None:
        HandOver.objects.filter(mailbox__address=ORDERS).update(
            viewed_at=timezone.now(), secret="", token=""
        )
        _, orders, returns = self.sheet()
        self.assertTrue(orders.startswith(f"{ORDERS},,"))
        self.assertTrue(orders.endswith(",viewed"))
        self.assertTrue(returns.endswith(",open"))
        r = self.client.get(f"/mailboxes/bulk/{self.bulk.pk}/")
        self.assertContains(r, "Link opened.")

    @pytest.mark.slow
    def test_nothing_open_gives_no_sheet(self) -> None:
        HandOver.objects.update(withdrawn_at=timezone.now(), secret="", token="")
        r = self.client.get(self.path, follow=True)
        self.assertContains(r, "No link is open any more")

    def test_it_wants_a_fresh_proof(self) -> None:
        prove(self.client, ago=3600)
        self.assertIn("reauthenticate", self.client.get(self.path)["Location"])

    def test_the_page_itself_shows_no_link(self) -> None:
        r = self.client.get(f"/mailboxes/bulk/{self.bulk.pk}/")
        self.assertNotContains(r, "/welcome/")
        states = self.bulk.rows.values_list("state", flat=True)
        self.assertEqual(set(states), {BulkRow.State.DONE})
