"""By the link for everybody, time tells nobody what is known or stored either."""

from __future__ import annotations

import itertools
import math
import random
import time
from collections import Counter
from unittest import mock

import pytest

from purelymanage.migrations.campaigns import limits
from purelymanage.migrations.models import SignIn
from purelymanage.migrations.views import gather
from tests.migrations.campaigns.cases import PASSWORD, WRONG, invite
from tests.migrations.campaigns.test_gather import FormTestCase

ROUNDS = 25
PACE = 0.1
# Beyond so many standard deviations lies one of ten thousand by chance.
UNLIKELY = 3.9


def deviation(one: list[float], other: list[float]) -> float:
    """Return how far the ranks of two samples are from those of one (Mann-Whitney)."""
    both = sorted([*one, *other])
    number = Counter(both)
    first = {value: both.index(value) for value in number}
    rank = {value: first[value] + (number[value] + 1) / 2 for value in number}
    n, m = len(one), len(other)
    total = sum(rank[value] for value in one)
    ties = sum(it**3 - it for it in number.values())
    size = n + m
    variance = n * m / 12 * (size + 1 - ties / (size * (size - 1)))
    return (total - n * (size + 1) / 2) / math.sqrt(variance) if variance else 0.0


class DeviationTests(FormTestCase):
    def test_it_finds_a_difference_of_a_part_of_the_noise(self) -> None:
        chance = random.Random(7)  # noqa: S311  # the same numbers each time
        one = [chance.gauss(0, 1) for _ in range(50)]
        other = [chance.gauss(1, 1) for _ in range(50)]
        self.assertGreater(abs(deviation(one, other)), UNLIKELY)
        self.assertLess(abs(deviation(one[::2], one[1::2])), 2)


@pytest.mark.slow
class TimeTests(FormTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(gather, "PACE", PACE))
        self.enterContext(mock.patch.object(limits, "AT_ONCE", 100))
        self.addresses = itertools.count()

    def address(self, kind: str) -> str:
        """Return an address of which that is so."""
        address = f"p{next(self.addresses)}@old.example"
        self.imap.passwords[address] = PASSWORD
        if kind != "unknown":
            invite(self.campaign, address)
        if kind == "done":
            self.send(address=address)
        return address

    def measure(self, password: str) -> dict[str, list[float]]:
        kinds = ["known", "unknown", "done"]
        found: dict[str, list[float]] = {kind: [] for kind in kinds}
        with mock.patch.object(gather, "PACE", 0.001):
            people = [(it, self.address(it)) for it in kinds * ROUNDS]
        # In any order, so that what else the machine does hits all of them alike.
        random.Random(8).shuffle(people)  # noqa: S311
        for kind, address in people:
            SignIn.objects.all().delete()
            began = time.monotonic()
            self.send(password, address=address)
            found[kind].append(time.monotonic() - began)
        return found

    def test_time_does_not_tell_them_apart(self) -> None:
        for password in (WRONG, PASSWORD):
            found = self.measure(password)
            for one, other in itertools.combinations(found, 2):
                with self.subTest(one=one, other=other, password=password):
                    far = deviation(found[one], found[other])
                    self.assertLess(abs(far), UNLIKELY, found)
