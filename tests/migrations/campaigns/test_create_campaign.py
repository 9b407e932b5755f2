from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone

from purelymanage.accounts.models.invitations import hash_token
from purelymanage.audit.models import Entry
from purelymanage.domains.models import Domain
from purelymanage.migrations.campaigns import links, texts
from purelymanage.migrations.forms.campaigns import WRITTEN
from purelymanage.migrations.models import Batch, Campaign, Participant, Server
from purelymanage.migrations.references import ELSEWHERE
from tests.account import add_campaign, add_server
from tests.cast import CastTestCase
from tests.migrations.campaigns.people import hand_over


def filled_in(to: Server, language: str = "en", **fields: Any) -> dict[str, Any]:
    usual = texts.of(language)
    return {
        "name": "Autumn move",
        "server": to.pk,
        "rule": "same",
        "destination_domain": "example.org",
        "days": "14",
        "language": language,
        "signed_by": "Example Ltd",
        "contact": "help@example.org",
        **{name: getattr(usual, name) for name in WRITTEN},
        **fields,
    }


class FormCase(CastTestCase):
    server: ClassVar[Server]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        for name in ("example.org", "shop.example"):
            Domain.objects.create(name=name)
        cls.server = add_server(cls.olga)

    def setUp(self) -> None:
        self.client.force_login(self.adam)


class CreateCampaignTests(FormCase):
    url = "/migrations/campaigns/new/"

    def send(self, **fields: Any) -> Any:
        return self.client.post(self.url, filled_in(self.server, **fields))

    def test_it_opens_a_campaign(self) -> None:
        r = self.send()
        campaign = Campaign.objects.get()
        self.assertRedirects(r, f"/migrations/campaigns/{campaign.pk}/")
        self.assertEqual(campaign.domains, ["example.org"])
        self.assertEqual(campaign.created_by, self.adam)
        left = campaign.ends_at - timezone.now()
        self.assertAlmostEqual(left / timedelta(days=1), 14, places=2)
        entry = Entry.objects.get(event="campaign.created")
        self.assertEqual(
            entry.sentence,
            "created the campaign Autumn move for mailboxes at Old provider",
        )

    def test_its_token_is_found_by_its_hash_and_kept_sealed(self) -> None:
        self.send()
        campaign = Campaign.objects.get()
        token = links.link_of(campaign).rstrip("/").rpartition("/")[2]
        self.assertEqual(len(token), 43)
        self.assertEqual(campaign.token_hash, hash_token(token))
        self.assertNotIn(token, campaign.token)
        self.assertEqual(Campaign.objects.of_token(token), campaign)

    def test_it_ends_after_one_of_four_times(self) -> None:
        r = self.client.get(self.url)
        for days in (3, 7, 14, 30):
            self.assertContains(r, f"{days} days</option>")
        self.assertContains(self.send(days="5"), "Choose one", status_code=422)

    def test_destinations_may_be_said_later(self) -> None:
        for rule in ("mapped", "reviewed"):
            self.send(rule=rule)
            campaign = Campaign.objects.latest("pk")
            self.assertEqual(
                (campaign.destination_domain, campaign.domains), ("", [""])
            )

    def test_the_same_name_needs_a_domain_of_the_account(self) -> None:
        for domain in ("", "elsewhere.example"):
            r = self.send(destination_domain=domain)
            self.assertEqual(r.status_code, 422)
        self.assertFalse(Campaign.objects.exists())

    def test_untouched_texts_follow_the_language(self) -> None:
        data = filled_in(self.server, purpose="We move.") | {"language": "de"}
        self.client.post(self.url, data)
        campaign = Campaign.objects.get()
        self.assertEqual(campaign.purpose, "We move.")
        self.assertIn("Ihre E-Mail zieht um", campaign.invitation_subject)
        self.assertIn("Guten Tag", campaign.reminder_text)

    def test_texts_of_a_language_can_be_looked_at_before(self) -> None:
        data = filled_in(self.server) | {"language": "de", "texts": "usual"}
        r = self.client.post(self.url, data)
        self.assertContains(r, "Guten Tag {name}")
        self.assertContains(r, 'value="Autumn move"')
        self.assertFalse(Campaign.objects.exists())

    def test_a_mail_names_only_what_there_is(self) -> None:
        r = self.send(invitation_text="Dear {first_name}, see {link}")
        self.assertContains(r, "There is no {first_name}.", status_code=422)
        r = self.send(reminder_text="Please answer.")
        self.assertContains(r, "The mail needs {link}", status_code=422)
        r = self.send(invitation_subject="{0.__class__}")
        self.assertContains(r, "There is no {0.__class__}.", status_code=422)
        self.assertFalse(Campaign.objects.exists())

    def test_who_is_limited_stays_within_their_domains(self) -> None:
        self.client.force_login(self.lina)
        self.assertEqual(self.send().status_code, 422)
        self.send(destination_domain="shop.example")
        self.send(rule="reviewed", destination_domain="shop.example")
        found = list(Campaign.objects.order_by("pk").values_list("domains", flat=True))
        self.assertEqual(found, [["shop.example"], ["shop.example"]])

    def test_the_log_counts_it_to_where_it_leads(self) -> None:
        self.send(destination_domain="shop.example")
        self.send(rule="reviewed")
        created = Entry.objects.filter(event="campaign.created").order_by("pk")
        domains = list(created.values_list("domain", flat=True))
        self.assertEqual(domains, ["shop.example", ELSEWHERE])

    def test_it_asks_for_a_server_first(self) -> None:
        Server.objects.all().delete()
        self.assertContains(self.client.get(self.url), "First the old server")

    def test_it_turns_away_everybody_else(self) -> None:
        for user in (self.hedy, self.audrey):
            self.client.force_login(user)
            self.assertEqual(self.send().status_code, 403)
        self.assertFalse(Campaign.objects.exists())


