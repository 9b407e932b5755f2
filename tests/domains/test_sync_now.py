from __future__ import annotations

from django.urls import reverse
from django.utils import timezone

from purelymanage.domains.models import SyncRun
from tests.cast import HTMX, CastTestCase


class SyncNowTests(CastTestCase):
    url = "/domains/sync/"

    def setUp(self) -> None:
        self.assertEqual(reverse("domains:sync-now"), self.url)
        self.client.force_login(self.hedy)

    def test_it_queues_a_sync_and_returns_to_the_page(self) -> None:
        r = self.client.post(self.url, {"next": "/mailboxes/?q=anna"})
        self.assertRedirects(r, "/mailboxes/?q=anna", fetch_redirect_response=False)
        self.assertEqual(SyncRun.objects.get().state, SyncRun.State.QUEUED)

    def test_it_leads_nobody_elsewhere(self) -> None:
        for target in ("https://elsewhere.example/", "//elsewhere.example", ""):
            r = self.client.post(self.url, {"next": target})
            self.assertRedirects(r, "/", fetch_redirect_response=False)

    def test_htmx_gets_a_part_that_asks_again_while_it_runs(self) -> None:
        r = self.client.post(self.url, headers=HTMX)
        self.assertContains(r, "Syncing")
        self.assertContains(r, f'hx-get="{self.url}?mark=1-0-0"')
        self.assertTemplateNotUsed(r, "base.html")
        r = self.client.get(self.url, headers=HTMX)
        self.assertNotIn("HX-Trigger", r.headers)

    def test_what_is_shown_already_is_not_drawn_again(self) -> None:
        self.client.post(self.url, headers=HTMX)
        r = self.client.get(f"{self.url}?mark=1-0-0", headers=HTMX)
        self.assertEqual(r.status_code, 204)
        self.assertNotIn("HX-Trigger", r.headers)
        r = self.client.get(f"{self.url}?mark=0-0-0", headers=HTMX)
        self.assertContains(r, 'data-says="Syncing"')

    def test_the_last_answer_lets_lists_reload(self) -> None:
        now = timezone.now()
        SyncRun.objects.create(state=SyncRun.State.DONE, finished_at=now)
        r = self.client.get(self.url, headers=HTMX)
        self.assertEqual(r.headers["HX-Trigger"], "synced")
        self.assertIn("no-store", r.headers["Cache-Control"])
        self.assertNotContains(r, "hx-get")

    def test_strangers_sign_in_first(self) -> None:
        self.client.logout()
        self.client.post(self.url)
        self.assertFalse(SyncRun.objects.exists())
