from __future__ import annotations

from typing import Any, ClassVar

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from purelymanage.audit.models import Entry
from purelymanage.migrations.models import Campaign, Job, Participant, Server
from purelymanage.migrations.operations import invitations, participants
from tests.account import add_campaign, add_server
from tests.cast import CastTestCase
from tests.migrations.campaigns.people import hand_over

SURE = {"confirmed": "1"}


class PeopleCase(CastTestCase):
    server: ClassVar[Server]
    campaign: Campaign

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.server = add_server(cls.olga)
        cls.campaign = add_campaign(cls.server, rows=0)

    def setUp(self) -> None:
        self.client.force_login(self.adam)
        self.url = f"/migrations/campaigns/{self.campaign.pk}/"

    def add(self, table: str = "", **data: Any) -> Any:
        return self.client.post(f"{self.url}people/", {"table": table} | data)

    def listed(self) -> list[tuple[str, str, str]]:
        present = Participant.objects.present().order_by("address")
        return list(present.values_list("address", "name", "destination"))

    def events(self) -> list[str]:
        found = Entry.objects.filter(event__startswith="campaign.").order_by("pk")
        return [it.sentence for it in found]


class AddPeopleTests(PeopleCase):
    def test_addresses_are_enough(self) -> None:
        r = self.add("Anna@old.example\nben@old.example\n")
        self.assertRedirects(r, self.url)
        expected = [("anna@old.example", "", ""), ("ben@old.example", "", "")]
        self.assertEqual(self.listed(), expected)
        self.assertEqual(self.events(), ["put 2 people on the list of Autumn move"])

    def test_a_file_says_names_and_new_mailboxes(self) -> None:
        text = "Name;Old mailbox;New mailbox\nAnna A.;anna@old.example;a@example.org\n"
        file = SimpleUploadedFile("people.csv", text.encode())
        self.add(file=file)
        self.assertEqual(
            self.listed(), [("anna@old.example", "Anna A.", "a@example.org")]
        )

    def test_without_names_of_columns_they_go_by_what_they_hold(self) -> None:
        self.add("anna@old.example,a@example.org,Anna")
        self.assertEqual(self.listed(), [("anna@old.example", "Anna", "a@example.org")])

    def test_new_mailboxes_without_a_domain_take_that_of_the_campaign(self) -> None:
        r = self.add("old,new\nanna@old.example,office")
        self.assertContains(self.client.get(r["Location"]), "Not used: new.")
        self.add("old mailbox,new mailbox\nanna@old.example,office")
        self.assertEqual(
            self.listed(), [("anna@old.example", "", "office@example.org")]
        )

    def test_faulty_rows_are_left_out_and_shown(self) -> None:
        r = self.add("anna@old.example\nnobody\nanna@old.example\n")
        self.assertContains(r, "2 rows left out")
        self.assertContains(r, "1 person is new on the list.")
        self.assertContains(r, "more than once")
        self.assertContains(r, "<td>nobody</td>", html=True)
        self.assertEqual(len(self.listed()), 1)

    def test_a_list_of_recipients_is_taken_apart(self) -> None:
        self.add(
            'Anna <anna@old.example>, "Burg, Ben" <ben@old.example>;'
            "carl@old.example <carl@old.example>, dora@old.example\n\n"
            "Eva E. <eva@old.example>\n"
        )
        expected = [
            ("anna@old.example", "Anna", ""),
            ("ben@old.example", "Burg Ben", ""),
            ("carl@old.example", "", ""),
            ("dora@old.example", "", ""),
            ("eva@old.example", "Eva E.", ""),
        ]
        self.assertEqual(self.listed(), expected)

    def test_three_addresses_in_a_line_are_three_people(self) -> None:
        self.add("anna@old.example, ben@old.example, carl@old.example")
        people = [f"{it}@old.example" for it in ("anna", "ben", "carl")]
        self.assertEqual(self.listed(), [(it, "", "") for it in people])

    def test_two_addresses_in_a_line_are_the_old_and_the_new_mailbox(self) -> None:
        self.add("anna@old.example,a@example.org\nben@old.example,b@example.org")
        people = [
            (f"{it}@old.example", "", f"{it[0]}@example.org") for it in ("anna", "ben")
        ]
        self.assertEqual(self.listed(), people)

    def test_an_address_that_no_column_holds_is_left_out(self) -> None:
        long = f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}.example"
        r = self.add(f"{long}\nanna@old.example\n")
        self.assertContains(r, "longer than any address can be")
        self.assertEqual([it for it, _, _ in self.listed()], ["anna@old.example"])

    def test_a_table_with_passwords_is_not_taken(self) -> None:
        r = self.add("old mailbox,password\nanna@old.example,not-to-be-kept")
        self.assertContains(r, "has a column for passwords", status_code=422)
        self.assertEqual(self.listed(), [])

    def test_sending_it_twice_changes_nothing(self) -> None:
        for _ in range(2):
            r = self.add("anna@old.example,Anna\n")
        self.assertEqual(len(self.listed()), 1)
        self.assertEqual(len(self.events()), 1)
        self.assertContains(self.client.get(r["Location"]), "on the list already")

    def test_what_a_table_says_anew_is_taken_over(self) -> None:
        person = Participant.objects.create(
            campaign=self.campaign, address="anna@old.example"
        )
        self.add("anna@old.example,Anna,a@shop.example\n")
        person.refresh_from_db()
        self.assertTrue(person.is_listed)
        self.assertEqual((person.name, person.destination), ("Anna", "a@shop.example"))
        self.campaign.refresh_from_db()
        self.assertEqual(self.campaign.domains, ["example.org", "shop.example"])

    def test_a_mapping_says_whose_campaign_it_is(self) -> None:
        campaign = add_campaign(
            self.server, rows=0, rule="mapped", destination_domain="", domains=[""]
        )
        url = f"/migrations/campaigns/{campaign.pk}/people/"
        self.client.post(url, {"table": "anna@old.example,a@shop.example"})
        campaign.refresh_from_db()
        self.assertEqual(campaign.domains, ["shop.example"])
        self.client.force_login(self.lina)
        r = self.client.post(url, {"table": "ben@old.example,b@example.org"})
        self.assertContains(r, "not at one of your domains")

    @pytest.mark.slow
    def test_ten_thousand_fit_and_no_more(self) -> None:
        table = "\n".join(f"user{number}@old.example" for number in range(10_000))
        self.add(table)
        self.assertEqual(self.campaign.participants.count(), 10_000)
        r = self.add("one-more@old.example")
        self.assertContains(r, "at most 10\u202f000 people", status_code=422)
        r = self.client.get(f"{self.url}?q=user99&page=2")
        self.assertContains(r, "user9960@old.example")

    def test_nobody_joins_what_is_over(self) -> None:
        Campaign.objects.update(closed_at=self.campaign.created_at)
        self.assertContains(self.add("anna@old.example"), "is over", status_code=422)


