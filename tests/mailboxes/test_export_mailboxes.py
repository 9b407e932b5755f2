from __future__ import annotations

import csv
from io import StringIO

import pytest
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.mailboxes import exports
from purelymanage.mailboxes.models import Mailbox
from tests.account import add_deletion
from tests.cast import CastTestCase


class ExportMailboxesTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Mailbox.objects.create(
            address="anna@example.org",
            domain="example.org",
            two_factor=True,
            reset_allowed=False,
            recovery_methods=[{"type": "phone"}, {"type": "email"}],
            details_at=timezone.now(),
            tags=["sales", "berlin"],
            note='=HYPERLINK("http://evil.example")',
        )
        Mailbox.objects.create(address="ben@shop.example", domain="shop.example")
        add_deletion(cls.olga, "ben@shop.example")

    def setUp(self) -> None:
        self.client.force_login(self.olga)

    def rows(self, query: str = "") -> list[dict[str, str]]:
        r = self.client.get(f"/mailboxes/export/csv/{query}")
        self.assertEqual(r.status_code, 200)
        self.assertTrue(r.streaming)
        text = r.getvalue().decode("utf-8-sig")
        return list(csv.DictReader(StringIO(text)))

    def test_it_tells_all_there_is_to_know(self) -> None:
        anna, ben = self.rows()
        self.assertEqual(anna["Address"], "anna@example.org")
        self.assertEqual((anna["Two-factor"], anna["Reset allowed"]), ("yes", "no"))
        self.assertEqual(anna["Kinds of recovery"], "email, phone")
        self.assertEqual(anna["Tags"], "sales, berlin")
        self.assertEqual(anna["Deletion"], "")
        # Nobody has read its details: empty is not the same as no.
        self.assertEqual((ben["Two-factor"], ben["Kinds of recovery"]), ("", ""))
        self.assertEqual(ben["Deletion"], "waiting")
        self.assertTrue(ben["Deleted on"])
        self.assertEqual(list(anna), list(exports.HEADER))

    def test_no_cell_is_a_formula(self) -> None:
        note = self.rows("?q=anna")[0]["Note"]
        self.assertFalse(note.startswith("="))
        self.assertIn("HYPERLINK", note)

    def test_it_holds_what_the_filters_find(self) -> None:
        self.assertEqual(len(self.rows("?tag=sales")), 1)
        self.assertEqual(self.rows("?tag=sales&two_factor=off"), [])

    def test_it_is_written_down_with_the_filters(self) -> None:
        self.rows("?tag=sales")
        entry = Entry.objects.get(event="mailbox.exported")
        self.assertEqual(entry.sentence, "exported 1 mailbox: Tag sales")
        self.assertEqual(entry.actor_name, "olga@example.org")

    def test_limited_people_take_their_domains_along(self) -> None:
        self.client.force_login(self.hedy)
        self.assertEqual([it["Address"] for it in self.rows()], ["ben@shop.example"])
        self.assertEqual(self.rows("?domain=example.org"), [])

    @pytest.mark.slow
    def test_it_is_read_in_steps(self) -> None:
        Mailbox.objects.bulk_create(
            Mailbox(address=f"m{n:04}@big.example", domain="big.example")
            for n in range(exports.PER_STEP + 1)
        )
        rows = self.rows("?domain=big.example")
        self.assertEqual(len({row["Address"] for row in rows}), exports.PER_STEP + 1)
        with self.assertNumQueries(3):
            list(exports.as_csv(Mailbox.objects.filter(domain="big.example")))
