from __future__ import annotations

from django.conf import settings
from django.core.cache import cache

from tests.account import add_job, add_server, fill_account
from tests.cast import CastTestCase

URL = "/mailboxes/box1@example.org/"


class CopiesOfMailboxTests(CastTestCase):
    def setUp(self) -> None:
        cache.clear()
        fill_account()
        self.client.force_login(self.adam)

    def test_copies_into_it_are_listed_with_their_state(self) -> None:
        job = add_job(add_server(self.olga), number=1)
        r = self.client.get(URL)
        self.assertContains(r, f"/migrations/jobs/{job.pk}/")
        self.assertContains(r, "From box1@old.example")
        self.assertContains(r, "Plan ready")

    def test_copies_out_of_it_are_too(self) -> None:
        here = add_server(self.olga, host=settings.PURELYMAIL_IMAP_HOST)
        job = add_job(here, number=2)
        job.source_user = "box1@example.org"
        job.save(update_fields=["source_user"])
        self.assertContains(self.client.get(URL), "To box2@example.org")

    def test_the_same_address_elsewhere_is_another_mailbox(self) -> None:
        job = add_job(add_server(self.olga), number=2)
        job.source_user = "box1@example.org"
        job.save(update_fields=["source_user"])
        self.assertNotContains(self.client.get(URL), "To box2@example.org")

    def test_only_the_newest_are_shown(self) -> None:
        server = add_server(self.olga)
        for number in range(6):
            job = add_job(server, number=1, rows=1)
            job.source_user = f"old{number}@old.example"
            job.save(update_fields=["source_user"])
        r = self.client.get(URL)
        self.assertContains(r, "All of them")
        self.assertNotContains(r, "From old0@old.example")

    def test_helpers_see_none(self) -> None:
        add_job(add_server(self.olga), number=1)
        self.hedy.domain_scope = None
        self.hedy.save(update_fields=["domain_scope"])
        self.client.force_login(self.hedy)
        self.assertNotContains(self.client.get(URL), "From box1@old.example")
