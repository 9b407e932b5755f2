from __future__ import annotations

from threading import Thread
from typing import ClassVar

from django.apps.registry import Apps
from django.db import connection, models
from django.db.models import Count
from django.db.models.functions import Length

from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.together import Together
from purelymanage.prepared import KeptRows, Prepared, Slot, for_keys, key_slots
from tests.cast import CastTestCase


class PreparedTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Mailbox.objects.bulk_create(
            Mailbox(address=f"{name}@{domain}", domain=domain)
            for domain in ("one.example", "two.example")
            for name in ("anna", "ben")
        )

    def test_it_is_asked_with_other_values(self) -> None:
        found = Mailbox.objects.filter(domain=Slot("domain")).order_by("address")
        prepared = Prepared(found)
        for domain in ("one.example", "two.example"):
            with self.assertNumQueries(1):
                answer = prepared.ask(domain=domain)
            expected = [f"anna@{domain}", f"ben@{domain}"]
            self.assertEqual([it.address for it in answer], expected)
        self.assertIsNone(prepared.first(domain="'; --"))

    def test_it_is_worded_once(self) -> None:
        prepared = Prepared(Mailbox.objects.filter(address=Slot("address")))
        prepared.ask(address="anna@one.example")
        # A statement that is put into words asks each of its parts.
        Slot.as_sql, kept = None, Slot.as_sql  # type: ignore[method-assign, assignment]
        try:
            [anna] = prepared.ask(address="anna@two.example")
        finally:
            Slot.as_sql = kept  # type: ignore[method-assign]
        self.assertEqual(anna.address, "anna@two.example")

    def test_it_answers_with_whatever_a_queryset_does(self) -> None:
        counts = Mailbox.objects.filter(address__startswith="anna").values_list(
            "domain", Count("pk")
        )
        self.assertIn(("one.example", 1), Prepared(counts).ask())
        found = Mailbox.objects.filter(address=Slot("address")).only("domain")
        [anna] = Prepared(found).ask(address="anna@one.example")
        self.assertIn("address", anna.get_deferred_fields())

    def test_each_thread_asks_over_its_own_connection(self) -> None:
        prepared = Prepared(Mailbox.objects.filter(address=Slot("address")))
        seen = []

        def ask() -> None:
            # What this test has written is not committed, so that others find nothing.
            seen.append(prepared.ask(address="anna@one.example"))
            connection.close()

        other = Thread(target=ask)
        other.start()
        other.join()
        self.assertEqual(seen, [[]])
        self.assertTrue(prepared.ask(address="anna@one.example"))


class Kept(models.Model):
    """Mailboxes as a question keeps them: of no table."""

    address = models.TextField(primary_key=True)
    length = models.IntegerField()

    objects: ClassVar[models.Manager[Kept]] = models.Manager()

    class Meta:
        app_label = "tests"
        apps = Apps()
        managed = False
        db_table = "kept"

    def __str__(self) -> str:
        return self.address


class KeptRowsTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Mailbox.objects.bulk_create(
            Mailbox(address=f"{name}@{domain}", domain=domain)
            for name, domain in [
                ("a", "one.example"),
                ("bb", "one.example"),
                ("c", "d"),
            ]
        )

    def setUp(self) -> None:
        super().setUp()
        found = Mailbox.objects.annotate(length=Length("address"))
        some = found.filter(domain=Slot("domain"))
        self.rows = KeptRows("kept", some.values("address", "length"))

    def test_they_are_found_once_for_all_that_is_asked_about_them(self) -> None:
        longest = Kept.objects.order_by("-length").values_list("address")[:1]
        count = Kept.objects.values_list("length").annotate(Count("pk"))
        together = Together(longest, count.order_by("length"), over=self.rows)
        with self.assertNumQueries(1):
            answer = together.read(domain="one.example")
        self.assertEqual(answer, [[["bb@one.example"]], [[13, 1], [14, 1]]])
        self.assertEqual(together.read(domain="d"), [[["c@d"]], [[3, 1]]])

    def test_what_is_asked_of_them_has_values_of_its_own(self) -> None:
        short = Kept.objects.filter(length__lt=Slot("length")).values_list("address")
        prepared = Prepared(short, over=self.rows)
        with self.assertNumQueries(2):
            found = prepared.ask(domain="one.example", length=14)
            self.assertEqual(found, [("a@one.example",)])
            self.assertEqual(prepared.ask(domain="d", length=3), [])


class KeySlotsTests(CastTestCase):
    def test_keys_fill_as_many_slots_as_there_are(self) -> None:
        prepared = Prepared(Mailbox.objects.filter(pk__in=key_slots(3)))
        anna = Mailbox.objects.create(address="anna@d.example", domain="d.example")
        self.assertEqual(prepared.ask(**for_keys([anna.pk], 3)), [anna])
        self.assertEqual(prepared.ask(**for_keys([], 3)), [])
