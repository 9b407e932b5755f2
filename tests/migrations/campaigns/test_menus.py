from __future__ import annotations

from django.utils import timezone

from purelymanage.audit.models import OutgoingMail
from purelymanage.migrations.campaigns import menus
from tests.migrations.campaigns.campaign_case import CampaignCase
from tests.migrations.campaigns.people import OLD, add_people

ANNA = f"o'anna@{OLD}"


class MenuTests(CampaignCase):
    def setUp(self) -> None:
        super().setUp()
        menus._drawn.cache_clear()
        self.anna, self.ben = add_people(self.campaign, ANNA, f"ben@{OLD}")
        self.url = f"/migrations/campaigns/{self.campaign.pk}/"

    def menu(self) -> str:
        return menus.menu_of(self.campaign, self.anna)

    def test_each_is_about_its_own_person(self) -> None:
        theirs = menus.menu_of(self.campaign, self.ben)
        self.assertIn(f"{self.url}people/{self.anna.pk}/destination/", self.menu())
        self.assertIn(f"{self.url}people/{self.ben.pk}/destination/", theirs)
        self.assertIn("Actions for o&#x27;anna@old.example", self.menu())
        for drawn in (self.menu(), theirs):
            self.assertNotIn(str(menus.KEY), drawn)
            self.assertNotIn(menus.SOMEBODY, drawn)
        self.assertEqual(menus._drawn.cache_info().misses, 1)

    def test_they_offer_what_can_be_done(self) -> None:
        self.assertIn("Invite</button>", self.menu())
        self.assertNotIn("came back", self.menu())
        sent = OutgoingMail(recipient=ANNA, state=OutgoingMail.State.SENT)
        self.anna.mail, self.anna.invited_at = sent, timezone.now()
        self.assertIn("Invite again</button>", self.menu())
        self.assertIn("came back", self.menu())
        self.anna.is_listed = False
        self.assertNotIn("Invite", self.menu())
        self.campaign.closed_at = timezone.now()
        self.assertNotIn("Show their link", self.menu())
        self.assertIn("Remove…", self.menu())

    def test_the_buttons_have_their_form_beside_the_list(self) -> None:
        self.client.force_login(self.adam)
        r = self.client.get(self.url)
        self.assertContains(r, '<form method="post" id="of-person">', count=1)
        self.assertContains(r, f'formaction="{self.url}people/{self.anna.pk}/link/"')
        self.client.force_login(self.audrey)
        r = self.client.get(self.url)
        self.assertNotContains(r, "of-person")
        self.assertNotContains(r, "Actions for")
