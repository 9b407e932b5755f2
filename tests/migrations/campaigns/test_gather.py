from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from purelymanage.migrations.campaigns import limits
from purelymanage.migrations.campaigns.tasks import purge
from purelymanage.migrations.models import (
    Campaign,
    Job,
    Participant,
    SignIn,
    Submission,
)
from purelymanage.migrations.operations import sign_ins, submissions
from purelymanage.migrations.operations.submissions import Offer
from purelymanage.migrations.views import gather
from tests.account import add_job
from tests.migrations.campaigns.cases import (
    ANNA,
    PASSWORD,
    WRONG,
    GatherTestCase,
    invite,
)

State = Submission.State


class FormTestCase(GatherTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(gather, "PACE", 0.001))
        self.path = f"/gather/{self.token}/"

    def send(self, password: str = PASSWORD, *, path: str = "", **fields: Any) -> Any:
        form = {"address": ANNA, "password": password, "consent": "on"}
        form |= {"server": gather.asked_at(self.campaign)} | fields
        return self.client.post(path or self.path, form)


class SharedLinkTests(FormTestCase):
    def test_it_says_who_asks_and_what_happens(self) -> None:
        r = self.client.get(self.path)
        for words in (
            "Example Ltd",
            "We move to a new provider.",
            "erased when your mail has been copied",
            "help@example.org",
            "Tried at 127.0.0.1",
        ):
            self.assertContains(r, words)
        self.assertContains(r, '<html lang="en">')

    def test_it_keeps_to_itself(self) -> None:
        for path in (self.path, "/gather/made-up/"):
            r = self.client.get(path)
            self.assertEqual(r.headers["Referrer-Policy"], "no-referrer")
            self.assertIn("noindex", r.headers["X-Robots-Tag"])
            self.assertIn("no-store", r.headers["Cache-Control"])
            policy = r.headers["Content-Security-Policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertNotIn("unsafe", policy)
        page = self.client.get(self.path).content.decode()
        # Nothing is loaded from anywhere else.
        self.assertEqual(re.findall(r'(?:src|href)="(?:https?:)?//', page), [])

    def test_a_right_password_is_kept(self) -> None:
        r = self.send()
        self.assertContains(r, "The password is right")
        self.assertNotContains(r, PASSWORD)
        self.assertEqual(Submission.objects.get().state, State.RIGHT)

    def test_a_wrong_password_is_told(self) -> None:
        r = self.send(WRONG)
        self.assertContains(r, "refused this password", status_code=422)
        self.assertContains(r, f'value="{ANNA}"', status_code=422)
        self.assertNotIn(WRONG, r.content.decode())

    def test_an_app_password_is_explained(self) -> None:
        self.campaign.server.preset = "gmail"
        self.campaign.server.save()
        self.assertContains(self.client.get(self.path), "How to make an app password")
        r = self.send(WRONG)
        self.assertContains(r, "takes app passwords only", status_code=422)
        self.assertContains(r, '<details class="technical" open>', status_code=422)
        # The address says it better than the server.
        r = self.send(WRONG, address="zoe@yahoo.com")
        self.assertContains(r, "app password at Yahoo", status_code=422)

    def test_a_silent_server_is_waited_for_by_a_worker(self) -> None:
        self.imap.hangs_up = True
        r = self.send()
        self.assertContains(r, "We try the password later")
        self.assertEqual(Submission.objects.get().state, State.WAITING)
        self.assertContains(r, "we write there how it went")
        # Nobody knows whose address it is that stands beside another name.
        r = self.send(user="anna")
        self.assertContains(r, "we do not write there how it went")

    @pytest.mark.slow
    def test_too_many_are_told_to_wait(self) -> None:
        for _ in range(limits.PER_ADDRESS):
            self.assertEqual(self.send(WRONG).status_code, 422)
        r = self.send()
        self.assertContains(r, "15 minutes", status_code=429)
        self.assertEqual(r.headers["Retry-After"], "900")
        self.assertEqual(self.imap.logins.total(), limits.PER_ADDRESS)

    @pytest.mark.slow
    def test_whoever_tried_too_often_hears_when_to_come_back(self) -> None:
        invite(self.campaign)
        Campaign.objects.update(language="de")
        for address in (ANNA, "nobody@old.example"):
            key = Offer(self.campaign, address, "").keys
            for _ in range(limits.PER_ADDRESS_A_DAY):
                row = sign_ins.add_sign_in(self.campaign, key, timezone.now())
                sign_ins.end_sign_in(row, SignIn.Outcome.REFUSED)
            for hours, words in ((0, "morgen"), (21, "in 3 Stunden"), (2, "1 Stunde")):
                for row in SignIn.objects.all():
                    row.begun_at -= timedelta(hours=hours)
                    row.save()
                r = self.send(address=address)
                self.assertContains(r, f"{words} wieder</h1>", status_code=429)
            self.assertEqual(r.headers["Retry-After"], "3600")
            SignIn.objects.all().delete()

    def test_it_asks_for_what_is_missing(self) -> None:
        server = gather.asked_at(self.campaign)
        r = self.client.post(self.path, {"address": "anna", "server": server})
        self.assertEqual(r.status_code, 422)
        for words in ("whole address", "Enter the password", "Without your consent"):
            self.assertContains(r, words, status_code=422)
        r = self.send(user="two\nlines")
        self.assertContains(r, "no line breaks", status_code=422)
        self.assertEqual(self.imap.logins.total(), 0)

    def test_a_password_beside_another_fault_has_to_be_typed_again(self) -> None:
        r = self.send(consent="")
        self.assertContains(r, "Without your consent", status_code=422)
        self.assertContains(r, "Enter the password once more", status_code=422)
        self.assertNotContains(r, PASSWORD, status_code=422)

    def test_an_address_is_not_without_end(self) -> None:
        long = f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}.example"
        r = self.send(address=long)
        self.assertEqual(r.status_code, 422)
        self.assertEqual(self.imap.logins.total(), 0)

    def test_another_user_name_may_sign_in(self) -> None:
        self.imap.passwords["anna"] = "as-a-name"
        self.assertContains(self.send("as-a-name", user="anna"), "is right")
        self.assertEqual(Submission.objects.get().user, "anna")

    def test_it_speaks_german(self) -> None:
        self.campaign.language = Campaign.Language.GERMAN
        self.campaign.save()
        r = self.client.get(self.path)
        self.assertContains(r, '<html lang="de">')
        self.assertContains(r, "Das Passwort dazu")
        self.assertContains(self.send(WRONG), "abgelehnt", status_code=422)
        self.assertContains(self.send(), "Das Passwort stimmt")
        server = gather.asked_at(self.campaign)
        r = self.client.post(self.path, {"server": server})
        self.assertNotContains(r, "This field", status_code=422)
        r = self.client.get("/gather/made-up/", headers={"Accept-Language": "de-AT"})
        self.assertContains(r, "Dieser Link funktioniert nicht", status_code=404)

    def test_after_the_end_there_is_a_kind_page(self) -> None:
        now = timezone.now()
        for changes, words in (
            ({"ends_at": now}, "ask help@example.org"),
            ({"closed_at": now}, "ask help@example.org"),
            ({"purged_at": now, "contact": "", "token": ""}, "none is stored"),
        ):
            Campaign.objects.update(**changes)
            for page in (self.client.get(self.path), self.send()):
                self.assertContains(page, words, status_code=410)
        self.assertNotContains(page, "Example Ltd", status_code=410)
        self.assertEqual(self.imap.logins.total(), 0)

    def test_a_wrong_link_is_none(self) -> None:
        r = self.client.get("/gather/made-up/")
        self.assertContains(r, "This link does not work", status_code=404)

    def test_a_form_that_is_too_large_is_not_read(self) -> None:
        self.assertEqual(self.send("x" * 20_000).status_code, 400)


