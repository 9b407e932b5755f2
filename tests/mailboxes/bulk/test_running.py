"""Bulk changes as the workers carry them out, whatever PurelyMail does meanwhile."""

from __future__ import annotations

from purelymanage.mailboxes.models import Bulk, BulkRow, HandOver, Mailbox
from tests.mailboxes.bulk.cases import ADDRESSES, BulkTestCase, slices_of

State = BulkRow.State


class CreatingTests(BulkTestCase):
    def test_each_row_becomes_a_mailbox_with_a_link(self) -> None:
        bulk = self.import_rows(3, self.adam)
        self.start(bulk, self.adam)
        self.assertEqual(self.made(), [])
        self.work()
        bulk.refresh_from_db()
        self.assertEqual(bulk.state, Bulk.State.DONE)
        self.assertEqual(self.counts(bulk), {State.DONE: 3})
        self.assertEqual(self.made(), sorted(ADDRESSES[:3]))
        self.assertTrue(all(map(self.has_usable_password, self.made())))
        self.assertFalse(bulk.rows.exclude(secret="").exists())
        self.assertEqual(bulk.rows.exclude(hand_over=None).count(), 3)
        self.assertEqual(self.events("mailbox.created").count(), 3)
        sentence = self.events("bulk.finished").get().sentence
        self.assertEqual(sentence, f"finished bulk change {bulk.pk}: 3 done")
        self.assertEqual(Mailbox.objects.filter(address__in=ADDRESSES).count(), 3)
        self.assertEqual(HandOver.objects.count(), 3)

    def test_it_is_worked_in_slices(self) -> None:
        bulk = self.import_rows(3, self.adam)
        self.start(bulk, self.adam)
        with slices_of(0):
            self.work(slices=1)
            self.assertEqual(self.counts(bulk), {State.DONE: 1, State.WAITING: 2})
            self.assertEqual(self.tasks().count(), 1)
            self.work()
        self.assertEqual(self.counts(bulk), {State.DONE: 3})
