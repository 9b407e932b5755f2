"""What was sealed with a key that this process was not given."""

from __future__ import annotations

from django.utils import timezone

from purelymanage.migrations.campaigns import trying
from purelymanage.migrations.models import Campaign, Participant, Submission
from tests.migrations.campaigns.cases import GatherTestCase, invite
from tests.migrations.campaigns.people import hand_over

State = Submission.State


def without_key(sealed: str) -> str:
    return f"another:{sealed.partition(':')[2]}"


class MissingKeyTests(GatherTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.anna, _ = invite(self.campaign)

    def test_a_link_is_said_not_to_be_readable(self) -> None:
        Campaign.objects.update(token=without_key(self.campaign.token))
        Participant.objects.update(token=without_key(self.anna.token))
        self.client.force_login(self.olga)
        url = f"/migrations/campaigns/{self.campaign.pk}/"
        self.assertContains(self.client.get(url), "Not readable")
        r = self.client.post(f"{url}people/{self.anna.pk}/link/")
        self.assertContains(r, "/gather/")

    def test_a_password_waits_and_holds_up_no_other(self) -> None:
        (kept,) = hand_over([self.anna], state=State.WAITING)
        Submission.objects.update(secret=without_key(kept.secret))
        ben, _ = invite(self.campaign, "ben@old.example")
        hand_over([ben], state=State.WAITING)
        self.assertEqual(trying.try_kept(self.campaign.server_id), "2 tried")
        kept.refresh_from_db()
        self.assertEqual(kept.state, State.WAITING)
        assert kept.due_at is not None
        self.assertGreater(kept.due_at, timezone.now())
        theirs = Submission.objects.get(participant=ben)
        self.assertEqual(theirs.state, State.REFUSED)
