"""What a stranger can find out or spoil by the link for everybody."""

from __future__ import annotations

from unittest import mock

import pytest

from purelymanage.migrations.campaigns import limits, rooms
from purelymanage.migrations.campaigns.trying import Answer
from purelymanage.migrations.models import Participant, Submission
from purelymanage.migrations.operations import submissions
from tests.migrations.campaigns.cases import ANNA, PASSWORD, WRONG, invite
from tests.migrations.campaigns.people import hand_over
from tests.migrations.campaigns.test_trying import TryingTestCase

GUESSER = "192.0.2.66"
MOST = 3  # as so many are enough to see it


class GuessingTests(TryingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(rooms, "MOST_SHARED", MOST))

    def guesses(self, address: str) -> list[Answer]:
        return [self.hand_over(WRONG, address, client=GUESSER) for _ in range(MOST + 2)]

    @pytest.mark.slow
    def test_nobody_learns_whether_a_password_waits(self) -> None:
        for address in ("known@old.example", "done@old.example", ANNA):
            invite(self.campaign, address)
        hand_over(Participant.objects.filter(address="done@old.example"))
        with mock.patch.object(limits, "AT_ONCE", 0):
            for address in (ANNA, "zoe@old.example"):
                self.assertEqual(self.hand_over(address=address), Answer.KEPT)
            for address in (
                "unknown@old.example",
                "known@old.example",
                "done@old.example",
                "zoe@old.example",
                ANNA,
            ):
                with self.subTest(address=address):
                    self.assertEqual(set(self.guesses(address)), {Answer.KEPT})
        for participant in Participant.objects.all():
            self.assertEqual(participant.submissions.untried().count(), MOST)
        # What came first is not displaced by what comes later.
        first = Submission.objects.filter(participant__address=ANNA).order_by("pk")[0]
        self.assertEqual(submissions.open_secret(first), PASSWORD)

    def test_a_wrong_password_of_another_says_nothing_about_an_address(self) -> None:
        participant, _ = invite(self.campaign)
        answer = self.hand_over(WRONG, user="eve@old.example")
        self.assertEqual(answer, Answer.REFUSED)
        participant.refresh_from_db()
        self.assertIsNone(participant.refused_at)
        # Nor when a worker finds out.
        with mock.patch.object(limits, "AT_ONCE", 0):
            self.hand_over(WRONG, user="mallory")
        self.work()
        self.assertEqual(Submission.objects.get().state, Submission.State.REFUSED)
        participant.refresh_from_db()
        self.assertIsNone(participant.refused_at)

    def test_whose_own_password_is_wrong_is_seen(self) -> None:
        participant, _ = invite(self.campaign)
        # By a link of one's own it is one's own, whatever one is called there.
        for user, owner in (("", None), ("anna", participant)):
            Participant.objects.update(refused_at=None)
            answer = self.hand_over(WRONG, user=user, participant=owner)
            self.assertEqual(answer, Answer.REFUSED)
            participant.refresh_from_db()
            self.assertIsNotNone(participant.refused_at)

    def test_what_is_beyond_the_limit_counts_against_its_place(self) -> None:
        with (
            mock.patch.object(limits, "AT_ONCE", 0),
            mock.patch.object(limits, "ANY_PER_CLIENT", MOST + 1),
        ):
            self.assertEqual(self.guesses(ANNA)[-2:], [Answer.KEPT, Answer.TOO_OFTEN])

    def test_a_silent_server_makes_no_difference_either(self) -> None:
        self.imap.hangs_up = True
        with mock.patch.object(limits, "AT_ONCE", 0):
            self.hand_over()
        found = [self.guesses(it) for it in ("zoe@old.example", ANNA)]
        self.assertEqual(found[0], found[1])
