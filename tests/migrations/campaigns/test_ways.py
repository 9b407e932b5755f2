"""By which way a password came, and what may be believed of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from purelymanage.audit.models import Entry, OutgoingMail
from purelymanage.domains.models import Domain
from purelymanage.migrations.campaigns import limits, standing, trying
from purelymanage.migrations.campaigns.limits import Way, keys_of
from purelymanage.migrations.campaigns.states import with_state
from purelymanage.migrations.models import (
    Campaign,
    Job,
    Participant,
    SignIn,
    Submission,
)
from purelymanage.migrations.operations import submissions
from purelymanage.migrations.operations.invitations import to_remind
from purelymanage.migrations.operations.kept_submissions import (
    NOT_TAKEN,
    claim_kept,
)
from purelymanage.migrations.operations.launching import Wishes, launch
from purelymanage.migrations.operations.participants import remove_person
from purelymanage.migrations.operations.sign_ins import add_sign_in, end_sign_in
from tests.migrations.campaigns.cases import ANNA, PASSWORD, WRONG, invite
from tests.migrations.campaigns.test_trying import TryingTestCase

CameBy, State = Submission.CameBy, Submission.State
ADDED = import_module("purelymanage.migrations.migrations.0002_how_passwords_came")


def later() -> datetime:
    return timezone.now() + timedelta(hours=1)


class WayTestCase(TryingTestCase):
    anna: Participant

    def setUp(self) -> None:
        super().setUp()
        self.anna, self.own_token = invite(self.campaign)
        self.imap.passwords["eve"] = "eves"

    def keep(self, password: str = PASSWORD, **fields: Any) -> Submission:
        """Hand a password over while all places at the server are taken."""
        before = set(Submission.objects.values_list("pk", flat=True))
        with mock.patch.object(limits, "AT_ONCE", 0):
            self.hand_over(password, **fields)
        return Submission.objects.exclude(pk__in=before).get()


class NotedTests(WayTestCase):
    def test_what_is_right_says_how_it_came(self) -> None:
        for owner, way in ((None, CameBy.SHARED), (self.anna, CameBy.OWN)):
            self.hand_over(participant=owner)
            self.assertEqual(Submission.objects.get().came_by, way)

    def test_the_log_says_whose_login_it_was(self) -> None:
        self.keep("eves", user="eve")
        self.work()
        self.hand_over("eves", user="eve")
        said = f"took the password of eve for {ANNA} of Autumn move, which was right"
        found = Entry.objects.filter(event="campaign.submission_of_login")
        self.assertEqual([it.sentence for it in found], [said, said])

    def test_what_waits_says_it_as_well_and_where_it_came_from(self) -> None:
        for owner, way in ((None, CameBy.SHARED), (self.anna, CameBy.OWN)):
            kept = self.keep(participant=owner)
            self.assertEqual(kept.came_by, way)
            self.assertRegex(kept.client_key, r"^[0-9a-f]{48}$")
        self.work()
        self.assertEqual(Submission.objects.get().client_key, "")

    def test_what_was_added_for_somebody_is_known(self) -> None:
        submissions.add_on_behalf(
            participant=self.anna, user="eve", password="eves", actor=self.adam
        )
        kept = Submission.objects.get()
        self.assertEqual(kept.came_by, CameBy.ADDED)
        self.assertFalse(kept.is_doubtful)

    def test_a_login_beside_an_address_is_doubtful_by_the_link_for_everybody(
        self,
    ) -> None:
        for owner, user, doubtful in (
            (None, "eve", True),
            (None, "", False),
            (self.anna, "eve", False),
        ):
            Submission.objects.all().delete()
            kept = self.keep(user=user, participant=owner)
            self.assertEqual(kept.is_doubtful, doubtful)
            self.assertNotEqual(Submission.objects.beyond_doubt().exists(), doubtful)

    def test_rows_from_before_are_filled_in(self) -> None:
        self.keep()
        submissions.add_on_behalf(
            participant=self.anna, user=ANNA, password=PASSWORD, actor=self.adam
        )
        kept = Submission.objects.get(came_by=CameBy.ADDED)
        kept.came_by = CameBy.SHARED
        kept.save()
        with connection.schema_editor() as editor:
            for _ in range(2):
                ADDED.fill(apps, editor)
        found = Submission.objects.filter(came_by=CameBy.ADDED)
        self.assertEqual(found.get(), kept)

    def test_programs_from_before_go_on_writing_meanwhile(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO migrations_submission (uuid, participant_id, "
                '"user", secret, state, words, tries, made_at) VALUES '
                "(gen_random_uuid(), %s, 'eve', '', 'refused', '', 1, now())",
                [self.anna.pk],
            )
        # Of such a row least is believed.
        self.assertTrue(Submission.objects.get().is_doubtful)


class BelievedTests(WayTestCase):
    """The owner's comes before what a stranger wrote beside their address."""

    def user(self) -> str:
        right = self.anna.submissions.get(state=State.RIGHT)
        return right.source_user

    @pytest.mark.slow
    def test_a_login_of_another_leaves_what_the_owner_entered_to_be_tried(self) -> None:
        for owner in (None, self.anna):
            Submission.objects.all().delete()
            kept = self.keep(participant=owner)
            self.hand_over("eves", user="eve")
            self.assertEqual(self.user(), "eve")
            self.work()
            self.assertEqual(Submission.objects.get(), kept)
            self.assertEqual(self.user(), ANNA)

    def test_nor_does_a_worker_take_it_away(self) -> None:
        kept = self.keep()
        self.keep("eves", user="eve")
        Submission.objects.filter(pk=kept.pk).update(due_at=later())
        self.work()
        self.assertEqual(self.user(), "eve")
        self.assertTrue(Submission.objects.untried().filter(pk=kept.pk).exists())

    @pytest.mark.slow
    def test_by_a_link_of_ones_own_another_login_replaces_the_former(self) -> None:
        self.hand_over()
        self.keep("eves", user="eve", participant=self.anna)
        self.work()
        self.assertEqual(self.user(), "eve")
        # By the link for everybody it does not.
        self.imap.passwords["mallory"] = "mallorys"
        kept = self.keep("mallorys", user="mallory")
        self.work()
        self.assertEqual(self.user(), "eve")
        kept.refresh_from_db()
        self.assertEqual(kept.words, NOT_TAKEN)

    def test_it_does_not_undo_that_the_owner_has_withdrawn(self) -> None:
        self.hand_over(participant=self.anna)
        submissions.withdraw_submission(participant=self.anna)
        self.hand_over("eves", user="eve")
        self.keep("eves", user="eve")
        self.work()
        self.anna.refresh_from_db()
        self.assertIsNotNone(self.anna.withdrawn_at)
        self.assertEqual(standing.of(self.anna).what, "left")
        self.hand_over()
        self.anna.refresh_from_db()
        self.assertIsNone(self.anna.withdrawn_at)

    def test_it_does_not_bring_back_whom_somebody_took_off_the_list(self) -> None:
        remove_person(participant=self.anna, actor=self.adam)
        self.hand_over("eves", user="eve")
        kept = self.keep("eves", user="eve")
        self.work()
        kept.refresh_from_db()
        self.assertEqual((kept.state, kept.words), (State.REFUSED, NOT_TAKEN))
        self.anna.refresh_from_db()
        self.assertIsNotNone(self.anna.removed_at)
        r = self.client.get(f"/gather/{self.own_token}/")
        self.assertContains(r, "need not do anything", status_code=410)

    def test_what_is_added_for_somebody_leaves_theirs_to_be_tried(self) -> None:
        kept = self.keep()
        for password in (WRONG, "not-it-either"):
            submissions.add_on_behalf(
                participant=self.anna, user=ANNA, password=password, actor=self.adam
            )
        self.assertEqual(Submission.objects.count(), 2)
        self.assertEqual(self.work(), "2 tried")
        kept.refresh_from_db()
        self.assertEqual(kept.state, State.RIGHT)

    @pytest.mark.slow
    def test_after_the_launch_nobody_joins_with_the_login_of_another(self) -> None:
        Domain.objects.create(name="example.org")
        self.imap.passwords["ben@old.example"] = "bens"
        self.hand_over("bens", "ben@old.example")
        launch(campaign=self.campaign, wishes=Wishes(), actor=self.olga)
        self.hand_over("eves", user="eve")
        self.assertEqual(Job.objects.count(), 1)
        Submission.objects.filter(participant=self.anna).delete()
        self.keep("eves", user="eve")
        self.work()
        self.assertEqual((self.user(), Job.objects.count()), ("eve", 1))
        self.hand_over("eves", user="eve", participant=self.anna)
        self.assertEqual(Job.objects.count(), 1)
        # Once somebody has agreed to that login, it holds by any link.
        Submission.objects.update(vouched_at=timezone.now())
        self.hand_over("eves", user="eve")
        self.assertEqual(Job.objects.count(), 2)


