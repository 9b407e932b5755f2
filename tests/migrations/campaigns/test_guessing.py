"""What a stranger can find out or spoil by the link for everybody."""

from __future__ import annotations

from unittest import mock

from purelymanage.migrations.campaigns import limits
from purelymanage.migrations.campaigns.trying import Answer
from purelymanage.migrations.models import Participant, Submission
from purelymanage.migrations.operations import submissions
from purelymanage.migrations.operations.submissions import MOST_KEPT
from tests.migrations.campaigns.cases import ANNA, PASSWORD, WRONG, invite
from tests.migrations.campaigns.people import hand_over
from tests.migrations.campaigns.test_trying import TryingTestCase

GUESSER = "192.0.2.66"


class GuessingTests(TryingTestCase):
    def guesses(self, address: str) -> list[Answer]:
        return [
            self.hand_over(WRONG, address, client=GUESSER) for _ in range(MOST_KEPT + 2)
        ]

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
            self.assertEqual(participant.submissions.untried().count(), MOST_KEPT)
        # What came first is not displaced by what comes later.
        first = Submission.objects.filter(participant__address=ANNA).order_by("pk")[0]
        self.assertEqual(submissions.open_secret(first), PASSWORD)

    def test_what_is_beyond_the_limit_counts_against_its_place(self) -> None:
        with (
            mock.patch.object(limits, "AT_ONCE", 0),
            mock.patch.object(limits, "ANY_PER_CLIENT", MOST_KEPT + 1),
        ):
            self.assertEqual(self.guesses(ANNA)[-2:], [Answer.KEPT, Answer.TOO_OFTEN])

    def test_a_silent_server_makes_no_difference_either(self) -> None:
        self.imap.hangs_up = True
        with mock.patch.object(limits, "AT_ONCE", 0):
            self.hand_over()
        found = [self.guesses(it) for it in ("zoe@old.example", ANNA)]
        self.assertEqual(found[0], found[1])
