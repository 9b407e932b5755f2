from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.test import Client, override_settings
from django.utils import timezone

from purelymanage.accounts import sessions
from purelymanage.accounts.models import PersonSession
from purelymanage.audit.models import Entry
from tests.cast import HTMX, PASSWORD, CastTestCase

LOGIN = "/accounts/login/"
PAGE = "/settings/sessions/"


class IdleTests(CastTestCase):
    def setUp(self) -> None:
        self.client.force_login(self.olga)
        self.row = PersonSession.objects.get()

    def leave_for(self, **time: int) -> None:
        before = timezone.now() - timedelta(**time)
        PersonSession.objects.filter(pk=self.row.pk).update(seen_at=before)

    def seen(self) -> timedelta:
        self.row.refresh_from_db()
        return timezone.now() - self.row.seen_at

    def test_a_session_ends_that_nobody_uses(self) -> None:
        self.leave_for(hours=7, minutes=59)
        self.assertEqual(self.client.get(PAGE).status_code, 200)
        self.leave_for(hours=8, minutes=1)
        r = self.client.get("/mailboxes/?q=ada")
        self.assertRedirects(r, f"{LOGIN}?idle=1&next=/mailboxes/%3Fq%3Dada")
        self.assertEqual(self.client.get(PAGE)["Location"], f"{LOGIN}?next={PAGE}")
        self.assertFalse(Session.objects.filter(session_key=self.row.session_key))

    def test_it_says_why_and_for_how_long(self) -> None:
        self.leave_for(hours=9)
        r = self.client.get(PAGE, follow=True)
        self.assertContains(r, "as you did nothing here for 8 hours.")
        self.assertNotContains(Client().get(LOGIN), "did nothing")

    def test_one_comes_back_to_where_one_was(self) -> None:
        self.leave_for(hours=9)
        r = self.client.get(PAGE, follow=True)
        form = {"login": self.olga.email, "password": PASSWORD, "next": PAGE}
        self.assertContains(r, f'name="next" value="{PAGE}"')
        self.assertRedirects(self.client.post(LOGIN, form), PAGE)

    def test_from_a_form_one_comes_back_to_its_page(self) -> None:
        self.leave_for(hours=9)
        action = f"/settings/sessions/{self.row.pk}/end/"
        here = {"Referer": f"http://testserver{PAGE}?page=2"}
        r = self.client.post(action, headers=here)
        self.assertRedirects(r, f"{LOGIN}?idle=1&next={PAGE}%3Fpage%3D2")
        self.client.force_login(self.olga)
        PersonSession.objects.update(ended_at=timezone.now())
        elsewhere = {"Referer": "https://evil.example/page/"}
        r = self.client.post(action, headers=elsewhere)
        self.assertEqual(r["Location"], f"{LOGIN}?next={action}")

    def test_a_live_page_goes_to_the_sign_in_as_a_whole(self) -> None:
        self.leave_for(hours=9)
        headers = HTMX | {"HX-Current-URL": f"http://testserver{PAGE}"}
        r = self.client.get("/running-copies/", headers=headers)
        self.assertEqual(r["HX-Redirect"], f"{LOGIN}?idle=1&next={PAGE}")

    def test_a_page_left_open_keeps_no_session(self) -> None:
        self.leave_for(hours=7)
        self.client.get("/running-copies/", headers=HTMX)
        self.assertGreater(self.seen(), timedelta(hours=6))
        for ask, path, headers in (
            (self.client.post, "/notices/read/", HTMX),
            (self.client.get, PAGE, HTMX | {"HX-Boosted": "true"}),
            (self.client.get, PAGE, {}),
        ):
            self.leave_for(hours=7)
            ask(path, headers=headers)
            self.assertLess(self.seen(), timedelta(hours=1))

    def test_another_key_is_followed_all_the_same(self) -> None:
        session = self.client.session
        session.cycle_key()
        key = session.session_key or ""
        self.client.cookies["sessionid"] = key
        self.client.get("/running-copies/", headers=HTMX)
        self.row.refresh_from_db()
        self.assertEqual(self.row.session_key, key)

    def test_who_is_back_in_another_tab_stays(self) -> None:
        self.leave_for(hours=9)
        stale = PersonSession.objects.get()
        self.leave_for(hours=0)
        sessions.end_idle_session(session=stale)
        self.assertEqual(self.client.get(PAGE).status_code, 200)

    def test_it_is_remembered_once(self) -> None:
        self.leave_for(hours=9)
        stale = PersonSession.objects.get()
        self.client.get(PAGE)
        sessions.end_idle_session(session=stale)
        entry = Entry.objects.get(event="person.session_idle")
        self.assertIn("of olga@example.org in", entry.sentence)
        self.assertIn("unused for 8 hours", entry.sentence)
        self.assertEqual(entry.actor_name, "the panel")

    def test_lists_leave_it_out(self) -> None:
        self.leave_for(hours=9)
        self.assertFalse(PersonSession.objects.open().exists())
        with override_settings(SESSION_IDLE_HOURS=10):
            self.assertTrue(PersonSession.objects.open().exists())

    def test_to_ask_for_it_takes_no_query(self) -> None:
        with self.assertNumQueries(3):
            self.client.get("/running-copies/?mark=x", headers=HTMX)
        self.leave_for(hours=7)
        with self.assertNumQueries(3):
            self.client.get("/running-copies/?mark=x", headers=HTMX)
