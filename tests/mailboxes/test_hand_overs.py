"""A password that was just set, handed over by a link instead."""

from __future__ import annotations

import re
from datetime import timedelta
from unittest import mock

from django.http import HttpResponse
from django.utils import timezone

from purelymanage.mailboxes.models import Change, HandOver, Mailbox
from purelymanage.mailboxes.operations import hand_overs, offers
from tests.account import add_deletion
from tests.cast import CastTestCase

ADDRESS = "zoe@shop.example"
PASSWORD = "nine-blue-canaries-sang-at-noon"
PATH = f"/mailboxes/{ADDRESS}/hand-overs/"


class HandOverTests(CastTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.mailbox = Mailbox.objects.create(address=ADDRESS, domain="shop.example")
        self.client.force_login(self.hedy)
        self.offer = offers.offer_link(
            mailbox=self.mailbox, password=PASSWORD, actor=self.hedy
        )

    def make(self, offer: str = "") -> HttpResponse:
        r = self.client.post(PATH, {"offer": offer or self.offer})
        assert isinstance(r, HttpResponse)
        return r

    def url_in(self, r: HttpResponse) -> str:
        found = re.search(
            r"<code>http://localhost:8000(/welcome/[\w-]+/)</code>", r.text
        )
        assert found, r.text
        return found[1]

    def change(self, state: Change.State) -> None:
        Change.objects.create(
            mailbox=self.mailbox, kind=Change.Kind.PASSWORD, state=state
        )

    def test_it_becomes_a_link(self) -> None:
        r = self.make()
        self.assertEqual(r.status_code, 201)
        self.assertIn("no-store", r.headers["Cache-Control"])
        self.assertNotIn(PASSWORD, r.text)
        shown = self.client.post(self.url_in(r))
        self.assertContains(shown, PASSWORD)

    def test_loading_the_page_again_brings_the_same_link(self) -> None:
        self.assertEqual(self.url_in(self.make()), self.url_in(self.make()))
        self.assertEqual(HandOver.objects.count(), 1)

    def test_only_who_has_set_it_may_and_for_this_mailbox(self) -> None:
        other = Mailbox.objects.create(
            address="info@shop.example", domain="shop.example"
        )
        foreign = (
            offers.offer_link(mailbox=self.mailbox, password="x", actor=self.lina),
            offers.offer_link(mailbox=other, password="x", actor=self.hedy),
            "1:bm9uc2Vuc2U=",
            "nonsense",
        )
        for offer in foreign:
            with self.subTest(offer=offer):
                r = self.make(offer)
                self.assertContains(r, "No link was made", status_code=422)
        self.assertFalse(HandOver.objects.exists())

    def test_an_old_page_makes_none(self) -> None:
        later = timezone.now() + timedelta(hours=2)
        with mock.patch("django.utils.timezone.now", return_value=later):
            self.assertContains(self.make(), "too old", status_code=422)

    def test_after_a_newer_password_it_makes_none(self) -> None:
        self.change(Change.State.FAILED)
        self.assertEqual(self.make().status_code, 201)
        self.change(Change.State.UNKNOWN)
        self.assertContains(self.make(), "was changed after", status_code=422)

    def test_the_page_of_the_mailbox_lists_and_withdraws_it(self) -> None:
        self.make()
        page = f"/mailboxes/{ADDRESS}/"
        r = self.client.get(page)
        self.assertContains(r, "made by hedy@example.org")
        self.assertContains(r, "Withdraw")
        hand_over = HandOver.objects.get()
        r = self.client.post(f"{PATH}{hand_over.pk}/withdraw/", follow=True)
        self.assertContains(r, "shows nothing any more")
        self.assertContains(r, "Withdrawn")
        r = self.client.post(f"{PATH}{hand_over.pk}/withdraw/", follow=True)
        self.assertContains(r, "so it was not withdrawn")

    def test_it_can_be_withdrawn_while_the_mailbox_waits_for_its_deletion(self) -> None:
        self.make()
        add_deletion(self.adam, ADDRESS)
        r = self.client.get(f"/mailboxes/{ADDRESS}/")
        self.assertContains(r, "Withdraw</button>")
        hand_over = HandOver.objects.get()
        r = self.client.post(f"{PATH}{hand_over.pk}/withdraw/", follow=True)
        self.assertContains(r, "shows nothing any more")

    def test_none_is_made_while_the_mailbox_waits_for_its_deletion(self) -> None:
        add_deletion(self.adam, ADDRESS)
        self.assertContains(self.make(), "is to be deleted", status_code=422)
        self.assertFalse(HandOver.objects.exists())

    def test_the_page_tells_when_it_was_opened(self) -> None:
        self.client.post(self.url_in(self.make()))
        r = self.client.get(f"/mailboxes/{ADDRESS}/")
        self.assertContains(r, "from 127.0.0.1")
        self.assertContains(r, "Opened")

    def test_who_only_looks_withdraws_nothing(self) -> None:
        self.make()
        self.client.force_login(self.audrey)
        r = self.client.get(f"/mailboxes/{ADDRESS}/")
        self.assertContains(r, "Not opened")
        self.assertNotContains(r, "Withdraw</button>")

    def test_a_link_of_another_mailbox_is_not_found_here(self) -> None:
        other = Mailbox.objects.create(address="a@example.org", domain="example.org")
        link = hand_overs.make_hand_over(mailbox=other, password="x", actor=self.adam)
        r = self.client.post(f"{PATH}{link.hand_over.pk}/withdraw/")
        self.assertEqual(r.status_code, 404)
