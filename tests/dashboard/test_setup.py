from __future__ import annotations

import importlib
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.cache import cache
from django.db import connection
from django.test import TestCase, override_settings
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.accounts.models import User
from purelymanage.accounts.permissions import Role
from purelymanage.audit.models import Entry, OutgoingMail
from purelymanage.broker import CLUSTERS
from purelymanage.dashboard.doctor import connections
from purelymanage.dashboard.models import CreditReading, Setup, TokenCheck
from purelymanage.dashboard.setup import operations
from purelymanage.dashboard.setup.steps import Name, State
from purelymanage.domains import sync, tasks
from purelymanage.domains.models import SyncRun
from purelymanage.errors import Refused
from tests.account import fill_account
from tests.cast import HTMX, CastTestCase
from tests.sandbox import SandboxTestCase

URL = "/setup/"


class SetupCase(CastTestCase):
    """The panel is a new one."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Setup.objects.all().delete()

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(cache.clear)
        for name in CLUSTERS:
            cache.set(f"pulse:{name}", "asks for work", 30)
        self.client.force_login(self.olga)

    def states(self) -> dict[str, str]:
        steps = self.client.get(URL).context["steps"]
        return {str(step.name): str(step.state) for step in steps}

    def state(self, name: str) -> str:
        return self.states()[name]

    def events(self, event: str) -> int:
        return Entry.objects.filter(event=event).count()


class LeadTests(SetupCase):
    def test_the_dashboard_of_a_new_panel_leads_its_owner_there(self) -> None:
        self.assertRedirects(self.client.get("/"), URL)
        self.client.force_login(self.adam)
        self.assertEqual(self.client.get("/").status_code, 200)
        self.assertEqual(self.client.get(URL).status_code, 403)

    def test_once_there_is_something_to_see_it_only_reminds(self) -> None:
        fill_account()
        self.assertContains(self.client.get("/"), "Go on setting up")
        Setup.objects.create(finished_at=timezone.now())
        self.assertNotContains(self.client.get("/"), "setting up")
        self.assertContains(self.client.get("/settings/"), 'href="/setup/"')

    def test_who_has_finished_is_led_there_no_more(self) -> None:
        Setup.objects.create(finished_at=timezone.now())
        self.assertEqual(self.client.get("/").status_code, 200)

    def test_the_page_of_second_factors_leads_back(self) -> None:
        back = "Back to the set-up"
        self.assertContains(self.client.get("/accounts/2fa/"), back)
        Setup.objects.create(finished_at=timezone.now())
        self.assertNotContains(self.client.get("/accounts/2fa/"), back)


def look_back() -> None:
    """Run what the database migration does."""
    name = "purelymanage.dashboard.migrations.0004_set_up_long_ago"
    migration: Any = importlib.import_module(name)
    with connection.schema_editor() as editor:
        migration.finish(apps, editor)


class UpgradeTests(TestCase):
    def test_panels_that_people_work_with_are_set_up_long_ago(self) -> None:
        look_back()
        self.assertFalse(Setup.objects.exists())
        User.objects.create_user("olga@example.org", None, role=Role.OWNER)
        for _ in range(2):
            look_back()
        self.assertIsNotNone(Setup.objects.get().finished_at)


class TokenTests(SandboxTestCase, SetupCase):
    def check(self) -> TokenCheck:
        self.client.post(f"{URL}token/")
        check = TokenCheck.objects.get(state="waiting")
        operations.carry_out_check(check.pk)
        check.refresh_from_db()
        return check

    def test_one_that_is_right_shows_the_credit(self) -> None:
        self.assertEqual(self.state("token"), State.OPEN)
        self.assertTrue(self.check().is_right)
        self.assertEqual(self.state("token"), State.DONE)
        amount = CreditReading.objects.get().amount
        self.assertContains(self.client.get(URL), f"the credit is ${amount:.2f}")

    @override_settings(PURELYMAIL_API_TOKEN="pm-live-wrong")
    def test_a_wrong_one_is_told_with_what_to_do(self) -> None:
        self.check()
        r = self.client.get(URL)
        # In the words of the doctor, and with the same step.
        (found,) = connections._purelymail()
        told = r.context["steps"][0].finding
        self.assertEqual((told.title, told.text), (found.sentence, found.fix))
        self.assertContains(r, "PurelyMail refused the panel&#x27;s token")
        self.assertContains(r, "Set PURELYMAIL_API_TOKEN to the one shown at")
        self.assertEqual(self.state("token"), State.STUCK)
        self.assertNotContains(r, "pm-live-wrong")

    @pytest.mark.slow
    @override_settings(PURELYMAIL_API_URL="http://127.0.0.1:9")
    def test_no_connection_is_told_as_such(self) -> None:
        self.check()
        r = self.client.get(URL)
        self.assertContains(r, "PurelyMail could not be reached.")
        self.assertContains(r, "See whether this machine reaches http://127.0.0.1:9.")

    @override_settings(PURELYMAIL_API_TOKEN="")
    def test_none_at_all_is_told_without_asking(self) -> None:
        self.assertContains(self.client.get(URL), "No PurelyMail token is set")

    def test_a_sync_that_worked_proves_it_as_well(self) -> None:
        sync.sync(actor=self.olga)
        self.assertEqual(
            self.states() | {"factor": "", "mail": ""},
            {"token": "done", "import": "done", "factor": "", "mail": ""},
        )

    def test_one_that_is_refused_since_is_right_no_more(self) -> None:
        self.check()
        with override_settings(PURELYMAIL_API_TOKEN="pm-live-wrong"):
            sync.sync(actor=self.olga)
        self.assertEqual(self.state("token"), State.STUCK)
        self.check()
        self.assertEqual(self.state("token"), State.DONE)

    def test_the_focus_stays_where_something_was_done(self) -> None:
        r = self.client.post(f"{URL}token/", headers=HTMX)
        self.assertTemplateNotUsed(r, "base.html")
        self.assertContains(r, 'id="step-token" tabindex="-1" autofocus', count=1)
        self.assertNotContains(self.client.get(URL), "autofocus>")

    def test_two_clicks_ask_once(self) -> None:
        for _ in range(2):
            self.assertRedirects(self.client.post(f"{URL}token/"), URL)
        self.assertEqual(OrmQ.objects.count(), 1)
        self.assertEqual(self.events("panel.token_check_requested"), 1)
        self.assertEqual(self.state("token"), State.BUSY)

    def test_what_was_delivered_twice_asks_once(self) -> None:
        check = self.check()
        self.assertEqual(operations.carry_out_check(check.pk), "not asked for any more")
        self.assertEqual(self.events("panel.token_checked"), 1)

    def test_one_that_was_lost_is_asked_for_again(self) -> None:
        self.client.post(f"{URL}token/")
        before = timezone.now() - timedelta(minutes=2)
        TokenCheck.objects.update(asked_at=before, claimed_at=before)
        self.assertContains(self.client.get(URL), "Nobody has carried out the check.")
        self.check()
        self.assertEqual(self.state("token"), State.DONE)

    def test_it_cannot_wait(self) -> None:
        with self.assertRaises(Refused):
            operations.put_off(step=Name.TOKEN, actor=self.olga)


class ImportTests(SandboxTestCase, SetupCase):
    @pytest.mark.slow
    def test_it_shows_what_has_arrived_and_is_done_by_itself(self) -> None:
        TokenCheck.objects.create(
            state="done", is_right=True, settled_at=timezone.now()
        )
        self.assertContains(self.client.get(URL), "Start the import")
        self.client.post(f"{URL}import/", headers=HTMX)
        self.client.post(f"{URL}import/", headers=HTMX)
        self.assertEqual(self.events("account.sync_requested"), 1)
        r = self.client.get(URL)
        self.assertContains(r, 'hx-trigger="every 2s"')
        self.assertEqual([it.count for it in r.context["arrivals"]], [None] * 3)

        mark = r.context["mark"]
        SyncRun.objects.update(state="running", arrived={"domains": 4})
        self.assertEqual(
            self.client.get(f"{URL}?mark={mark}", headers=HTMX).status_code, 200
        )
        r = self.client.get(URL)
        seen = [(it.count, it.is_next) for it in r.context["arrivals"]]
        self.assertEqual(seen, [(4, False), (None, True), (None, False)])
        mark = r.context["mark"]
        r = self.client.get(f"{URL}?mark={mark}", headers=HTMX)
        self.assertEqual(r.status_code, 204)

        SyncRun.objects.update(state="queued", arrived=None)
        tasks.sync_if_requested()
        run = SyncRun.objects.get()
        self.assertEqual(set(run.arrived or {}), {"domains", "mailboxes", "rules"})
        self.assertEqual(self.state("import"), State.DONE)
        self.assertNotContains(self.client.get(URL), "every 2s")

    def test_one_that_failed_says_why(self) -> None:
        TokenCheck.objects.create(
            state="done", is_right=True, settled_at=timezone.now()
        )
        now = timezone.now()
        SyncRun.objects.create(
            state="failed", started_at=now, finished_at=now, reason="It was down."
        )
        r = self.client.get(URL)
        self.assertContains(r, "It was down.")
        self.assertContains(r, "Try again")

    def test_without_workers_it_says_that_nobody_does_it(self) -> None:
        cache.clear()
        r = self.client.get(URL)
        self.assertContains(r, "Nobody works on syncs and other short tasks.")
        self.assertContains(r, "Start them: manage.py qcluster")


@override_settings(EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend")
class MailTests(SetupCase):
    def send(self, **fields: Any) -> OutgoingMail:
        self.client.post(f"{URL}mail/")
        mail = OutgoingMail.objects.get(recipient=self.olga.email)
        if fields.get("state") in {"sent", "failed"}:
            fields |= {"settled_at": timezone.now(), "sealed": ""}
        OutgoingMail.objects.filter(pk=mail.pk).update(**fields)
        return mail

    def test_it_is_done_when_somebody_has_it(self) -> None:
        self.client.post(f"{URL}mail/arrived/")
        self.assertEqual(self.state("mail"), State.OPEN)
        self.client.post(f"{URL}mail/")
        self.assertEqual(self.state("mail"), State.BUSY)
        OutgoingMail.objects.all().delete()
        self.send(state="sent")
        self.assertContains(self.client.get(URL), "Has it arrived?")
        for _ in range(2):
            self.client.post(f"{URL}mail/arrived/")
        self.assertEqual(self.state("mail"), State.DONE)
        self.assertEqual(self.events("panel.test_mail_arrived"), 1)

    def test_two_clicks_send_one(self) -> None:
        self.client.post(f"{URL}mail/")
        self.client.post(f"{URL}mail/")
        self.assertEqual(OutgoingMail.objects.count(), 1)
        self.assertEqual(self.events("organisation.test_mail_sent"), 1)

    @override_settings(EMAIL_HOST="smtp.example.org", EMAIL_PORT=587)
    def test_what_went_wrong_is_told_in_a_sentence(self) -> None:
        mail = self.send()
        for reason, words in (
            ("SMTPAuthenticationError: (535, b'5.7.8')", " does not let the panel in."),
            ("gaierror: [Errno -2]", ":587 does not answer as it should."),
            ("550 no such user", " does not take the mail: 550 no such user"),
        ):
            OutgoingMail.objects.filter(pk=mail.pk).update(last_error=reason)
            with self.subTest(reason=reason):
                self.assertContains(self.client.get(URL), f"smtp.example.org{words}")
        self.assertEqual(self.state("mail"), State.STUCK)
        with override_settings(EMAIL_HOST=None):
            self.assertContains(self.client.get(URL), "Mail cannot be written where")

    def test_one_that_waits_for_its_next_try_is_tried_at_once(self) -> None:
        later = timezone.now() + timedelta(hours=4)
        mail = self.send(last_error="gaierror: no name", next_try_at=later)
        self.client.post(f"{URL}mail/")
        mail.refresh_from_db()
        self.assertLess(mail.next_try_at, later)
        self.assertEqual(self.state("mail"), State.BUSY)

    @override_settings(EMAIL_BACKEND="django.core.mail.backends.console.EmailBackend")
    def test_mail_that_stays_here_is_told(self) -> None:
        self.send(state="sent")
        r = self.client.get(URL)
        self.assertContains(r, "Mail does not leave this machine.")
        self.assertNotContains(r, "has arrived")
        files = "django.core.mail.backends.filebased.EmailBackend"
        with self.settings(EMAIL_BACKEND=files, EMAIL_FILE_PATH="/srv/mail"):
            self.assertContains(self.client.get(URL), "It is written to /srv/mail.")


class FinishTests(SetupCase):
    def setUp(self) -> None:
        super().setUp()
        fill_account()

    def finish(self) -> str:
        return str(self.client.post(f"{URL}finish/")["Location"])

    def test_what_is_put_off_does_not_stand_in_the_way(self) -> None:
        self.assertEqual(self.finish(), URL)
        self.assertFalse(Setup.objects.exists())
        for name in ("factor", "factor", "mail"):
            self.client.post(f"{URL}later/{name}/")
        self.assertEqual(self.events("panel.setup_step_put_off"), 2)
        r = self.client.get(URL)
        self.assertContains(r, "Ready")
        self.assertContains(r, "in the settings: second factor, mail.")
        for _ in range(2):
            self.assertEqual(self.finish(), "/")
        self.assertEqual(self.events("panel.setup_finished"), 1)
        # Who looks again sees what is still to be done.
        self.assertEqual(self.state("factor"), State.OPEN)

    def test_a_second_factor_is_seen(self) -> None:
        self.assertEqual(self.state("factor"), State.OPEN)
        Authenticator.objects.create(user=self.olga, type="totp", data={})
        self.assertEqual(self.state("factor"), State.DONE)

    def test_no_other_step_can_be_put_off(self) -> None:
        self.assertEqual(self.client.post(f"{URL}later/lunch/").status_code, 404)
        self.client.post(f"{URL}later/token/")
        self.assertFalse(Setup.objects.exists())

    def test_it_takes_as_many_queries_for_a_large_account(self) -> None:
        with self.assertNumQueries(10):
            self.client.get(URL, headers=HTMX)
        fill_account(rows=9, domain="shop.example")
        with self.assertNumQueries(10):
            self.client.get(URL, headers=HTMX)
