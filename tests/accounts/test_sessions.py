from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client, override_settings
from django.utils import timezone

from purelymanage.accounts import sessions
from purelymanage.accounts.models import PersonSession, User
from purelymanage.accounts.security import tasks
from purelymanage.audit.models import Agent, Entry
from purelymanage.errors import Refused
from tests.account import SESSION_PK
from tests.cast import HTMX, PASSWORD, CastTestCase
from tests.proof import prove

URL = "/settings/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)


def sign_in(user: User, *, user_agent: str = FIREFOX, address: str = "") -> Client:
    cache.clear()
    client = Client(
        headers={"User-Agent": user_agent}, REMOTE_ADDR=address or "192.0.2.1"
    )
    r = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert r.status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/settings/sessions/").status_code == 200


class SessionListTests(CastTestCase):
    def test_it_tells_device_address_and_the_present_one(self) -> None:
        sign_in(self.olga, user_agent=IPHONE, address="192.0.2.7")
        r = sign_in(self.olga).get(URL)
        self.assertContains(r, "Safari on iPhone")
        self.assertContains(r, "192.0.2.7")
        self.assertContains(r, "Firefox on Linux")
        self.assertContains(r, "This browser", count=1)
        self.assertContains(r, "Sign out</button>", count=1)

    def test_others_sessions_are_not_in_it(self) -> None:
        sign_in(self.olga, address="192.0.2.7")
        r = sign_in(self.adam).get(URL)
        self.assertNotContains(r, "192.0.2.7")

    def test_sessions_that_ran_out_are_not_in_it(self) -> None:
        sign_in(self.olga, address="192.0.2.7")
        Session.objects.update(expire_date=timezone.now())
        r = sign_in(self.olga).get(URL)
        self.assertNotContains(r, "192.0.2.7")

    def test_an_owner_sees_anyones(self) -> None:
        sign_in(self.adam, address="192.0.2.7")
        r = sign_in(self.olga).get(f"/settings/people/{self.adam.pk}/sessions/")
        self.assertContains(r, "192.0.2.7")
        self.assertNotContains(r, "This browser")

    def test_an_owners_own_are_at_their_place(self) -> None:
        r = sign_in(self.olga).get(f"/settings/people/{self.olga.pk}/sessions/")
        self.assertRedirects(r, URL)

    @pytest.mark.slow
    def test_it_takes_no_more_queries_for_more_sessions(self) -> None:
        client = sign_in(self.olga)
        client.get(URL)
        with self.assertNumQueries(4):
            client.get(URL, headers=HTMX)
        for _ in range(5):
            sign_in(self.olga)
        with self.assertNumQueries(4):
            client.get(URL, headers=HTMX)


class SeenTests(CastTestCase):
    def setUp(self) -> None:
        self.phone = sign_in(self.olga, address="192.0.2.1")
        self.row = PersonSession.objects.get()

    def visit(self, *, later: timedelta, address: str) -> None:
        now = timezone.now() + later
        with mock.patch("django.utils.timezone.now", return_value=now):
            self.phone.get(URL, REMOTE_ADDR=address)
        self.row.refresh_from_db()

    def test_a_visit_is_noted_once_a_minute(self) -> None:
        before = self.row.seen_at
        self.visit(later=timedelta(seconds=50), address="192.0.2.2")
        self.assertEqual(self.row.seen_at, before)
        self.visit(later=timedelta(seconds=70), address="192.0.2.2")
        self.assertGreater(self.row.seen_at, before)
        self.assertEqual(self.row.address, "192.0.2.2")

    def test_signing_out_closes_it(self) -> None:
        self.phone.post("/accounts/logout/")
        self.row.refresh_from_db()
        self.assertIsNotNone(self.row.ended_at)
        self.assertFalse(Entry.objects.filter(event="person.session_ended").exists())

    def test_signing_in_twice_in_one_browser_leaves_one_open(self) -> None:
        self.phone.force_login(self.olga)
        self.assertTrue(is_in(self.phone))
        self.assertEqual(PersonSession.objects.open().count(), 1)

    def test_a_session_without_a_row_is_none(self) -> None:
        PersonSession.objects.all().delete()
        self.assertRedirects(self.phone.get("/"), "/accounts/login/?next=/")
        self.assertFalse(is_in(self.phone))

    def test_a_row_of_another_person_opens_nothing(self) -> None:
        PersonSession.objects.update(user=self.adam)
        self.assertFalse(is_in(self.phone))


