"""Nobody who guesses gets rid of what an owner has entered and what waits."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import SimpleTestCase

from purelymanage.migrations.campaigns.rooms import MOST_OTHERWISE, MOST_SHARED, Rooms
from purelymanage.migrations.models import Submission
from purelymanage.migrations.operations import submissions
from tests.migrations.campaigns.cases import PASSWORD, WRONG
from tests.migrations.campaigns.test_ways import CameBy, State, WayTestCase

MANY = 5 * MOST_SHARED


class RoomTests(SimpleTestCase):
    def setUp(self) -> None:
        self.rooms = Rooms([])
        self.waiting: list[Submission] = []

    def put(self, place: str = "guesser", **columns: Any) -> Submission:
        row = Submission(participant_id=1, client_key=place, **columns)
        self.waiting.append(row)
        if gone := self.rooms.put(row):
            self.waiting.remove(gone)
        return row

    def guess(self, number: int = MANY, **columns: Any) -> None:
        for _ in range(number):
            self.put(**columns)

    def test_however_many_guesses_come_before_and_after_it(self) -> None:
        self.guess()
        kept = self.put("owner")
        self.guess()
        self.assertIn(kept, self.waiting)
        self.assertEqual(len(self.waiting), MOST_SHARED)

    def test_nor_where_they_come_from_many_places(self) -> None:
        for number in range(MOST_SHARED - 1):
            self.guess(2, place=f"{number}")
        kept = self.put("owner")
        for number in range(MOST_SHARED - 1):
            self.guess(2, place=f"{number}")
        self.assertIn(kept, self.waiting)

    def test_at_the_same_place_the_first_and_the_last_stay(self) -> None:
        first = self.put()
        self.guess()
        last = self.put()
        self.guess(MOST_SHARED // 2 - 1)
        self.assertIn(first, self.waiting)
        self.assertIn(last, self.waiting)
        self.assertEqual(len(self.waiting), MOST_SHARED)

    def test_logins_of_others_take_no_place_of_the_address(self) -> None:
        kept = [self.put(f"{number}") for number in range(MOST_SHARED)]
        self.guess(user="eve")
        self.assertEqual(self.waiting[:MOST_SHARED], kept)

    def test_a_link_of_ones_own_has_places_of_its_own(self) -> None:
        shared = self.put()
        own = [self.put(came_by=CameBy.OWN) for _ in range(MOST_OTHERWISE + 1)]
        self.guess()
        # What one enters last is what one means.
        self.assertEqual(self.waiting[: len(own)], [shared, *own[1:]])

    def test_what_is_being_tried_stays(self) -> None:
        for _ in range(MOST_SHARED):
            self.put(state=State.TRYING)
        new = self.put()
        self.assertEqual(len(self.waiting), MOST_SHARED + 1)
        self.put()
        self.assertNotIn(new, self.waiting)


class KeptTests(WayTestCase):
    @pytest.mark.slow
    def test_guesses_do_not_keep_out_what_the_owner_enters(self) -> None:
        for _ in range(4):
            self.keep(WRONG, client="192.0.2.66")
        kept = self.keep()
        self.work()
        kept.refresh_from_db()
        self.assertEqual(kept.state, State.RIGHT)
        self.assertEqual(submissions.open_secret(kept), PASSWORD)

    def test_the_one_that_has_to_go_is_erased(self) -> None:
        first, *others = [self.keep(participant=self.anna) for _ in range(4)]
        found = Submission.objects.order_by("pk")
        self.assertEqual(list(found), others)
        self.assertNotIn(first, found)