class TurnTests(WayTestCase):
    """Guesses that wait do not make a worker leave the owner's own until later."""

    @pytest.mark.slow
    def test_they_use_up_no_tries_of_a_link_of_ones_own(self) -> None:
        for number in range(limits.PER_ADDRESS):
            self.keep(WRONG, client=f"198.51.100.{number}")
        self.work()
        self.assertEqual(self.imap.logins[ANNA], limits.PER_ADDRESS)
        self.keep()
        self.assertEqual(self.work(), "0 tried")
        self.keep(participant=self.anna)
        self.assertEqual(self.work(), "1 tried")
        self.assertEqual(self.states(), [State.RIGHT])

    def test_nor_when_all_of_a_link_are_used_up(self) -> None:
        server = self.campaign.server_id
        for number in range(limits.PER_LINK):
            user = f"x{number}"
            keys = keys_of(way=Way.WORKER, server_id=server, user=user, client=None)
            row = add_sign_in(self.campaign, keys, timezone.now())
            end_sign_in(row, SignIn.Outcome.REFUSED)
        self.keep(address="ben@old.example")
        submissions.add_on_behalf(
            participant=self.anna, user="eve", password="eves", actor=self.adam
        )
        self.assertEqual(self.work(), "1 tried")
        self.assertEqual(self.anna.submissions.get().state, State.RIGHT)

    def test_other_mailboxes_are_tried_like_those_of_strangers(self) -> None:
        for user in ("mallory", ""):
            kept = self.keep(WRONG, user=user, participant=self.anna)
            self.work()
            kept.refresh_from_db()
            self.assertEqual(kept.state, State.REFUSED)
        found = SignIn.objects.order_by("pk").values_list("address_key", flat=True)
        ways = [it.partition(":")[0] for it in found if it.startswith("worker")]
        self.assertEqual(ways, [Way.WORKER, Way.WORKER_OWN])

    def test_the_owners_comes_first(self) -> None:
        self.keep(WRONG)
        kept = self.keep(participant=self.anna)
        (claim,) = claim_kept(server_id=self.campaign.server_id, most=1)
        self.assertEqual(claim.submission, kept)


