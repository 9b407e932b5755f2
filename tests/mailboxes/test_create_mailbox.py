from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.audit.models import Agent, Entry
from purelymanage.domains import sync
from purelymanage.domains.models import Domain, SyncRun
from purelymanage.mailboxes.models import AppPassword, Change, Creation, Mailbox
from purelymanage.mailboxes.operations import creating as operations
from purelymanage.purelymail import client
from purelymanage.routing.models import Rule
from tests.account import add_hand_over
from tests.sandbox import SyncedTestCase

ADDRESS = "zoe@example.org"
PASSWORD = "nine-blue-canaries-sang-at-noon"


def add_rule_for(address: str) -> None:
    local, _, domain = address.rpartition("@")
    Rule.objects.create(
        remote_id=1,
        domain=domain,
        match_user=local,
        prefix=False,
        catchall=False,
        targets=["anna@example.org"],
    )


class CreateMailboxTestCase(SyncedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client, "PAUSES", ()))
        logging.disable(logging.ERROR)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.client.force_login(self.adam)

    def create(self, **changes: Any) -> HttpResponse:
        form = {
            "local_part": "zoe",
            "domain": "example.org",
            "password": PASSWORD,
            "reset_allowed": "on",
            "search_indexing": "on",
        }
        r = self.client.post("/mailboxes/new/", form | changes)
        assert isinstance(r, HttpResponse)
        return r

    def is_remote(self, address: str = ADDRESS) -> bool:
        return address in self.sandbox.account.state.users

    def settled(self) -> tuple[str, str]:
        creation = Creation.objects.get()
        return creation.state, creation.reason

    def sentences(self) -> list[str]:
        entries = Entry.objects.filter(event__startswith="mailbox.")
        return [str(entry) for entry in entries.order_by("pk")]


