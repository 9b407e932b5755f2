from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core import mail
from django.utils import timezone
from django_q.models import OrmQ

from purelymanage.audit.models import Entry, OutgoingMail
from purelymanage.migrations.campaigns import keeping, limits, trying
from purelymanage.migrations.campaigns.trying import Answer
from purelymanage.migrations.models import (
    Campaign,
    Participant,
    Server,
    SignIn,
    Submission,
)
from purelymanage.migrations.operations import kept_submissions, submissions
from purelymanage.migrations.operations.sign_ins import end_sign_in, reserve_sign_in
from purelymanage.migrations.operations.submissions import Offer
from tests.migrations.campaigns.cases import (
    ANNA,
    PASSWORD,
    WRONG,
    GatherTestCase,
    invite,
)

STATES = Submission.State


class TryingTestCase(GatherTestCase):
    def hand_over(
        self, password: str = PASSWORD, address: str = ANNA, **fields: Any
    ) -> Answer:
        given: dict[str, Any] = {"campaign": self.campaign, "client": "192.0.2.7"}
        given |= fields
        offer = Offer(address=address, password=password, **given)
        return trying.hand_over(offer, until=0).answer

    def states(self) -> list[str]:
        rows = Submission.objects.order_by("pk")
        return list(rows.values_list("state", flat=True))

    def let_pass(self, **time: float) -> None:
        """As if all that happened so far had happened so much earlier."""
        by = timedelta(**time)
        for row in SignIn.objects.all():
            row.begun_at -= by
            row.holds_until -= by
            row.ended_at = row.ended_at and row.ended_at - by
            row.save()
        for submission in Submission.objects.untried():
            assert submission.due_at is not None
            submission.due_at -= by
            submission.save()

    def work(self) -> str:
        return trying.try_kept(self.campaign.server_id)


