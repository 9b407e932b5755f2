from __future__ import annotations

import json
import re
from unittest import mock

import pytest
from django.core.cache import cache
from django.http import HttpResponse

from purelymanage import crypto
from purelymanage.accounts.models import Organisation
from purelymanage.accounts.permissions import Right
from purelymanage.audit.models import OutgoingMail
from purelymanage.deletions import views
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.operations import execution, requests
from purelymanage.errors import Refused
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations import creating as mailboxes
from purelymanage.routing.models import Rule
from tests.cast import HTMX
from tests.deletions.cases import BOX, DeletionTestCase, ask
from tests.proof import prove

SHOWN = re.compile(r'name="shown" value="([0-9a-f]+)"')
URL = f"/deletions/new/mailbox/{BOX}/"


class RequestTestCase(DeletionTestCase):
    def setUp(self) -> None:
        super().setUp()
        cache.clear()
        self.client.force_login(self.adam)

    def post(self, url: str = URL, **form: object) -> HttpResponse:
        keys = form.get("key", [])
        assert isinstance(keys, list)
        page = self.client.get(url, {"key": keys}).content.decode()
        shown = SHOWN.search(page)
        assert shown, page
        r = self.client.post(url, {"shown": shown[1], **form})
        assert isinstance(r, HttpResponse)
        return r

    def mails(self) -> list[tuple[str, str]]:
        """Every mail that waits: to whom, and what it says."""
        return [
            (
                mail.recipient,
                json.loads(crypto.unseal(mail.sealed, bound_to=mail.place))[0],
            )
            for mail in OutgoingMail.objects.order_by("recipient")
        ]


