"""Whoever guesses is stopped before anything reaches the mail server."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from django.core.cache import cache
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.migrations.campaigns import limits
from purelymanage.migrations.campaigns.limits import Way, keys_of
from purelymanage.migrations.campaigns.trying import Answer
from purelymanage.migrations.models import Run, SignIn, Submission
from purelymanage.migrations.operations import sign_ins
from purelymanage.migrations.operations.submissions import Offer
from tests.account import add_job
from tests.migrations.campaigns.cases import (
    ANNA,
    PASSWORD,
    WRONG,
    invite,
    make_campaign,
)
from tests.migrations.campaigns.test_trying import TryingTestCase


class LimitTests(TryingTestCase):
    def setUp(self) -> None:
        super().setUp()
        cache.clear()

    def refuse(self, times: int, **fields: str) -> None:
        """Write that passwords were refused, each of another mailbox and place."""
        for number in range(times):
            keys = Offer(
                self.campaign,
                fields.get("address", f"x{number}@old.example"),
                "",
                client=fields.get("client", f"198.51.{number // 250}.{number % 250}"),
            ).keys
            self.add(keys, SignIn.Outcome.REFUSED)

    def add(self, keys: limits.Keys, outcome: SignIn.Outcome) -> None:
        row = sign_ins.add_sign_in(self.campaign, keys, timezone.now())
        sign_ins.end_sign_in(row, outcome)

    @pytest.mark.slow
    def test_of_one_mailbox_nothing_passes_after_five(self) -> None:
        for number in range(limits.PER_ADDRESS):
            client = f"192.0.2.{number}"
            self.assertEqual(self.hand_over(WRONG, client=client), Answer.REFUSED)
        for password in (WRONG, PASSWORD):
            self.assertEqual(
                self.hand_over(password, client="192.0.2.99"), Answer.TOO_OFTEN
            )
        # Whatever is written around the name.
        for address in ("ANNA@old.example", "anna+x@old.example"):
            self.assertEqual(self.hand_over(address=address), Answer.TOO_OFTEN)
        answer = self.hand_over(address="zoe@old.example", user=ANNA)
        self.assertEqual(answer, Answer.TOO_OFTEN)
        self.assertEqual(self.imap.logins.total(), limits.PER_ADDRESS)
        self.assertFalse(Submission.objects.exists())

        self.let_pass(minutes=15)
        self.assertEqual(self.hand_over(), Answer.RIGHT)

    def test_of_one_mailbox_nothing_passes_after_fifteen_a_day(self) -> None:
        for _ in range(limits.PER_ADDRESS_A_DAY // limits.PER_ADDRESS):
            self.refuse(limits.PER_ADDRESS, address=ANNA)
            self.let_pass(minutes=16)
        self.assertEqual(self.hand_over(), Answer.TOO_OFTEN)
        self.let_pass(hours=24)
        self.assertEqual(self.hand_over(), Answer.RIGHT)

    def free_in(self, client: str | None = None) -> timedelta:
        keys = Offer(self.campaign, ANNA, "", client=client).keys
        place = sign_ins.reserve_sign_in(campaign=self.campaign, keys=keys)
        assert isinstance(place, sign_ins.TooOften)
        return place.until - timezone.now()

    def test_it_is_told_when_a_mailbox_is_free_again(self) -> None:
        self.refuse(3, address=ANNA)
        self.let_pass(minutes=10)
        self.refuse(2, address=ANNA)
        minute = timedelta(minutes=1)
        self.assertAlmostEqual(self.free_in(), 5 * minute, delta=minute / 10)
        self.let_pass(minutes=5)
        self.refuse(8, address=ANNA)
        self.let_pass(minutes=16)
        self.refuse(2, address=ANNA)
        # The first of fifteen came 31 minutes ago.
        expected = timedelta(days=1) - 31 * minute
        self.assertAlmostEqual(self.free_in(), expected, delta=minute / 10)

    def test_it_is_told_when_a_place_is_free_again(self) -> None:
        self.refuse(1, client="192.0.2.7")
        self.let_pass(minutes=4)
        self.refuse(limits.PER_CLIENT - 1, client="192.0.2.7")
        left, second = timedelta(minutes=11), timedelta(seconds=6)
        self.assertAlmostEqual(self.free_in(client="192.0.2.7"), left, delta=second)

    @pytest.mark.slow
    def test_a_link_of_ones_own_is_not_used_up_by_others(self) -> None:
        participant, _ = invite(self.campaign)
        self.refuse(limits.PER_ADDRESS, address=ANNA)
        self.refuse(limits.PER_LINK)
        self.assertEqual(self.hand_over(), Answer.TOO_OFTEN)
        self.assertEqual(self.hand_over(participant=participant), Answer.RIGHT)
        for _ in range(limits.PER_ADDRESS):
            self.hand_over(WRONG, participant=participant)
        answer = self.hand_over(participant=participant)
        self.assertEqual(answer, Answer.TOO_OFTEN)

    def test_strangers_do_not_use_up_all_that_a_server_takes(self) -> None:
        participant, _ = invite(self.campaign)
        self.refuse(limits.PER_SERVER - limits.FOR_OWN_LINKS)
        other, _ = make_campaign(self.olga, server=self.campaign.server)
        self.assertEqual(self.hand_over(campaign=other), Answer.KEPT)
        self.assertEqual(self.imap.logins.total(), 0)
        self.assertEqual(self.hand_over(participant=participant), Answer.RIGHT)

    def test_a_link_of_ones_own_is_for_its_own_mailbox(self) -> None:
        participant, _ = invite(self.campaign)
        self.refuse(limits.PER_LINK)
        answer = self.hand_over(WRONG, user="zoe@old.example", participant=participant)
        self.assertEqual(answer, Answer.KEPT)
        self.assertEqual(self.imap.logins.total(), 0)

    def test_from_one_place_nothing_passes_after_forty(self) -> None:
        self.refuse(limits.PER_CLIENT, client="192.0.2.7")
        answer = self.hand_over(client="192.0.2.7")
        self.assertEqual(answer, Answer.TOO_OFTEN)
        self.assertEqual(self.hand_over(client="::ffff:192.0.2.7"), Answer.TOO_OFTEN)
        self.assertEqual(self.imap.logins.total(), 0)
        self.assertEqual(self.hand_over(client="192.0.2.8"), Answer.RIGHT)

    def test_one_customer_has_a_whole_network(self) -> None:
        self.refuse(limits.PER_CLIENT, client="2001:db8:1:2::7")
        answer = self.hand_over(client="2001:db8:1:2:aaaa::1")
        self.assertEqual(answer, Answer.TOO_OFTEN)
        self.assertEqual(self.hand_over(client="2001:db8:1:3::7"), Answer.RIGHT)

    @pytest.mark.slow
    def test_an_office_hands_over_hundreds_of_right_ones(self) -> None:
        keys = Offer(self.campaign, "x@old.example", "", client="192.0.2.7").keys
        for _ in range(300):
            self.add(keys, SignIn.Outcome.RIGHT)
        self.assertEqual(self.hand_over(), Answer.RIGHT)

    @pytest.mark.slow
    def test_after_too_many_of_a_link_nothing_is_tried_but_kept(self) -> None:
        self.refuse(limits.PER_LINK)
        self.assertEqual(self.hand_over(), Answer.KEPT)
        self.assertEqual(self.hand_over(WRONG, "zoe@old.example"), Answer.KEPT)
        self.assertEqual(self.imap.logins.total(), 0)
        events = list(Entry.objects.values_list("event", flat=True))
        self.assertEqual(events.count("campaign.limit_reached"), 1)
        # The workers have a budget of their own, so that honest people lose nothing.
        self.let_pass(minutes=15)
        self.assertEqual(self.work(), "2 tried")
        self.assertEqual(self.states(), ["right", "refused"])

    @pytest.mark.slow
    def test_the_workers_stop_as_well(self) -> None:
        self.refuse(limits.PER_LINK)
        self.hand_over()
        server = self.campaign.server_id
        for number in range(limits.PER_LINK):
            user = f"{number}@old.example"
            keys = keys_of(way=Way.WORKER, server_id=server, user=user, client=None)
            self.add(keys, SignIn.Outcome.REFUSED)
        self.let_pass(minutes=15)
        self.assertEqual(self.work(), "0 tried")
        self.assertEqual(self.imap.logins.total(), 0)
        self.let_pass(minutes=50)
        self.assertEqual(self.work(), "1 tried")

    def test_a_server_is_spared_over_all_campaigns(self) -> None:
        self.refuse(limits.PER_SERVER)
        other, _ = make_campaign(self.olga, server=self.campaign.server)
        participant, _ = invite(other)
        self.assertEqual(self.hand_over(campaign=other), Answer.KEPT)
        answer = self.hand_over(campaign=other, participant=participant)
        self.assertEqual(answer, Answer.KEPT)
        self.assertEqual(self.work(), "0 tried")
        self.assertEqual(self.imap.logins.total(), 0)

    def test_of_many_at_once_none_slips_through(self) -> None:
        keys = Offer(self.campaign, ANNA, "").keys
        places = [
            sign_ins.reserve_sign_in(campaign=self.campaign, keys=keys)
            for _ in range(limits.PER_ADDRESS + 1)
        ]
        kinds = [type(place) for place in places]
        self.assertEqual(kinds, [SignIn] * limits.PER_ADDRESS + [sign_ins.TooOften])

    def test_those_who_come_together_count_for_each_other(self) -> None:
        keys = [Offer(self.campaign, f"{it}", "", client="::1").keys for it in range(9)]
        with mock.patch.object(limits, "ANY_PER_CLIENT", 5):
            for passed in (3, 2):
                found = limits.too_often_of(keys[:3], timezone.now())
                self.assertEqual([it is None for it in found].count(True), passed)
                self.assertIsNone(found[0])
                sign_ins.note_untried(self.campaign, keys[:3], timezone.now())
            found = limits.too_often_of(keys[:1], timezone.now())
            self.assertIsNotNone(found[0])

    def test_copies_and_logins_count_at_the_server(self) -> None:
        server = self.campaign.server
        server.parallel_runs = 2
        server.save()
        now = timezone.now()
        self.assertEqual(limits.free_places(server, now), 2)
        job = add_job(server)
        run = Run.objects.get()
        Run.objects.filter(pk=run.pk).update(
            state="running", finished_at=None, lease_until=now + timedelta(minutes=1)
        )
        self.assertEqual(limits.free_places(server, now), 1)
        job.login, job.login_due_at = "trying", now + timedelta(minutes=1)
        job.save()
        self.assertEqual(limits.free_places(server, now), 0)

    def test_nothing_kept_says_who_it_was(self) -> None:
        self.hand_over()
        row = SignIn.objects.get()
        kept = f"{row.address_key} {row.client_key}"
        self.assertRegex(kept, r"^shared:[0-9a-f]{48} [0-9a-f]{48}$")

    def test_what_no_limit_looks_back_to_is_forgotten(self) -> None:
        self.hand_over()
        self.let_pass(hours=23)
        self.assertEqual(sign_ins.forget_sign_ins(), 0)
        self.let_pass(hours=2)
        self.assertEqual(sign_ins.forget_sign_ins(), 1)