class WorkingTests(CreateMailboxTestCase):
    def test_it_creates_a_mailbox(self) -> None:
        r = self.create(
            recovery_email="zoe@private.example", recovery_phone="0049 170/123 4567"
        )
        self.assertContains(r, "zoe@example.org is ready", status_code=201)
        self.assertNotContains(r, "did not keep", status_code=201)
        self.assertContains(r, PASSWORD, status_code=201)
        self.assertIsNotNone(self.sandbox.account.log_in(ADDRESS, PASSWORD))

        mailbox = Mailbox.objects.get(address=ADDRESS)
        self.assertTrue(mailbox.reset_allowed and mailbox.search_indexing)
        targets = [method["target"] for method in mailbox.recovery_methods]
        self.assertEqual(targets, ["zoe@private.example", "+491701234567"])
        self.assertEqual(self.settled(), ("done", ""))
        self.assertEqual(
            self.sentences(), ["adam@example.org created the mailbox zoe@example.org"]
        )
        self.assertEqual(SyncRun.objects.latest("pk").state, SyncRun.State.QUEUED)

    def test_it_asks_for_no_welcome_message_and_reads_back_once(self) -> None:
        self.create()
        self.assertEqual(self.sandbox.calls.names, ["createUser", "getUser"])
        [created, _] = self.sandbox.calls
        self.assertFalse(created.body["sendWelcomeEmail"])

    def test_the_password_is_shown_once_and_kept_nowhere(self) -> None:
        r = self.create()
        self.assertIn("no-store", r.headers["Cache-Control"])
        everything = [str(queued.task) for queued in OrmQ.objects.all()]
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT it::text FROM "{table}" it')  # noqa: S608
                everything += [row[0] for row in cursor.fetchall()]
        self.assertIn(ADDRESS, "".join(everything))
        self.assertNotIn(PASSWORD, "".join(everything))

    def test_a_password_may_hold_what_means_something_to_html(self) -> None:
        r = self.create(password='9 "blue" <canaries> & 1 gull')
        escaped = "9 &quot;blue&quot; &lt;canaries&gt; &amp; 1 gull"
        self.assertContains(r, f"<code>{escaped}</code>", status_code=201)
        self.assertContains(r, f"Password: {escaped}\n", status_code=201)
        self.assertNotContains(r, "<canaries>", status_code=201)

    def test_the_form_brings_a_password_and_the_domain(self) -> None:
        first, second = (
            self.client.get("/mailboxes/new/?domain=shop.example").content.decode()
            for _ in range(2)
        )
        self.assertInHTML(
            '<option value="shop.example" selected>shop.example</option>', first
        )
        made = re.compile(r'value="((?:[a-z2-9]{5}-){3}[a-z2-9]{5})"')
        passwords = {made.findall(page)[0] for page in (first, second)}
        self.assertEqual(len(passwords), 2)
        r = self.create(password=passwords.pop())
        self.assertEqual(r.status_code, 201)

    def test_the_form_begins_with_the_name_searched_for(self) -> None:
        r = self.client.get("/mailboxes/new/?name=yusra@Shop.example")
        self.assertContains(r, 'value="yusra"')
        self.assertInHTML(
            '<option value="shop.example" selected>shop.example</option>', r.text
        )
        r = self.client.get("/mailboxes/new/?name=yusra&domain=shop.example")
        self.assertContains(r, 'value="yusra"')

    def test_drawing_the_form_asks_purelymail_nothing(self) -> None:
        self.client.get("/mailboxes/new/")
        self.assertEqual(len(self.sandbox.calls), 0)

    def test_a_pasted_address_is_taken_apart(self) -> None:
        r = self.create(local_part=" Lars.Berg@Shop.Example ", domain="")
        self.assertContains(r, "lars.berg@shop.example is ready", status_code=201)

    def test_flags_that_are_off_are_off(self) -> None:
        r = self.create(reset_allowed="", search_indexing="")
        self.assertNotContains(r, "all the same", status_code=201)
        mailbox = Mailbox.objects.get(address=ADDRESS)
        self.assertFalse(mailbox.reset_allowed or mailbox.search_indexing)

    def test_a_rule_that_takes_the_mail_is_told_beside_the_password(self) -> None:
        add_rule_for(ADDRESS)
        r = self.create()
        self.assertContains(r, "so this mailbox receives none", status_code=201)

    @pytest.mark.slow
    def test_loading_the_page_with_the_password_again_is_explained(self) -> None:
        self.create()
        again = self.create()
        self.assertContains(again, "You have just created", status_code=422)
        self.assertContains(again, "shown once and is not kept", status_code=422)

        self.client.force_login(self.olga)
        self.assertContains(self.create(), "exists already", status_code=422)
        self.client.force_login(self.adam)
        Creation.objects.update(settled_at=timezone.now() - timedelta(hours=1))
        self.assertContains(self.create(), "exists already", status_code=422)

    def test_the_next_sync_has_no_news(self) -> None:
        self.create()
        sync.sync(actor=Agent.PANEL)
        self.assertEqual(len(self.sentences()), 1)

    def test_what_was_removed_may_be_created_again(self) -> None:
        Mailbox.objects.create(
            address=ADDRESS,
            domain="example.org",
            gone_at=timezone.now(),
            first_seen_at=timezone.now() - timedelta(days=9),
        )
        old = add_hand_over(ADDRESS)
        self.assertEqual(self.create().status_code, 201)
        mailbox = Mailbox.objects.get(address=ADDRESS)
        self.assertIsNone(mailbox.gone_at)
        old.refresh_from_db()
        self.assertIsNotNone(old.withdrawn_at)
        self.assertLess(timezone.now() - mailbox.first_seen_at, timedelta(days=1))

    @pytest.mark.slow
    def test_what_was_known_of_the_former_one_is_not_held_against_it(self) -> None:
        for is_lost in (False, True):
            with self.subTest(is_lost=is_lost):
                self.sandbox.reset()
                self.add_former()
                if is_lost:
                    with (
                        mock.patch.object(operations, "look", side_effect=SystemExit),
                        self.assertRaises(SystemExit),
                    ):
                        self.create()
                    sync.sync(actor=Agent.PANEL)
                else:
                    self.assertEqual(self.create().status_code, 201)
                r = self.client.get(f"/mailboxes/{ADDRESS}/")
                self.assertNotContains(r, "Suspended")
                self.assertNotContains(r, "Nobody knows whether")
                kept = AppPassword.objects.get()
                self.assertIsNotNone(kept.revoke_after)

    def add_former(self) -> None:
        """A mailbox of that name that was suspended, and is not there any more."""
        long_ago = timezone.now() - timedelta(days=9)
        former = {
            "domain": "example.org",
            "first_seen_at": long_ago - timedelta(days=1),
            "suspended_at": long_ago,
            "gone_at": long_ago,
        }
        mailbox, _ = Mailbox.objects.update_or_create(address=ADDRESS, defaults=former)
        Change.objects.create(
            mailbox=mailbox,
            kind=Change.Kind.PASSWORD,
            state=Change.State.UNKNOWN,
            requested_at=long_ago,
            settled_at=long_ago,
        )
        AppPassword.objects.update_or_create(
            address=ADDRESS,
            defaults={
                "name": "Phone",
                "secret": "sealed",
                "made_by": self.adam,
                "made_at": long_ago,
                "revoke_after": None,
            },
        )