class RequestTests(RequestTestCase):
    def test_it_queues_the_mailbox(self) -> None:
        r = self.post(reason="left the company")
        deletion = PendingDeletion.objects.get()
        self.assertRedirects(r, f"/deletions/?asked={deletion.batch}")
        self.assertEqual(deletion.key, BOX)
        self.assertEqual(deletion.requested_by, self.adam)
        self.assertIn("left the company", self.sentences()[0])
        # Nothing leaves before the waiting time ends.
        self.assertEqual(self.sandbox.calls.names, [])

    def test_it_can_be_undone_right_after(self) -> None:
        r = self.client.get(self.post().headers["Location"])
        self.assertContains(r, f"{BOX} will be deleted on")
        batch = PendingDeletion.objects.get().batch
        r = self.client.post("/deletions/cancel/", {"batch": str(batch)}, follow=True)
        self.assertContains(r, "Not deleted any more")
        self.assertEqual(PendingDeletion.objects.get().state, "cancelled")

    def test_it_can_be_undone_where_many_wait_before_it(self) -> None:
        with mock.patch.object(views, "MOST_SHOWN", 1):
            ask(self.adam, "ben@example.org")
            self.wait(minutes=1)
            deletion = ask(self.adam, BOX)
            r = self.client.get(f"/deletions/?asked={deletion.batch}")
        self.assertContains(r, f'name="batch" value="{deletion.batch}"')
        self.assertContains(r, "1 more")

    def test_all_on_the_page_can_be_chosen(self) -> None:
        ask(self.adam, BOX)
        r = self.client.get("/deletions/")
        self.assertContains(r, "data-chooses-page", count=2)
        self.assertContains(r, "js/choose_all.js")
        self.client.force_login(self.audrey)
        self.assertNotContains(self.client.get("/deletions/"), "data-chooses-page")

    def test_the_others_are_told_by_mail(self) -> None:
        self.post(reason="left")
        mails = self.mails()
        # Lina does not administer this domain, and Adam asked himself.
        self.assertEqual([to for to, _ in mails], ["olga@example.org"])
        self.assertIn(f"adam@example.org asked to delete {BOX}", mails[0][1])
        self.assertIn("Reason: left", mails[0][1])
        self.assertIn("/deletions/", mails[0][1])

    def test_it_refuses_a_second_time(self) -> None:
        ask(self.olga, BOX)
        r = self.post()
        self.assertContains(r, "is to be deleted and frozen", status_code=422)
        self.assertEqual(PendingDeletion.objects.count(), 1)

    def test_nobody_agrees_to_more_than_was_shown(self) -> None:
        prove(self.client)
        page = self.client.get("/deletions/new/domain/example.org/").content.decode()
        shown = SHOWN.search(page)
        assert shown
        Mailbox.objects.create(address="late@example.org", domain="example.org")
        form = {"shown": shown[1], "confirm": "example.org"}
        r = self.client.post("/deletions/new/domain/example.org/", form)
        self.assertContains(r, "has changed meanwhile", status_code=422)

    def test_a_domain_wants_its_name_typed_out(self) -> None:
        url = "/deletions/new/domain/example.org/"
        prove(self.client)
        self.assertContains(self.client.get(url), "mailboxes</strong>")
        r = self.post(url, confirm="example.com")
        self.assertContains(r, "Type example.org here", status_code=422)
        self.assertFalse(PendingDeletion.objects.exists())
        self.assertEqual(self.post(url, confirm="Example.org").status_code, 302)

    def test_a_domain_wants_a_proof(self) -> None:
        url = "/deletions/new/domain/example.org/"
        prove(self.client)
        page = self.client.get(url).content.decode()
        shown = SHOWN.search(page)
        assert shown
        prove(self.client, ago=3600)
        for r in (
            self.client.get(url),
            self.client.post(url, {"shown": shown[1], "confirm": "example.org"}),
        ):
            self.assertIn("/accounts/reauthenticate/", r.headers["Location"])
        self.assertFalse(PendingDeletion.objects.exists())
        self.assertEqual(self.client.get(URL).status_code, 200)

    def test_many_at_once_want_their_number_and_a_proof(self) -> None:
        keys = [BOX, "ben@example.org"]
        url = "/deletions/new/mailbox/"
        r = self.client.get(url, {"key": keys})
        self.assertIn("/accounts/reauthenticate/", r.headers["Location"])
        prove(self.client)
        wrong = self.post(url, key=keys, confirm="3")
        self.assertContains(wrong, "Type 2 here", status_code=422)
        self.post(url, key=keys, confirm="2")
        batches = PendingDeletion.objects.values_list("batch", flat=True)
        self.assertEqual(len(batches), 2)
        self.assertEqual(len(set(batches)), 1)
        self.assertEqual(len(self.mails()), 1)

    def test_limited_people_find_only_what_is_theirs(self) -> None:
        self.client.force_login(self.lina)
        self.assertEqual(self.client.get(URL).status_code, 404)
        deletion = ask(self.adam, BOX)
        r = self.client.post(f"/deletions/{deletion.pk}/cancel/")
        self.assertEqual(r.status_code, 404)
        self.client.post("/deletions/cancel/", {"deletion": deletion.pk})
        self.assertEqual(self.state(deletion), "waiting")
        self.assertNotContains(self.client.get("/deletions/"), BOX)

    def test_nonsense_is_not_found(self) -> None:
        for path in ("mailbox/a%00b", "mailbox/nobody@example.org", "rule/x", "tree/1"):
            with self.subTest(path=path):
                r = self.client.get(f"/deletions/new/{path}/")
                self.assertEqual(r.status_code, 404)
        huge = "9" * 30
        self.assertEqual(
            self.client.get(f"/deletions/new/rule/{huge}/").status_code, 404
        )
        r = self.client.post("/deletions/cancel/", {"deletion": [huge, "x", "²"]})
        self.assertEqual(r.status_code, 302)
        r = self.client.get("/deletions/?asked=x&kind=%00&domain=x&person=x")
        self.assertContains(r, "No deletion is like this")

    def test_mail_cannot_be_sent_to_what_goes_too(self) -> None:
        ask(self.olga, "ben@example.org")
        r = self.post(route_to="ben@example.org")
        self.assertContains(r, "frozen", status_code=422)
        r = self.post(route_to=BOX)
        self.assertContains(r, "has to go to another", status_code=422)

    def test_the_rule_that_applies_decides_whether_mail_arrives(self) -> None:
        Rule.objects.all().delete()
        for number, (name, prefix, target) in enumerate(
            [
                ("back", False, BOX),  # weaker rules do not help it
                ("ba", True, "ben@example.org"),
                ("dead", False, "nobody@example.org"),
            ],
            7,
        ):
            Rule.objects.create(
                remote_id=number,
                domain="example.org",
                match_user=name,
                prefix=prefix,
                catchall=False,
                targets=[target],
            )
        for nowhere in ("back@example.org", "dead@example.org"):
            with self.subTest(nowhere=nowhere):
                r = self.post(route_to=nowhere)
                self.assertContains(r, "Nothing receives mail", status_code=422)
        self.assertEqual(self.post(route_to="ben+later@example.org").status_code, 302)

    @pytest.mark.slow
    def test_mail_is_not_sent_where_nothing_receives_it(self) -> None:
        Rule.objects.all().delete()  # among them a catch-all
        Rule.objects.create(
            remote_id=7,
            domain="example.org",
            match_user="team",
            prefix=True,
            catchall=False,
            targets=["ben@example.org"],
        )
        Rule.objects.create(
            remote_id=8,
            domain="example.org",
            match_user="back",
            prefix=False,
            catchall=False,
            targets=[BOX],
        )
        for nowhere in ("nobody@example.org", "back@example.org"):
            r = self.post(route_to=nowhere)
            words = f"Nothing receives mail for {nowhere}"
            self.assertContains(r, words, status_code=422)
        self.assertFalse(PendingDeletion.objects.exists())
        for somewhere in (
            "ben@example.org",
            "Team-a@example.org",
            "else@not-ours.example",
        ):
            with self.subTest(somewhere=somewhere):
                self.assertEqual(self.post(route_to=somewhere).status_code, 302)
                requests.cancel_deletions(
                    deletions=list(PendingDeletion.objects.open()), actor=self.adam
                )

    def test_any_administrator_cancels(self) -> None:
        first = ask(self.adam, BOX)
        self.client.force_login(self.olga)
        self.client.post(f"/deletions/{first.pk}/cancel/")
        self.assertEqual(self.state(first), "cancelled")
        self.assertEqual(first.settled_by, self.olga)

    def test_what_waits_is_frozen(self) -> None:
        ask(self.adam, "example.org", kind="domain")
        with self.assertRaisesMessage(mailboxes.NotCreated, "frozen"):
            mailboxes.create_mailbox(
                address="new@example.org",
                password="nine-blue-canaries",
                wishes=mailboxes.Wishes(),
                actor=self.adam,
            )
        with self.assertRaisesMessage(Refused, "frozen"):
            ask(self.adam, BOX)

    @pytest.mark.slow
    def test_it_says_so_wherever_it_stands(self) -> None:
        ask(self.adam, BOX)
        r = self.client.get("/mailboxes/")
        self.assertContains(r, "Deleted <time")
        self.assertContains(self.client.get("/"), f"{BOX} will be deleted at")
        r = self.client.get("/deletions/", headers=HTMX)
        self.assertContains(r, "24 h 0 min")
        self.assertTemplateNotUsed(r, "base.html")

    def test_names_of_other_domains_stay_hidden(self) -> None:
        rule = Rule.objects.create(
            remote_id=7,
            domain="example.org",
            match_user="secret",
            prefix=False,
            catchall=False,
            targets=[Mailbox.objects.filter(domain="shop.example")[0].address],
        )
        url = f"/deletions/new/mailbox/{rule.targets[0]}/"
        self.assertContains(self.client.get(url), "secret@example.org")
        self.client.force_login(self.lina)
        r = self.client.get(url)
        self.assertContains(r, "points to it")
        self.assertNotContains(r, "secret@example.org")