class EndTests(CastTestCase):
    def setUp(self) -> None:
        self.phone = sign_in(self.olga, user_agent=IPHONE)
        self.row = PersonSession.objects.get()
        self.desk = sign_in(self.olga)

    def end(self, client: Client, **extra: dict[str, str]) -> int:
        r = client.post(f"{URL}{self.row.pk}/end/", **extra)  # type: ignore[arg-type]
        return r.status_code

    def test_the_other_one_is_out_at_its_next_click(self) -> None:
        self.assertTrue(is_in(self.phone))
        self.assertEqual(self.end(self.desk), 302)
        self.assertRedirects(
            self.phone.get("/mailboxes/"), "/accounts/login/?next=/mailboxes/"
        )
        self.assertTrue(is_in(self.desk))
        self.assertFalse(
            Session.objects.filter(session_key=self.row.session_key).exists()
        )

    def test_htmx_sends_the_whole_page_away(self) -> None:
        self.end(self.desk)
        headers = HTMX | {"HX-Current-URL": "http://testserver/mailboxes/"}
        r = self.phone.get("/mailboxes/?q=a", headers=headers)
        self.assertEqual(r["HX-Redirect"], "/accounts/login/?next=/mailboxes/")
        self.assertEqual(r.content, b"")

    def test_it_holds_even_if_the_cookie_still_stands_for_something(self) -> None:
        PersonSession.objects.filter(pk=self.row.pk).update(ended_at=timezone.now())
        self.assertFalse(is_in(self.phone))

    def test_it_is_remembered(self) -> None:
        self.end(self.desk)
        entry = Entry.objects.get(event="person.session_ended")
        self.assertEqual(
            entry.sentence, "ended the session of olga@example.org in Safari on iPhone"
        )
        self.assertEqual(entry.actor_id, self.olga.pk)

    def test_htmx_gets_the_shorter_list(self) -> None:
        r = self.desk.post(f"{URL}{self.row.pk}/end/", headers=HTMX)
        self.assertNotContains(r, "Safari on iPhone")
        self.assertTemplateNotUsed(r, "base.html")

    def test_twice_is_no_harm(self) -> None:
        self.end(self.desk)
        self.end(self.desk)
        entries = Entry.objects.filter(event="person.session_ended")
        self.assertEqual(entries.count(), 1)
        self.row.refresh_from_db()
        with self.assertRaises(Refused):
            sessions.end_session(session=self.row, actor=self.olga)

    @pytest.mark.slow
    def test_others_do_not_find_it_but_owners_do(self) -> None:
        self.assertEqual(self.end(sign_in(self.adam)), 404)
        self.assertTrue(is_in(self.phone))
        theirs = sign_in(self.adam)
        self.row = PersonSession.objects.filter(user=self.adam).latest("pk")
        r = self.desk.post(f"{URL}{self.row.pk}/end/")
        self.assertRedirects(r, f"/settings/people/{self.adam.pk}/sessions/")
        self.assertFalse(is_in(theirs))

    def test_all_others_end(self) -> None:
        third = sign_in(self.olga)
        self.assertRedirects(self.desk.post(f"{URL}end/"), URL)
        self.assertEqual([is_in(it) for it in (self.phone, third)], [False, False])
        self.assertTrue(is_in(self.desk))

    def test_an_owner_ends_all_of_somebody(self) -> None:
        theirs = [sign_in(self.adam), sign_in(self.adam)]
        self.desk.post(f"/settings/people/{self.adam.pk}/sessions/end/")
        self.assertEqual([is_in(it) for it in theirs], [False, False])
        self.assertTrue(is_in(self.desk))

    def test_an_owner_proves_again_who_they_are_to_end_those_of_others(self) -> None:
        theirs = sign_in(self.adam)
        row = PersonSession.objects.filter(user=self.adam).latest("pk")
        prove(self.desk, ago=700)
        for path in (
            f"{URL}{row.pk}/end/",
            f"/settings/people/{self.adam.pk}/sessions/end/",
        ):
            with self.subTest(path=path):
                self.assertRedirects(self.desk.post(path), "/accounts/reauthenticate/")
                self.assertTrue(is_in(theirs))

    def test_ones_own_end_without_another_proof(self) -> None:
        prove(self.desk, ago=700)
        self.end(self.desk)
        self.assertFalse(is_in(self.phone))

    def test_somebody_else_ends_nobodys(self) -> None:
        r = sign_in(self.adam).post(f"/settings/people/{self.olga.pk}/sessions/end/")
        self.assertEqual(r.status_code, 403)
        self.assertTrue(is_in(self.phone))