class BadInputTests(CreateMailboxTestCase):
    def assert_refused(self, r: HttpResponse, sentence: str) -> None:
        self.assertContains(r, sentence, status_code=422)
        self.assertFalse(Creation.objects.exists())
        self.assertEqual(len(self.sandbox.calls), 0)

    @pytest.mark.slow
    def test_it_refuses_what_is_no_address(self) -> None:
        for local_part, sentence in {
            "": "Write what stands before the @.",
            "zoe zander": "no spaces",
            ".zoe": "its dots stand between",
            "zoe..z": "its dots stand between",
            "zoë": "without accents",
            "z" * 65: "these are 65",
            "zoe@elsewhere.example": "elsewhere.example is not a domain",
            "anna": "anna@example.org exists already.",
        }.items():
            with self.subTest(local_part=local_part):
                self.assert_refused(self.create(local_part=local_part), sentence)

    def test_it_explains_subaddressing(self) -> None:
        for local_part in ("zoe.zander", "zoe+shop", "zoe-z"):
            with self.subTest(local_part=local_part):
                r = self.create(local_part=local_part)
                self.assert_refused(r, "subaddressing is on for example.org")
                self.assertContains(r, "goes to zoe@example.org", status_code=422)

    def test_it_refuses_weak_passwords(self) -> None:
        for password, sentence in {
            "": "Write a password",
            "12345678": "too weak",
            "zoe@example.org": "too weak",
            f"{PASSWORD} ": "ends with a space",
            f"{PASSWORD}\N{ZERO WIDTH SPACE}x": "invisible character",
        }.items():
            with self.subTest(password=password):
                self.assert_refused(self.create(password=password), sentence)

    def test_it_refuses_a_recovery_address_that_helps_nobody(self) -> None:
        self.assert_refused(self.create(recovery_email=ADDRESS), "cannot open")
        self.assert_refused(self.create(recovery_email="x"), "no e-mail address")
        self.assert_refused(self.create(recovery_phone="0170 12"), "with its country")

    def test_what_was_typed_stays(self) -> None:
        r = self.create(local_part="anna")
        self.assertContains(r, f'value="{PASSWORD}"', status_code=422)
        self.assertContains(r, 'aria-invalid="true"', status_code=422)

    def test_other_domains_are_out_of_reach(self) -> None:
        self.client.force_login(self.hedy)
        r = self.client.get("/mailboxes/new/")
        self.assertContains(r, "shop.example")
        self.assertNotContains(r, "example.org</option>")
        self.assert_refused(self.create(), "not a domain of this account")
        with self.assertRaisesMessage(operations.NotCreated, "not a domain"):
            operations.create_mailbox(
                address=ADDRESS,
                password=PASSWORD,
                wishes=operations.Wishes(),
                actor=self.hedy,
            )

    def test_it_turns_away_those_who_only_look(self) -> None:
        self.client.force_login(self.audrey)
        self.assertEqual(self.client.get("/mailboxes/new/").status_code, 403)
        self.assertEqual(self.create().status_code, 403)

    def test_without_a_domain_it_says_what_to_do(self) -> None:
        Domain.objects.update(gone_at=timezone.now())
        r = self.client.get("/mailboxes/new/")
        self.assertContains(r, "There is no domain yet")
        button = 'href="/domains/add/"'
        self.assertContains(r, button)
        self.assertContains(self.client.get("/routing/new/"), button)
        self.client.force_login(self.hedy)
        self.assertNotContains(self.client.get("/mailboxes/new/"), button)


class FragmentTests(CreateMailboxTestCase):
    def post(self, name: str, **form: str) -> HttpResponse:
        r = self.client.post(f"/mailboxes/new/{name}/", form)
        assert isinstance(r, HttpResponse)
        self.assertIn("no-store", r.headers["Cache-Control"])
        self.assertTemplateNotUsed(r, "base.html")
        return r

    def test_the_address_is_shown_as_it_will_be(self) -> None:
        r = self.post("address", local_part="ZOE", domain="example.org")
        self.assertContains(r, "zoe@example.org")
        r = self.post("address", local_part="z.z", domain="example.org")
        self.assertContains(r, "Leave out the")
        r = self.post("address", local_part="", domain="")
        self.assertNotContains(r, "Write what stands")

    def test_what_would_take_the_mail_is_told(self) -> None:
        add_rule_for(ADDRESS)
        r = self.post("address", local_part="zoe", domain="example.org")
        self.assertContains(r, "so this mailbox receives none")
        r = self.post("address", local_part="zora", domain="example.org")
        self.assertNotContains(r, "receives none")

    def test_the_strength_is_told(self) -> None:
        self.assertContains(self.post("strength", password="zoe123"), "Very weak")
        self.assertContains(self.post("strength", password=PASSWORD), "Strong")
        self.assertNotContains(self.post("strength", password=""), "eak")

    def test_the_strength_does_not_answer_the_password(self) -> None:
        r = self.post("strength", password=PASSWORD)
        self.assertNotContains(r, PASSWORD)