class HandOverTests(TryingTestCase):
    def test_what_is_right_is_kept_sealed(self) -> None:
        self.assertEqual(self.hand_over(), Answer.RIGHT)
        submission = Submission.objects.get()
        self.assertEqual(submission.state, STATES.RIGHT)
        self.assertIsNotNone(submission.agreed_at)
        self.assertNotIn(PASSWORD, submission.secret)
        self.assertEqual(submissions.open_secret(submission), PASSWORD)
        participant = Participant.objects.get()
        self.assertEqual(participant.address, ANNA)
        self.assertFalse(participant.is_listed)
        self.assertIsNotNone(participant.submitted_at)
        event = "campaign.submission_received"
        self.assertEqual(Entry.objects.get().event, event)
        self.assertEqual(Entry.objects.get().actor_name, "a stranger")

    def test_what_is_wrong_leaves_nothing(self) -> None:
        participant, _ = invite(self.campaign)
        self.assertEqual(self.hand_over(WRONG), Answer.REFUSED)
        self.assertEqual(self.hand_over(WRONG, "zoe@old.example"), Answer.REFUSED)
        self.assertFalse(Submission.objects.exists())
        self.assertEqual(Participant.objects.count(), 1)
        participant.refresh_from_db()
        self.assertIsNotNone(participant.refused_at)

    def test_a_right_one_takes_the_place_of_the_former(self) -> None:
        self.hand_over()
        self.imap.passwords[ANNA] = "the-newer-one"
        self.assertEqual(self.hand_over("the-newer-one"), Answer.RIGHT)
        submission = Submission.objects.get()
        self.assertEqual(submissions.open_secret(submission), "the-newer-one")

    def test_nobody_replaces_what_another_has_proved(self) -> None:
        self.imap.passwords["eve@old.example"] = "eves"
        self.hand_over()
        answer = self.hand_over("eves", user="eve@old.example")
        self.assertEqual(answer, Answer.RIGHT)
        self.assertEqual(Submission.objects.get().source_user, ANNA)
        newest = Entry.objects.order_by("-pk")[0]
        self.assertEqual(newest.event, "campaign.submission_left_out")
        # By a link of one's own, one may well have meant another user name.
        participant = Participant.objects.get()
        self.hand_over("eves", user="eve@old.example", participant=participant)
        self.assertEqual(Submission.objects.get().source_user, "eve@old.example")

    def test_nobody_comes_before_the_owner_with_another_name(self) -> None:
        self.imap.passwords["eve@old.example"] = "eves"
        self.hand_over("eves", user="eve@old.example")
        self.assertEqual(self.hand_over(), Answer.RIGHT)
        self.assertEqual(Submission.objects.get().source_user, ANNA)

    def test_what_was_tried_at_another_server_is_not_kept(self) -> None:
        offer = Offer(Campaign.objects.get(), ANNA, PASSWORD, client="192.0.2.7")
        place = reserve_sign_in(campaign=offer.campaign, keys=offer.keys)
        assert isinstance(place, SignIn)
        other = Server.objects.create(
            name="Another", host="192.0.2.1", created_by=self.olga
        )
        Campaign.objects.update(server=other)
        with self.assertRaises(submissions.Over):
            submissions.store_right(offer=offer, sign_in=place)

    def test_who_comes_back_has_no_link_of_their_own(self) -> None:
        _, token = invite(self.campaign, removed_at=timezone.now())
        self.hand_over()
        self.assertIsNone(Participant.objects.of_token(token))
        self.assertTrue(Participant.objects.present().exists())

    def test_nothing_is_taken_after_the_end(self) -> None:
        self.campaign.closed_at = timezone.now()
        self.campaign.save()
        self.assertEqual(self.hand_over(), Answer.OVER)
        self.assertFalse(Submission.objects.exists())

    def test_providers_without_passwords_are_told_apart(self) -> None:
        for preset, answer in (
            ("", Answer.REFUSED),
            ("gmail", Answer.APP_PASSWORD),
            ("microsoft365", Answer.NO_PASSWORDS),
        ):
            self.campaign.server.preset = preset
            address = f"zoe@{preset or 'old'}.example"
            self.assertEqual(self.hand_over(WRONG, address), answer)
        self.campaign.server.preset = ""
        self.imap.refusal = "[ALERT] Application-specific password required"
        self.assertEqual(self.hand_over(WRONG), Answer.APP_PASSWORD)

    def test_what_the_server_does_not_judge_is_kept(self) -> None:
        self.imap.hangs_up = True
        self.assertEqual(self.hand_over(), Answer.KEPT)
        submission = Submission.objects.get()
        self.assertEqual(submission.state, STATES.WAITING)
        assert submission.due_at is not None
        self.assertGreater(submission.due_at, timezone.now() + timedelta(seconds=20))
        self.assertEqual(Entry.objects.get().event, "campaign.submission_kept")

    def test_a_server_without_a_free_place_is_left_alone(self) -> None:
        self.campaign.server.parallel_runs = 1
        self.campaign.server.save()
        keys = Offer(self.campaign, ANNA, "").keys
        busy = reserve_sign_in(campaign=self.campaign, keys=keys)
        assert isinstance(busy, SignIn)
        self.assertEqual(self.hand_over(), Answer.KEPT)
        self.assertEqual(self.imap.logins.total(), 0)
        # Whoever holds a place for too long is not waited for.
        SignIn.objects.update(holds_until=timezone.now())
        self.assertEqual(self.hand_over(), Answer.RIGHT)

    def test_nobody_waits_for_a_server_that_is_silent(self) -> None:
        self.imap.hangs_up = True
        for number in range(limits.SILENT_AFTER + 2):
            address = f"{number}@old.example"
            self.assertEqual(self.hand_over(address=address), Answer.KEPT)
        self.assertEqual(self.imap.logins.total(), limits.SILENT_AFTER)
        self.let_pass(minutes=1)
        self.hand_over()
        self.assertEqual(self.imap.logins.total(), limits.SILENT_AFTER + 1)

    def test_strangers_do_not_fill_a_campaign_without_end(self) -> None:
        participant, _ = invite(self.campaign)
        self.imap.hangs_up = True
        with mock.patch.object(submissions, "MOST_WAITING", 2):
            for address, answer in (
                ("x@old.example", Answer.KEPT),
                ("y@old.example", Answer.KEPT),
                ("z@old.example", Answer.TOO_OFTEN),
                (ANNA, Answer.TOO_OFTEN),  # so that nobody learns who is listed
            ):
                self.assertEqual(self.hand_over(address=address), answer)
            self.assertEqual(self.hand_over(participant=participant), Answer.KEPT)
        self.assertEqual(Participant.objects.count(), 3)

    def test_what_is_kept_with_others_says_where_it_came_from(self) -> None:
        places = ["192.0.2.1", "192.0.2.2"]
        offers = [
            Offer(self.campaign, f"{it}@old.example", "", client=it) for it in places
        ]
        submissions.keep_untried(offers=offers, due_at=timezone.now())
        found = Entry.objects.order_by("pk").values_list("address", flat=True)
        self.assertEqual(list(found), places)

    def test_what_is_meant_for_another_server_is_not_kept_with_others(self) -> None:
        before = Offer(Campaign.objects.get(), ANNA, PASSWORD)
        other = Server.objects.create(
            name="Another", host="192.0.2.1", created_by=self.olga
        )
        Campaign.objects.update(server=other)
        now = Offer(Campaign.objects.get(), "zoe@old.example", PASSWORD)
        items = [keeping._Item(now), keeping._Item(before)]
        with mock.patch.object(keeping, "_items", items[:]):
            keeping._write_all()
        self.assertEqual([it.problem is None for it in items], [True, False])
        self.assertIsInstance(items[1].problem, submissions.Over)
        self.assertEqual(Participant.objects.get().address, "zoe@old.example")