class EndAllTests(CastTestCase):
    def test_it_is_part_of_the_change_around_it(self) -> None:
        theirs = sign_in(self.adam)
        ended = sessions.end_all_sessions(user=self.adam, actor=Agent.OPERATOR)
        self.assertEqual(ended, 1)
        self.assertFalse(is_in(theirs))

    def test_one_may_stay(self) -> None:
        desk, phone = sign_in(self.olga), sign_in(self.olga)
        key = desk.session.session_key
        sessions.end_all_sessions(user=self.olga, actor=self.olga, except_key=key)
        self.assertEqual([is_in(desk), is_in(phone)], [True, False])

    def test_a_new_password_ends_all_others(self) -> None:
        desk, phone = sign_in(self.olga), sign_in(self.olga)
        new = "another-correct-horse-battery"
        form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
        r = desk.post("/accounts/password/change/", form)
        self.assertEqual(r.status_code, 302)
        self.assertEqual([is_in(desk), is_in(phone)], [True, False])
        self.assertEqual(PersonSession.objects.open().count(), 1)
        # Under the key that the browser has got by now
        self.assertEqual(
            PersonSession.objects.open().get().session_key, desk.session.session_key
        )
        events = Entry.objects.values_list("event", flat=True)
        self.assertIn("person.session_ended", events)
        self.assertEqual(list(events).count("person.password_changed"), 1)

    def test_one_who_is_switched_off_is_out_without_it(self) -> None:
        theirs = sign_in(self.adam)
        User.objects.filter(pk=self.adam.pk).update(is_active=False)
        self.assertFalse(is_in(theirs))


class ForgetTests(CastTestCase):
    @override_settings(SESSION_IDLE_HOURS=40 * 24)
    def test_old_ones_are_forgotten(self) -> None:
        old = timezone.now() - timedelta(days=31)
        present = sign_in(self.olga)
        long_open = PersonSession.objects.get()
        PersonSession.objects.filter(pk=long_open.pk).update(seen_at=old)
        for pk, fields in enumerate(
            ({"ended_at": old}, {"seen_at": old}, {"ended_at": timezone.now()}),
            start=SESSION_PK,
        ):
            PersonSession.objects.create(
                pk=pk, user=self.olga, session_key=f"{pk}", **fields
            )
        tasks.forget_old_sessions()
        left = set(PersonSession.objects.values_list("pk", flat=True))
        self.assertEqual(left, {long_open.pk, SESSION_PK + 2})
        self.assertTrue(is_in(present))


class RemoveSecondFactorsTests(CastTestCase):
    def test_it_asks_for_a_proof_first(self) -> None:
        self.client.force_login(self.olga)
        url = f"/settings/people/{self.adam.pk}/second-factor/remove/"
        self.assertRedirects(self.client.get(url), "/accounts/reauthenticate/")
        prove(self.client)
        self.assertContains(self.client.get(url), "Remove it")