class ToldTests(WayTestCase):
    def mails(self) -> int:
        return OutgoingMail.objects.filter(recipient=ANNA).count()

    @pytest.mark.slow
    def test_nobody_is_written_to_for_the_login_of_another(self) -> None:
        for password in (WRONG, "eves"):
            kept = self.keep(password, user="eve")
            self.work()
            kept.refresh_from_db()
            self.assertNotIn(kept, Submission.objects.untried())
        self.keep(WRONG, user="mallory")
        Campaign.objects.update(ends_at=timezone.now())
        self.assertIn("1 too late", trying.sweep())
        self.assertEqual(self.mails(), 0)

    def test_nobody_whose_password_is_right_hears_of_guesses(self) -> None:
        self.hand_over()
        self.keep(WRONG)
        self.work()
        self.assertEqual(self.mails(), 0)
        # What they entered themselves, they want to know.
        self.keep(WRONG, participant=self.anna)
        self.work()
        self.assertEqual(self.mails(), 1)

    def test_who_entered_it_by_their_own_link_is_told(self) -> None:
        self.keep(WRONG, user="eve", participant=self.anna)
        self.work()
        self.assertEqual(self.mails(), 1)
        self.anna.refresh_from_db()
        self.assertIsNotNone(self.anna.refused_at)
        (shown,) = with_state(Participant.objects.all())
        self.assertEqual(shown.state, "refused")