class RemovePersonTests(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.add("anna@old.example")
        self.person = Participant.objects.get()
        self.path = f"{self.url}people/{self.person.pk}/"

    def test_what_was_handed_over_goes_with_them(self) -> None:
        hand_over([self.person])
        link = participants.show_link(participant=self.person, actor=self.adam)
        self.assertContains(self.client.get(f"{self.path}remove/"), "erased at once")
        r = self.client.post(f"{self.path}remove/", SURE, follow=True)
        self.assertContains(r, "anna@old.example was removed from Autumn move.")
        self.assertFalse(self.person.submissions.exists())
        self.assertEqual(self.events()[-1], "took anna@old.example out of Autumn move")
        path = link.removeprefix(settings.BASE_URL)
        self.assertContains(
            self.client.get(path), "need not do anything", status_code=410
        )
        # It opens nothing either when they come back.
        self.add("anna@old.example")
        self.assertEqual(self.client.get(path).status_code, 404)

    def test_they_come_back_as_somebody_new(self) -> None:
        Participant.objects.update(refused_at=self.campaign.created_at)
        self.client.post(f"{self.path}remove/", SURE)
        self.add("anna@old.example")
        self.person.refresh_from_db()
        self.assertIsNone(self.person.removed_at)
        self.assertIsNone(self.person.refused_at)
        self.assertContains(self.client.get(self.url), "Not invited")

    def test_who_is_being_copied_stays(self) -> None:
        job = Job.objects.create(
            server=self.server,
            source_user="anna@old.example",
            destination="anna@example.org",
            created_by=self.olga,
        )
        Participant.objects.update(job=job)
        r = self.client.post(f"{self.path}remove/", SURE, follow=True)
        self.assertContains(r, "is being copied already")
        self.assertEqual(len(self.listed()), 1)

        Job.objects.filter(pk=job.pk).update(removed_at=timezone.now())
        self.assertContains(self.client.get(self.url), f"{self.path}remove/")
        self.client.post(f"{self.path}invite/")
        self.assertEqual(invitations.send_due(), 1)
        self.client.post(f"{self.path}remove/", SURE)
        self.assertEqual(self.listed(), [])


class ShowLinkTests(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.add("anna@old.example")
        self.person = Participant.objects.get()
        self.path = f"{self.url}people/{self.person.pk}/link/"

    def test_it_is_shown_when_asked_for_and_the_log_says_so(self) -> None:
        self.assertEqual(self.client.get(self.path).status_code, 405)
        first, again = self.client.post(self.path), self.client.post(self.path)
        self.assertIn("no-store", first["Cache-Control"])
        self.assertRegex(first.content.decode(), r"/gather/[\w-]{43}/")
        self.assertEqual(first.context["link"], again.context["link"])
        sentence = "looked at the link of Autumn move for anna@old.example"
        self.assertEqual(self.events()[1:], [sentence, sentence])

    def test_one_whose_key_is_gone_is_made_anew(self) -> None:
        Participant.objects.update(token="9:AAAA", token_hash="0" * 64)
        Campaign.objects.update(token="9:AAAA")
        link = self.client.post(self.path).context["link"]
        token = link.rstrip("/").rpartition("/")[2]
        self.assertEqual(Participant.objects.of_token(token), self.person)
        self.assertContains(self.client.get(self.url), "Not readable")

    def test_it_is_nobody_elses(self) -> None:
        for user, status in ((self.audrey, 403), (self.lina, 404)):
            self.client.force_login(user)
            self.assertEqual(self.client.post(self.path).status_code, status)
