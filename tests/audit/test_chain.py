from __future__ import annotations

import itertools
import random
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import ClassVar

import pytest
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from purelymanage.audit import chain, log
from purelymanage.audit.events import Event
from purelymanage.audit.models import Agent, Entry
from purelymanage.audit.verification import Position, walk
from tests.cast import CastTestCase

THREADS = 8
EACH = 250


def write(count: int) -> None:
    with transaction.atomic():
        log.record_many(
            [
                log.note(
                    Event.MAILBOX_CREATED,
                    actor=Agent.PANEL,
                    target=f"box{number}@example.org",
                )
                for number in range(count)
            ]
        )


class ChainTests(CastTestCase):
    def test_entries_are_numbered_and_bound_to_the_one_before(self) -> None:
        write(3)
        log.record(Event.SIGNED_IN, actor=self.adam, target="adam@example.org")
        entries = list(Entry.objects.order_by("sequence"))
        self.assertEqual([entry.sequence for entry in entries], [1, 2, 3, 4])
        self.assertEqual(entries[0].previous_hmac, "")
        for before, after in itertools.pairwise(entries):
            self.assertEqual(after.previous_hmac, before.hmac)

    def test_all_that_an_entry_can_hold_survives_the_database(self) -> None:
        awkward = "ä\u2028😀\\\"'\n\t\0\ud800" + "x" * 3000
        addresses = ("198.51.100.7", "2001:DB8::00ff", "::ffff:198.51.100.7", None)
        for address in addresses:
            token = log.remote_address.set(address)
            log.record(
                Event.MAIL_GIVEN_UP,
                actor=self.adam,
                target="ada@example.org",
                subject=awkward,
                reason="",
            )
            log.remote_address.reset(token)
        found = walk()
        self.assertEqual((found.problem, found.position.sequence), ("", 4))
        self.assertEqual(Entry.objects.earliest("sequence").actor_role, "admin")

    def test_another_key_finds_nothing_right(self) -> None:
        write(2)
        with self.settings(AUDIT_KEY="another"):
            self.assertIn("Entry 1 (mailbox.created", walk().problem)

    def test_a_rolled_back_entry_leaves_no_gap(self) -> None:
        write(1)
        with self.assertRaises(ValueError), transaction.atomic():
            write(2)
            raise ValueError
        write(1)
        self.assertEqual(walk().position.sequence, 2)


class TamperingTests(TestCase):
    """Somebody may write to the database, but does not have the key."""

    whole: ClassVar[Position]

    @classmethod
    def setUpTestData(cls) -> None:
        write(10)
        cls.whole = walk().position

    def assert_broken(self, sequence: int, *known: Position) -> None:
        found = walk(known=known)
        self.assertRegex(found.problem, rf"^Entry {sequence} ")
        self.assertEqual(found.position.sequence, sequence - 1)

    def at(self, sequence: int) -> Entry:
        return Entry.objects.get(sequence=sequence)

    def test_an_untouched_chain_is_whole(self) -> None:
        self.assertEqual(walk(known=[self.whole]).problem, "")

    def test_every_edited_column_is_found(self) -> None:
        changes: dict[str, object] = {
            "event": "mailbox.vanished",
            "actor_name": "mallory@example.org",
            "actor_role": "owner",
            "target": "other@example.org",
            "domain": "shop.example",
            "details": {"reason": "x"},
            "diff": {"role": ["a", "b"]},
            "address": "203.0.113.9",
            "request_id": "0" * 32,
            "recorded_at": timezone.now() - timedelta(days=1),
            "previous_hmac": "0" * 64,
            "hmac": "0" * 64,
        }
        for name, value in changes.items():
            with self.subTest(name=name), undone():
                Entry.objects.filter(sequence=4).update(**{name: value})
                self.assert_broken(4)

    def test_no_column_is_left_out_of_the_seal(self) -> None:
        columns = {field.attname for field in Entry._meta.concrete_fields}
        self.assertEqual(columns - {"id", "previous_hmac", "hmac"}, set(chain.CONTENT))

    def test_a_deleted_entry_is_missed(self) -> None:
        self.at(4).delete()
        self.assert_broken(4)

    def test_so_is_the_first(self) -> None:
        self.at(1).delete()
        self.assert_broken(1)

    def test_a_deleted_entry_is_missed_where_the_rest_moved_up(self) -> None:
        self.at(4).delete()
        for sequence in range(5, 11):
            Entry.objects.filter(sequence=sequence).update(sequence=sequence - 1)
        self.assert_broken(4)

    def test_reordered_entries_are_found(self) -> None:
        Entry.objects.filter(sequence=7).update(sequence=-1)
        Entry.objects.filter(sequence=3).update(sequence=7)
        Entry.objects.filter(sequence=-1).update(sequence=3)
        self.assert_broken(3)

    def test_a_copied_entry_is_found(self) -> None:
        extra = self.at(10)
        extra.pk, extra.sequence = None, 11
        extra.save(force_insert=True)
        self.assert_broken(11)

    def test_a_cut_tail_is_missed_by_whoever_has_a_checkpoint(self) -> None:
        Entry.objects.filter(sequence__gt=8).delete()
        self.assertEqual(walk().problem, "")
        self.assert_broken(9, self.whole)

    def test_so_is_a_tail_that_was_written_anew(self) -> None:
        Entry.objects.filter(sequence__gt=8).delete()
        write(5)
        self.assert_broken(10, self.whole)
        self.assertEqual(walk().problem, "")

    def test_everything_gone_is_missed_as_well(self) -> None:
        Entry.objects.all().delete()
        self.assert_broken(1, self.whole)

    def test_a_walk_goes_on_where_it_stopped(self) -> None:
        half = self.at(5)
        self.at(2).delete()
        found = walk(since=Position(5, half.hmac), known=[self.whole])
        self.assertEqual((found.problem, found.position), ("", self.whole))

    def test_a_walk_out_of_time_says_where_it_is(self) -> None:
        found = walk(seconds=0)
        self.assertFalse(found.is_finished)
        self.assertEqual(found.position, self.whole)


@pytest.mark.slow
class ManyWritersTests(TransactionTestCase):
    def test_they_leave_a_chain_without_gaps(self) -> None:
        errors: list[Exception] = []

        def work(number: int) -> None:
            chance = random.Random(number)  # noqa: S311  # the same each time
            try:
                for _ in range(EACH):
                    write_one(number, fails=chance.random() < 0.1)
            except Exception as exc:  # told by the test below
                errors.append(exc)
            finally:
                connection.close()

        def write_one(number: int, *, fails: bool) -> None:
            if fails:
                with self.assertRaises(KeyError), transaction.atomic():
                    write(1)
                    raise KeyError
            write(1)

        threads = [threading.Thread(target=work, args=(it,)) for it in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual(errors, [])
        found = walk()
        self.assertEqual(found.problem, "")
        self.assertEqual(found.position.sequence, THREADS * EACH)
        self.assertEqual(Entry.objects.count(), THREADS * EACH)

    def test_memory_does_not_grow_with_the_chain(self) -> None:
        peaks = []
        for count in (5_000, 25_000):
            write(count)
            tracemalloc.start()
            walk()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        self.assertLess(peaks[1], peaks[0] * 1.3)


@contextmanager
def undone() -> Iterator[None]:
    """Take back what the block changed."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