class WorkerTests(TryingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.imap.hangs_up = True

    def keep(self, password: str = PASSWORD, address: str = ANNA) -> None:
        self.assertEqual(self.hand_over(password, address), Answer.KEPT)
        self.let_pass(minutes=1)

    def mails(self) -> list[tuple[str, str]]:
        rows = OutgoingMail.objects.order_by("pk")
        return list(rows.values_list("recipient", "subject"))

    def test_a_right_one_is_found_later(self) -> None:
        invite(self.campaign)
        self.keep()
        self.imap.hangs_up = False
        self.assertEqual(self.work(), "1 tried")
        self.assertEqual(self.states(), [STATES.RIGHT])
        self.assertIsNotNone(Participant.objects.get().submitted_at)
        self.assertEqual(self.mails(), [(ANNA, f"The password of {ANNA} is right")])
        events = set(Entry.objects.values_list("event", flat=True))
        self.assertIn("campaign.submission_opened", events)
        self.assertEqual(self.work(), "0 tried")

    def test_a_wrong_one_is_erased_and_told(self) -> None:
        self.campaign.language = "de"
        self.campaign.save()
        invite(self.campaign)
        self.keep(WRONG)
        self.imap.hangs_up = False
        self.work()
        submission = Submission.objects.get()
        self.assertEqual((submission.state, submission.secret), (STATES.REFUSED, ""))
        subject = f"Das Passwort von {ANNA} wurde abgelehnt"
        self.assertEqual(self.mails(), [(ANNA, subject)])

    def test_the_same_is_not_told_twice_a_day(self) -> None:
        invite(self.campaign)
        for _ in range(2):
            self.imap.hangs_up = True
            self.keep(WRONG)
            self.imap.hangs_up = False
            self.work()
        self.assertEqual(len(self.mails()), 1)

    def test_strangers_cannot_make_the_panel_write_to_anybody(self) -> None:
        self.keep(WRONG, "victim@elsewhere.example")
        self.imap.hangs_up = False
        self.work()
        self.assertEqual(self.states(), [STATES.REFUSED])
        self.assertEqual((self.mails(), mail.outbox), ([], []))

    @pytest.mark.slow
    def test_it_goes_on_until_the_end(self) -> None:
        invite(self.campaign)
        self.keep()
        for tries in range(2, 8):
            self.assertEqual(self.work(), "1 tried")
            submission = Submission.objects.get()
            self.assertEqual(submission.tries, tries)
            self.assertEqual(submission.state, STATES.WAITING)
            self.let_pass(hours=1)
        self.campaign.ends_at = timezone.now()
        self.campaign.save()
        self.assertEqual(self.work(), "0 tried")
        self.assertIn("1 too late", trying.sweep())
        submission = Submission.objects.get()
        self.assertEqual((submission.state, submission.secret), (STATES.UNANSWERED, ""))
        self.assertIn("could not be tried", self.mails()[0][1])

    def test_closing_ends_all_mail(self) -> None:
        invite(self.campaign)
        self.keep()
        self.campaign.closed_at = timezone.now()
        self.campaign.save()
        self.assertIn("1 too late", trying.sweep())
        self.assertEqual(self.mails(), [])

    def test_what_is_tried_while_it_is_closed_is_not_told(self) -> None:
        invite(self.campaign)
        self.keep(WRONG)
        self.imap.hangs_up = False
        (claim,) = kept_submissions.claim_kept(
            server_id=self.campaign.server_id, most=1
        )
        Campaign.objects.update(closed_at=timezone.now())
        refused = kept_submissions.Verdict(SignIn.Outcome.REFUSED)
        kept_submissions.settle_kept(claim=claim, verdict=refused)
        self.assertEqual(self.mails(), [])

    def test_the_former_stays_until_the_newer_is_found_right(self) -> None:
        self.imap.hangs_up = False
        self.hand_over()
        self.imap.hangs_up = True
        self.keep(WRONG)
        self.imap.hangs_up = False
        self.work()
        self.assertEqual(self.states(), [STATES.RIGHT, STATES.REFUSED])
        self.imap.hangs_up = True
        self.keep("the-newer-one")
        self.imap.hangs_up, self.imap.passwords[ANNA] = False, "the-newer-one"
        self.work()
        right = Submission.objects.get(state=STATES.RIGHT)
        self.assertEqual(submissions.open_secret(right), "the-newer-one")

    def test_who_was_withdrawn_meanwhile_is_forgotten(self) -> None:
        participant, _ = invite(self.campaign)
        self.keep()
        server = self.campaign.server_id
        claim = kept_submissions.claim_kept(server_id=server, most=1)[0]
        submissions.withdraw_submission(participant=participant)
        right = kept_submissions.Verdict(SignIn.Outcome.RIGHT)
        self.assertIsNone(kept_submissions.settle_kept(claim=claim, verdict=right))
        self.assertFalse(Submission.objects.exists())
        participant.refresh_from_db()
        self.assertIsNone(participant.submitted_at)
        self.assertIsNotNone(participant.withdrawn_at)

    def test_a_worker_waits_while_owners_have_all_places(self) -> None:
        self.keep()
        self.imap.hangs_up = False
        Server.objects.update(parallel_runs=1)
        keys = Offer(self.campaign, "zoe@old.example", "").keys
        place = reserve_sign_in(campaign=self.campaign, keys=keys)
        assert isinstance(place, SignIn)

        def give_back(_seconds: float) -> None:
            self.assertEqual(self.imap.logins.total(), tried)
            end_sign_in(place, SignIn.Outcome.RIGHT)

        tried = self.imap.logins.total()
        with mock.patch("time.sleep", give_back):
            self.assertEqual(self.work(), "1 tried")

    def test_a_worker_does_not_wait_for_another(self) -> None:
        self.keep()
        Server.objects.update(parallel_runs=1)
        keys = replace(Offer(self.campaign, ANNA, "").keys, address="worker:x")
        reserve_sign_in(campaign=self.campaign, keys=keys)
        with mock.patch("time.sleep", side_effect=AssertionError):
            self.assertEqual(self.work(), "0 tried")

    def test_a_dead_worker_is_followed_by_another(self) -> None:
        self.keep()
        server = self.campaign.server_id
        self.assertEqual(len(kept_submissions.claim_kept(server_id=server, most=9)), 1)
        self.assertEqual(kept_submissions.claim_kept(server_id=server, most=9), [])
        self.assertEqual(kept_submissions.due_servers(), [])
        self.let_pass(minutes=2)
        OrmQ.objects.all().delete()
        self.assertIn("1 servers", trying.sweep())
        self.assertEqual(OrmQ.objects.count(), 1)
        self.imap.hangs_up = False
        self.assertEqual(self.work(), "1 tried")

    def test_one_added_by_somebody_is_tried_by_a_worker(self) -> None:
        self.imap.hangs_up = False
        participant, _ = invite(self.campaign)
        submissions.add_on_behalf(
            participant=participant, user=ANNA, password=PASSWORD, actor=self.adam
        )
        self.assertEqual(OrmQ.objects.count(), 1)
        self.assertEqual(self.work(), "1 tried")
        submission = Submission.objects.get()
        self.assertEqual((submission.user, submission.agreed_at), ("", None))
        self.assertEqual(submission.state, STATES.RIGHT)

    def test_listed_people_come_first(self) -> None:
        self.keep(address="zoe@old.example")
        self.keep()
        Participant.objects.filter(address=ANNA).update(is_listed=True)
        server = self.campaign.server_id
        claim = kept_submissions.claim_kept(server_id=server, most=1)[0]
        self.assertEqual(claim.submission.source_user, ANNA)