class ApprovalTests(RequestTestCase):
    def setUp(self) -> None:
        super().setUp()
        Organisation.objects.create(pk=1, second_person_required=True)

    def test_a_second_person_approves_and_the_time_begins(self) -> None:
        deletion = ask(self.adam, "example.org", kind="domain")
        self.assertEqual(deletion.state, "approval")
        self.wait(hours=30)
        self.tick()
        self.assertEqual(self.state(deletion), "approval")

        self.client.force_login(self.adam)  # nobody stays signed in for that long
        url = f"/deletions/{deletion.pk}/decide/"
        r = self.client.post(url, {"decision": "approve"}, follow=True)
        self.assertContains(r, "A second person has to decide this")
        self.client.force_login(self.olga)
        self.client.post(url, {"decision": "approve"})
        self.assertEqual(self.state(deletion), "waiting")
        assert deletion.delete_after
        self.assertEqual((deletion.delete_after - self.now).total_seconds(), 24 * 3600)
        self.assertEqual(deletion.approved_by, self.olga)

    def test_a_refusal_ends_it_with_a_note(self) -> None:
        deletion = ask(self.adam, "example.org", kind="domain")
        self.client.force_login(self.olga)
        form = {"decision": "refuse", "note": "We still need it"}
        self.client.post(f"/deletions/{deletion.pk}/decide/", form)
        self.assertEqual(self.state(deletion), "refused")
        self.assertContains(self.client.get("/deletions/"), "We still need it")

    def test_what_was_asked_for_together_is_decided_together(self) -> None:
        first = ask(self.adam, BOX, "ben@example.org")
        self.client.force_login(self.olga)
        self.assertContains(
            self.client.get("/deletions/"), "wants to delete 2 mailboxes"
        )
        self.client.post(f"/deletions/{first.pk}/decide/", {"decision": "approve"})
        states = PendingDeletion.objects.values_list("state", flat=True)
        self.assertEqual(list(states), ["waiting", "waiting"])

    def test_one_mailbox_needs_no_second_person(self) -> None:
        self.assertEqual(ask(self.adam, BOX).state, "waiting")

    def test_it_counts_only_while_there_are_two(self) -> None:
        self.olga.is_active = False
        self.olga.save()
        deletion = ask(self.adam, "example.org", kind="domain")
        self.assertEqual(deletion.state, "waiting")

    def test_nothing_added_to_a_bulk_takes_the_second_person_away(self) -> None:
        self.olga.domain_scope = ["example.org"]
        self.olga.save()
        self.lina.is_active = False
        self.lina.save()
        alone = Mailbox.objects.filter(domain="shop.example")[0].address
        deletion = ask(self.adam, BOX, "ben@example.org", alone)
        self.assertEqual(deletion.state, "approval")

    @pytest.mark.slow
    def test_who_looks_again_does_not_approve(self) -> None:
        deletion = ask(self.adam, "shop.example", kind="domain")
        requests.approve_deletions(deletions=[deletion], actor=self.olga)
        self.remote(
            "createUser", userName="new", domainName="shop.example", password="x" * 12
        )
        self.make_due(deletion)
        execution.execute_due()
        self.assertEqual(self.state(deletion), "paused")
        self.client.force_login(self.olga)
        url = f"/deletions/{deletion.pk}/again/"
        self.assertContains(self.client.get(url), "new@shop.example")
        self.post(url, confirm="shop.example")
        self.assertEqual(self.state(deletion), "approval")
        with self.assertRaisesMessage(Refused, "second person"):
            requests.approve_deletions(deletions=[deletion], actor=self.olga)

    def test_the_right_is_asked_for(self) -> None:
        self.assertFalse(self.audrey.may(Right.DELETE))
        with self.assertRaisesMessage(Refused, "role"):
            ask(self.audrey, BOX)