class EditCampaignTests(FormCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = add_campaign(self.server)
        self.url = f"/migrations/campaigns/{self.campaign.pk}/edit/"

    def send(self, **fields: Any) -> Any:
        data = filled_in(self.server, **{"days": "", **fields})
        return self.client.post(self.url, data)

    def test_it_changes_what_was_said(self) -> None:
        ends_at = self.campaign.ends_at
        self.send(name="Winter move", purpose="We move in winter.")
        self.campaign.refresh_from_db()
        self.assertEqual(self.campaign.name, "Winter move")
        self.assertEqual(self.campaign.ends_at, ends_at)
        entry = Entry.objects.get(event="campaign.changed")
        self.assertEqual(
            entry.details["changes"],
            "name from Autumn move to Winter move, the text of the purpose",
        )

    def test_nothing_changed_is_nothing_told(self) -> None:
        self.send()
        self.assertFalse(Entry.objects.filter(event="campaign.changed").exists())

    def test_it_may_end_later(self) -> None:
        self.send(days="30")
        self.campaign.refresh_from_db()
        left = self.campaign.ends_at - timezone.now()
        self.assertAlmostEqual(left / timedelta(days=1), 30, places=2)

    def test_its_server_stays_once_passwords_are_there(self) -> None:
        hand_over(self.campaign.participants.all()[:1])
        other = add_server(self.olga, name="Another")
        r = self.send(server=other.pk)
        self.assertContains(r, "handed over passwords", status_code=422)

    def test_its_server_stays_that_of_its_copies(self) -> None:
        Participant.objects.update(removed_at=timezone.now())
        Campaign.objects.update(
            batch=Batch.objects.create(server=self.server, created_by=self.olga),
            launched_at=timezone.now(),
        )
        r = self.send(server=add_server(self.olga, name="Another").pk)
        self.assertContains(r, "handed over passwords", status_code=422)

    def test_whose_it_is_follows_where_it_leads(self) -> None:
        for fields, domains in (
            ({"destination_domain": "shop.example"}, ["shop.example"]),
            ({"rule": "reviewed"}, [""]),
            ({}, ["example.org"]),
        ):
            self.send(**fields)
            self.campaign.refresh_from_db()
            self.assertEqual(self.campaign.domains, domains)

    def test_what_is_over_is_not_changed(self) -> None:
        Campaign.objects.update(ends_at=timezone.now())
        self.assertContains(self.client.get(self.url), "This campaign is over")
        r = self.send(name="Winter move", days="30")
        self.assertEqual(r.status_code, 422)
