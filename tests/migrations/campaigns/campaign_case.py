"""A campaign that takes mailboxes of one server to the same names at the shop."""

from __future__ import annotations

from purelymanage.migrations.models import Campaign, Participant, Server
from tests.cast import CastTestCase
from tests.migrations.campaigns.people import add_campaign, add_people, hand_over


class CampaignCase(CastTestCase):
    server: Server
    campaign: Campaign

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.server = Server.objects.create(
            name="Old", host="imap.old.example", created_by=cls.adam
        )
        cls.campaign = add_campaign(cls.adam, cls.server)

    def hand_over(self, *addresses: str, **columns: str) -> list[Participant]:
        people = add_people(self.campaign, *addresses, **columns)
        hand_over(people)
        return people
