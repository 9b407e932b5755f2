from __future__ import annotations

import json
from io import StringIO

from django.core.management import CommandError, call_command
from django.test import override_settings

from purelymanage.domains import tasks
from purelymanage.domains.models import Health
from tests.domains.clock import ClockTestCase


class RecheckDnsTests(ClockTestCase):
    def setUp(self) -> None:
        super().setUp()
        tasks.sync()

    def run_command(self, *arguments: str) -> tuple[str, int]:
        out, code = StringIO(), 0
        try:
            call_command("recheck_dns", *arguments, stdout=out)
        except SystemExit as exc:
            code = int(exc.code or 0)
        return out.getvalue(), code

    def test_it_prints_each_record(self) -> None:
        out, code = self.run_command("example.org")
        self.assertEqual(code, 0)
        self.assertIn("example.org: right", out)
        self.assertIn("  MX: right.", out)
        self.assertIn("  DKIM key 3: right.", out)

    def test_it_exits_with_one_if_anything_is_broken(self) -> None:
        out, code = self.run_command()
        self.assertEqual(code, 1)
        self.assertIn("shop.example: broken", out)
        self.assertIn("  DKIM key 3: missing.", out)
        self.assertIn("error: There are 2 SPF records. Set the merged", out)
        self.assertIn("waiting.example: broken", out)

    def test_what_it_saw_is_kept(self) -> None:
        self.run_command()
        states = dict(Health.objects.values_list("domain__name", "state"))
        self.assertEqual(states["example.org"], "good")
        self.assertEqual(states["shop.example"], "broken")

    def test_scripts_get_one_object(self) -> None:
        out, code = self.run_command("https://Shop.Example/", "--json")
        self.assertEqual(code, 1)
        found = json.loads(out)["shop.example"]
        self.assertEqual(found["state"], "broken")
        (key,) = [it for it in found["records"] if it["record"] == "dkim3"]
        self.assertEqual(key["state"], "missing")
        self.assertEqual(key["wanted"], "key3.dkimroot.purelymail.com")

    def test_a_domain_must_be_in_the_account(self) -> None:
        for name in ("new.example", "nonsense"):
            with self.assertRaises(CommandError) as caught:
                self.run_command("example.org", name)
            self.assertEqual(caught.exception.returncode, 2)

    def test_it_asks_purelymail_nothing(self) -> None:
        self.sandbox.calls.clear()
        self.run_command()
        self.assertEqual(self.sandbox.calls.total, 0)

    def test_a_resolver_that_is_none_is_named(self) -> None:
        with (
            override_settings(DNS_RESOLVERS=["dns.example"]),
            self.assertRaisesMessage(CommandError, "dns.example"),
        ):
            self.run_command()