class ShownTests(WayTestCase):
    """What a link of one's own, and the list of people, make of it."""

    def standing(self) -> standing.Standing:
        return standing.of(Participant.objects.get(pk=self.anna.pk))

    def state(self) -> str:
        (shown,) = with_state(Participant.objects.all())
        return str(shown.state)

    def settle(self, state: Submission.State) -> None:
        Submission.objects.update(state=state, due_at=None)

    def test_a_login_of_another_is_not_taken_for_ones_own(self) -> None:
        self.keep("eves", user="eve")
        for state in (State.WAITING, State.RIGHT):
            if state != State.WAITING:
                self.settle(state)
            self.assertEqual(self.standing().what, "left")
            # Whatever it is, one may have it erased.
            self.assertTrue(self.standing().can_withdraw)
        Submission.objects.update(secret="")
        self.settle(State.REFUSED)
        self.assertEqual(self.standing(), standing.Standing())

    def test_what_somebody_left_for_an_address_does_not_hide_the_form(self) -> None:
        self.keep(WRONG)
        path = f"/gather/{self.own_token}/"
        r = self.client.get(path)
        self.assertContains(r, "A password was entered already")
        self.assertContains(r, 'type="password"')
        self.assertContains(r, 'name="withdraw"')
        self.keep(participant=self.anna)
        r = self.client.get(path)
        self.assertContains(r, "We try the password later")
        self.assertNotContains(r, 'type="password"')

    def test_what_a_worker_found_wrong_is_shown_with_another_login_too(self) -> None:
        self.keep(WRONG, user="eve", participant=self.anna)
        self.work()
        self.assertEqual(self.standing().what, "refused")
        self.assertEqual(self.state(), "refused")

    @pytest.mark.slow
    def test_strangers_do_not_hide_that_a_password_is_needed(self) -> None:
        Domain.objects.create(name="example.org")
        self.hand_over(participant=self.anna)
        launch(campaign=self.campaign, wishes=Wishes(), actor=self.olga)
        Job.objects.update(login=Job.Login.WRONG)
        self.assertEqual(self.standing().what, "needed")
        for user in ("", "eve"):
            self.keep(WRONG, user=user)
            self.assertEqual(self.standing().what, "needed")
        self.keep(participant=self.anna)
        self.assertNotEqual(self.standing().what, "needed")

    @pytest.mark.slow
    def test_a_password_that_a_removed_copy_used_up_is_none(self) -> None:
        Domain.objects.create(name="example.org")
        self.hand_over(participant=self.anna)
        self.assertEqual((self.state(), self.standing().what), ("ready", "right"))
        launch(campaign=self.campaign, wishes=Wishes(), actor=self.olga)
        Job.objects.update(removed_at=timezone.now())
        self.assertEqual((self.state(), self.standing().what), ("used", ""))
        self.assertFalse(self.standing().can_withdraw)
        Campaign.objects.update(takes_late_ones=False)
        self.hand_over(participant=self.anna)
        self.assertEqual(self.state(), "ready")

    def test_whoever_has_no_password_left_is_reminded(self) -> None:
        long_ago = timezone.now() - timedelta(days=2)
        Participant.objects.update(invited_at=long_ago)

        def is_reminded() -> bool:
            return to_remind(self.campaign, timezone.now()).exists()

        self.hand_over("eves", user="eve")
        self.assertTrue(is_reminded())
        self.hand_over(participant=self.anna)
        self.assertFalse(is_reminded())
        Submission.objects.update(secret="")
        self.assertTrue(is_reminded())
