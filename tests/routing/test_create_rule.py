from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.test import SimpleTestCase

from purelymanage.purelymail import client as client_module
from purelymanage.routing.forms.rules import split_addresses
from purelymanage.routing.models import Rule
from tests.cast import HTMX
from tests.sandbox import SyncedTestCase

URL = "/routing/new/"
FORM = {
    "kind": "exact",
    "name": "desk",
    "domain": "shop.example",
    "targets": "orders@shop.example\next@elsewhere.example",
    "note": "For the fair",
}


class SplittingTests(SimpleTestCase):
    def test_pasted_lists_are_taken_apart(self) -> None:
        for text, expected in (
            ("a@x.org, B@x.org;c@x.org\r\nd@x.org", "a@x.org b@x.org c@x.org d@x.org"),
            ('"Berg, Anna" <anna@x.org>, Ben <ben@x.org>', "anna@x.org ben@x.org"),
            ("mailto:a@x.org <a@x.org>", "a@x.org"),
            (" \n ,; ", ""),
            ("nobody", "nobody"),
        ):
            with self.subTest(text):
                self.assertEqual(split_addresses(text), expected.split())


class CreateRuleTests(SyncedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(client_module, "PAUSES", ()))
        self.client.force_login(self.adam)

    def post(self, **fields: Any) -> Any:
        return self.client.post(URL, FORM | fields)

    def accept(self, **fields: Any) -> Any:
        """Send it, and send it again with what there was to accept."""
        r = self.client.post(URL, FORM | fields)
        self.assertContains(r, "Save all the same", status_code=422)
        self.assertContains(r, "Nothing was saved yet.", status_code=422)
        accepted = r.context["draft"].digest
        return self.client.post(URL, FORM | fields | {"accepted": accepted})

    def created(self, r: Any) -> Rule:
        rule = Rule.objects.order_by("-first_seen_at")[0]
        self.assertRedirects(r, rule.url)
        return rule

    def test_the_form_is_drawn_without_purelymail(self) -> None:
        r = self.client.get(f"{URL}?domain=shop.example&targets=a@b.example")
        self.assertContains(r, '<option value="shop.example" selected>')
        self.assertContains(r, "a@b.example")
        self.assertEqual(len(self.sandbox.calls), 0)

    def test_it_creates_the_rule(self) -> None:
        rule = self.created(self.post())
        self.assertEqual(rule.targets, ["orders@shop.example", "ext@elsewhere.example"])
        self.assertEqual((rule.note, rule.made_by), ("For the fair", self.adam))
        r = self.client.get(rule.url)
        self.assertContains(r, "Outside this account")
        self.assertContains(r, "For the fair")
        self.assertContains(r, "adam@example.org")

    def test_a_pasted_address_is_taken_apart_and_targets_are_merged(self) -> None:
        rule = self.created(
            self.post(
                name="Desk@SHOP.example",
                domain="",
                targets="Orders@shop.example, orders@shop.example; ben <b@x.example>",
            )
        )
        self.assertEqual(rule.pattern, "desk@shop.example")
        self.assertEqual(rule.targets, ["orders@shop.example", "b@x.example"])

    def test_prefixes_may_end_with_a_symbol_and_any_needs_no_name(self) -> None:
        rule = self.created(self.post(kind="prefix", name="desk-*"))
        self.assertEqual((rule.pattern, rule.prefix), ("desk-*@shop.example", True))
        rule = self.created(self.post(kind="catch_all", name="ignored"))
        self.assertEqual((rule.pattern, rule.kind), ("*@shop.example", "catch_all"))

    def test_fields_say_what_is_wrong_with_them(self) -> None:
        for sentence, fields in (
            ("Write what stands before the @.", {"name": ""}),
            ("Write how the addresses begin.", {"name": "*", "kind": "prefix"}),
            ("elsewhere.org is not a domain", {"name": "a@elsewhere.org"}),
            ("has no spaces", {"name": "two words"}),
            ("Choose a domain.", {"domain": ""}),
            ("gone.example is not a domain", {"domain": "gone.example"}),
            ("nobody is no e-mail address", {"targets": "a@b.example nobody"}),
            ("Name at least one address.", {"targets": " , "}),
            ("Choose which mail it is about.", {"kind": ""}),
        ):
            with self.subTest(sentence):
                r = self.post(**fields)
                self.assertContains(r, sentence, status_code=422)
        self.assertEqual(len(self.sandbox.calls), 0)

    @pytest.mark.slow
    def test_errors_block(self) -> None:
        too_many = " ".join(f"a{number}@b.example" for number in range(51))
        for sentence, fields in (
            (
                "This rule is there already.",
                {
                    "name": "hello",
                    "targets": "orders@shop.example lars.holm@shop.example",
                },
            ),
            ("There is a rule for hello@shop.example already.", {"name": "hello"}),
            ("These are 51 targets", {"targets": too_many}),
            ("allows one of the two kinds", {"kind": "any", "domain": "example.org"}),
        ):
            with self.subTest(sentence):
                r = self.post(**fields)
                self.assertContains(r, sentence, status_code=422)
                self.assertNotContains(r, "Save all the same", status_code=422)
                accepted = {"accepted": r.context["draft"].digest}
                self.assertEqual(self.post(**fields, **accepted).status_code, 422)
        self.assertEqual(len(self.sandbox.calls), 0)

    def test_targets_can_be_added_to_the_rule_that_is_there(self) -> None:
        r = self.post(name="hello", targets="new@b.example")
        self.assertContains(r, "Add these targets to that rule", status_code=422)
        r = self.client.get(r.context["instead"])
        for address in (
            "orders@shop.example",
            "lars.holm@shop.example",
            "new@b.example",
        ):
            self.assertContains(r, address)

    @pytest.mark.slow
    def test_warnings_have_to_be_accepted(self) -> None:
        Rule.objects.create(
            remote_id=7,
            domain="shop.example",
            match_user="back",
            prefix=False,
            catchall=False,
            targets=["desk@shop.example"],
        )
        for sentence, fields in (
            (
                "is no mailbox, and no rule sends its mail on",
                {"targets": "nobody@shop.example"},
            ),
            ("Mail goes round in a circle", {"targets": "back@shop.example"}),
            ("This rule never applies", {"domain": "example.org", "name": "a-b"}),
        ):
            with self.subTest(sentence):
                r = self.post(**fields)
                self.assertContains(r, sentence, status_code=422)
                self.created(self.accept(**fields))
                self.remote_delete()

    def remote_delete(self) -> None:
        rule = Rule.objects.order_by("-first_seen_at")[0]
        self.remote("deleteRoutingRule", routingRuleId=rule.remote_id)
        rule.delete()

    def test_other_warnings_than_those_shown_are_not_accepted(self) -> None:
        r = self.post(targets="nobody@shop.example")
        accepted = r.context["draft"].digest
        r = self.post(targets="noone@shop.example", accepted=accepted)
        self.assertContains(r, "noone@shop.example is no mailbox", status_code=422)

    def test_a_mailbox_can_keep_a_copy(self) -> None:
        r = self.post(name="orders", targets="ext@elsewhere.example")
        self.assertContains(r, "this rule takes all of its mail", status_code=422)
        self.assertContains(r, "Keep a copy in the mailbox orders@", status_code=422)
        rule = self.created(
            self.post(name="orders", targets="ext@elsewhere.example", keep_copy="on")
        )
        self.assertEqual(rule.targets, ["ext@elsewhere.example", "orders@shop.example"])

    def test_silencing_a_domain_wants_its_name_typed(self) -> None:
        r = self.post(kind="any")
        self.assertContains(r, "mailboxes of shop.example get", status_code=422)
        accepted = r.context["draft"].digest
        for confirm in ("", "shop", "example.org"):
            r = self.post(kind="any", accepted=accepted, confirm=confirm)
            self.assertContains(r, "Type shop.example here", status_code=422)
        self.assertEqual(len(self.sandbox.calls), 0)
        rule = self.created(
            self.post(kind="any", accepted=accepted, confirm=" Shop.Example ")
        )
        self.assertEqual(rule.kind, "any")

    def test_what_purelymail_says_is_shown_with_the_form(self) -> None:
        self.fault("error", "createRoutingRule", message="Not on a Sunday.")
        r = self.post()
        self.assertContains(r, "Not on a Sunday.", status_code=422)
        self.assertContains(r, "ext@elsewhere.example", status_code=422)
        self.fault("silent_success", "createRoutingRule")
        self.assertContains(self.post(), "it is not there", status_code=502)

    def test_the_preview_says_what_would_happen(self) -> None:
        r = self.client.post("/routing/preview/", FORM, headers=HTMX)
        self.assertContains(r, "desk@shop.example</strong>")
        self.assertContains(r, "ext@elsewhere.example is outside this account.")
        self.assertTemplateNotUsed(r, "base.html")
        r = self.client.post("/routing/preview/", FORM | {"targets": ""})
        self.assertContains(r, "Mail to desk@shop.example goes to …")
        r = self.client.post("/routing/preview/", {"kind": "exact"})
        self.assertContains(r, "As soon as it is clear")

    def test_suggestions_are_mailboxes_that_one_may_see(self) -> None:
        def suggested(words: str) -> list[str]:
            found: list[str] = self.client.get(
                "/routing/targets/", {"q": words}
            ).json()["addresses"]
            return found

        self.assertEqual(suggested("ORDers@")[0], "orders@shop.example")
        self.assertEqual(suggested(""), [])
        self.assertEqual(len(suggested("a")), 8)
        self.client.force_login(self.lina)
        self.assertTrue(all(it.endswith("@shop.example") for it in suggested("a")))

    def test_limited_people_create_rules_in_their_domains_only(self) -> None:
        self.client.force_login(self.lina)
        r = self.post(domain="example.org")
        self.assertContains(r, "is not a domain of this account", status_code=422)
        r = self.post(targets="info@example.org")
        self.assertEqual(self.created(r).targets, ["info@example.org"])