class ForgeryTests(FormTestCase):
    def post(self, headers: dict[str, str], *, cookie: bool = True) -> int:
        client = Client(enforce_csrf_checks=True)
        page = client.get(self.path).content.decode()
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
        assert token
        if not cookie:
            client.cookies.clear()
        form = {"address": ANNA, "password": PASSWORD, "consent": "on"}
        form["csrfmiddlewaretoken"] = token[1]
        form["server"] = gather.asked_at(self.campaign)
        return client.post(self.path, form, headers=headers).status_code

    def test_what_browsers_send_from_here_is_taken(self) -> None:
        for headers in (
            {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
            {"Origin": "null"},
            {"Origin": "http://testserver"},
            {},
        ):
            self.assertEqual(self.post(headers), 200)

    def test_what_comes_from_elsewhere_is_not(self) -> None:
        for headers in (
            {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
            {"Origin": "null", "Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
        ):
            self.assertEqual(self.post(headers), 403)
        self.assertEqual(self.post({"Origin": "null"}, cookie=False), 403)
        self.assertEqual(self.imap.logins.total(), 0)

    def test_the_page_says_what_to_do(self) -> None:
        client = Client(enforce_csrf_checks=True)
        r = client.post(self.path, {}, headers={"Accept-Language": "de"})
        self.assertContains(r, "Cookies", status_code=403)
        self.assertEqual(r.headers["Referrer-Policy"], "no-referrer")


class OwnLinkTests(FormTestCase):
    participant: Participant

    def setUp(self) -> None:
        super().setUp()
        self.participant, token = invite(self.campaign)
        self.path = f"/gather/{token}/"

    def submit(self) -> None:
        self.assertRedirects(self.send(), self.path)

    def test_it_is_about_one_mailbox(self) -> None:
        r = self.client.get(self.path)
        self.assertContains(r, "<wbr>" if len(ANNA) > 24 else ANNA)
        self.assertNotContains(r, 'name="address"')
        self.participant.refresh_from_db()
        self.assertIsNotNone(self.participant.opened_at)
        # Whatever else is sent along.
        self.send(address="zoe@old.example")
        self.assertEqual(Submission.objects.get().participant, self.participant)

    def test_it_shows_what_was_handed_over(self) -> None:
        self.submit()
        r = self.client.get(self.path)
        self.assertContains(r, "The password is right")
        self.assertNotContains(r, 'type="password"')
        self.assertContains(self.client.get(f"{self.path}?again=1"), 'type="password"')

    def test_it_can_be_corrected(self) -> None:
        self.submit()
        self.imap.passwords[ANNA] = "the-newer-one"
        self.assertEqual(self.send(WRONG).status_code, 422)
        self.assertRedirects(self.send("the-newer-one"), self.path)
        submission = Submission.objects.get()
        self.assertEqual(submissions.open_secret(submission), "the-newer-one")

    def test_it_can_be_withdrawn(self) -> None:
        self.submit()
        r = self.client.post(self.path, {"withdraw": "yes"}, follow=True)
        self.assertContains(r, "You have withdrawn your password")
        self.assertContains(r, 'type="password"')
        self.assertFalse(Submission.objects.exists())

    def test_one_that_waits_is_shown_and_can_be_withdrawn(self) -> None:
        self.imap.hangs_up = True
        self.submit()
        self.assertContains(self.client.get(self.path), "We try the password later")
        self.client.post(self.path, {"withdraw": "yes"})
        self.assertFalse(Submission.objects.exists())

    def test_what_a_worker_found_wrong_is_told(self) -> None:
        self.imap.hangs_up = True
        self.submit()
        Submission.objects.update(state=State.REFUSED, secret="", due_at=None)
        r = self.client.get(self.path)
        self.assertContains(r, "The password was refused")
        self.assertContains(r, 'type="password"')

    def test_nothing_is_withdrawn_once_copying_is_prepared(self) -> None:
        self.submit()
        self.launch()
        self.client.post(self.path, {"withdraw": "yes"})
        self.assertTrue(Submission.objects.exists())
        self.assertNotContains(self.client.get(self.path), 'name="withdraw"')

    def test_it_is_withdrawn_where_the_copy_was_removed(self) -> None:
        job = self.launch()
        Job.objects.filter(pk=job.pk).update(removed_at=timezone.now())
        self.submit()
        self.assertContains(self.client.get(self.path), 'name="withdraw"')
        self.client.post(self.path, {"withdraw": "yes"})
        self.assertFalse(Submission.objects.exists())

    def test_a_copy_that_needs_another_password_asks_for_it(self) -> None:
        self.submit()
        job = self.launch()
        Job.objects.filter(pk=job.pk).update(login=Job.Login.WRONG)
        self.assertContains(self.client.get(self.path), 'type="password"')

    def test_who_was_taken_off_the_list_need_not_do_anything(self) -> None:
        Participant.objects.update(removed_at=timezone.now())
        for r in (self.client.get(self.path), self.send()):
            self.assertContains(r, "need not do anything", status_code=410)

    def test_after_the_end_it_says_so(self) -> None:
        Campaign.objects.update(ends_at=timezone.now())
        r = self.client.get(self.path)
        self.assertContains(r, "This is over", status_code=410)
        self.assertContains(r, "alone gather centred", status_code=410)

    def test_it_says_so_when_all_about_its_person_is_erased(self) -> None:
        long_ago = timezone.now() - Campaign.KEPT
        Campaign.objects.update(closed_at=long_ago, language="de")
        _, removed = invite(self.campaign, "ben@old.example", removed_at=long_ago)
        purge()
        self.assertFalse(Participant.objects.exists())
        for path in (self.path, f"/gather/{removed}/", f"/gather/{self.token}/"):
            for r in (self.client.get(path), self.send(path=path)):
                self.assertContains(r, "es ist keines gespeichert", status_code=410)
                self.assertNotContains(r, ANNA, status_code=410)
        r = self.client.get("/gather/made-up/")
        self.assertEqual(r.status_code, 404)

    def launch(self) -> Job:
        job = add_job(self.campaign.server)
        now = timezone.now()
        job.source_secret = "sealed"
        job.secret_expires_at = now + timedelta(days=30)
        job.save()
        Participant.objects.update(job=job)
        Submission.objects.update(secret="")
        return job


class SamenessTests(FormTestCase):
    """Nobody learns by the link for everybody what is known or stored."""

    def page_of(self, r: Any, address: str) -> tuple[int, str]:
        page = r.content.decode()
        page = re.sub(r'csrfmiddlewaretoken" value="\w+"| nonce="[^"]+"', "", page)
        return r.status_code, page.replace(address, "…")

    @pytest.mark.slow
    def test_known_unknown_and_done_look_the_same(self) -> None:
        people = ["known@old.example", "unknown@old.example", "done@old.example"]
        self.imap.passwords |= dict.fromkeys(people, PASSWORD)
        invite(self.campaign, people[0])
        invite(self.campaign, people[2])
        self.send(address=people[2])

        def pages(password: str) -> set[tuple[int, str]]:
            return {self.page_of(self.send(password, address=it), it) for it in people}

        for password, status in ((WRONG, 422), (PASSWORD, 200)):
            found = pages(password)
            self.assertEqual([it[0] for it in found], [status])
        self.imap.hangs_up = True
        self.assertEqual([it[0] for it in pages(PASSWORD)], [200])
        SignIn.objects.all().delete()
        self.imap.hangs_up = False
        for address in people:
            for _ in range(limits.PER_ADDRESS):
                self.send(WRONG, address=address)
        self.assertEqual([it[0] for it in pages(WRONG)], [429])

    def test_no_mail_goes_out_at_once(self) -> None:
        invite(self.campaign)
        self.send()
        self.send(WRONG)
        self.assertEqual(mail.outbox, [])
