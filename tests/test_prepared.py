from __future__ import annotations

from threading import Thread

from django.db import connection
from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import Length

from purelymanage.mailboxes.models import Mailbox
from purelymanage.prepared import Prepared, PreparedSums, Slot
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


class PreparedSumsTests(CastTestCase):
    def test_they_are_those_of_aggregate_in_one_question(self) -> None:
        Mailbox.objects.bulk_create(
            Mailbox(address=f"{name}@{domain}", domain=domain)
            for name, domain in (("a", "one.example"), ("b", "one.example"), ("c", "d"))
        )
        sums = {
            "longest": Max("length"),
            "count": Count("pk", filter=Q(length__gt=1)),
            "all": Sum("length", default=0),
        }
        found = Mailbox.objects.annotate(length=Length("address"))
        with self.assertNumQueries(0):
            prepared = PreparedSums(found.filter(domain=Slot("domain")), **sums)
        for domain in ("one.example", "d", "none.example"):
            with self.assertNumQueries(1):
                answer = prepared.ask(domain=domain)
            plain = found.filter(domain=domain).aggregate(**sums)
            self.assertEqual(answer, plain)
