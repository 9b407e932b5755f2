from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from purelymanage.accounts.models import Invitation, PersonSession, User
from purelymanage.accounts.operations import people
from purelymanage.accounts.permissions import Right, Role
from purelymanage.audit.events import Event
from purelymanage.audit.models import Entry
from purelymanage.domains.models import Domain
from purelymanage.errors import Refused
from tests.account import add_invitation
from tests.cast import PASSWORD, CastTestCase
from tests.proof import prove

LIST = "/settings/people/"


class PeopleTestCase(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Domain.objects.create(name="shop.example")
        Domain.objects.create(name="example.org")

    def setUp(self) -> None:
        self.client.force_login(self.olga)
        prove(self.client)

    def make_owner(self) -> User:
        return User.objects.create_user("omar@example.org", PASSWORD, role=Role.OWNER)

    def events(self) -> list[str]:
        entries = Entry.objects.exclude(event=Event.SIGNED_IN).order_by("pk")
        return list(entries.values_list("event", flat=True))


class PersonListTests(PeopleTestCase):
    def test_it_tells_roles_domains_and_states(self) -> None:
        User.objects.filter(pk=self.adam.pk).update(is_active=False)
        add_invitation(self.olga, email="nina@example.org")
        r = self.client.get(LIST)
        self.assertContains(r, "nina@example.org")
        self.assertContains(r, "Invited")
        self.assertContains(r, "No access", count=1)
        self.assertContains(r, "shop.example")
        self.assertContains(r, "Auditor")

    def test_more_people_take_no_more_queries(self) -> None:
        with CaptureQueriesContext(connection) as before:
            self.client.get(LIST)
        for number in range(20):
            User.objects.create_user(f"p{number}@example.org", None, role=Role.ADMIN)
            add_invitation(
                self.olga, email=f"i{number}@example.org", token_hash=str(number)
            )
        with self.assertNumQueries(len(before)):
            self.client.get(LIST)


class ChangeRightsTests(PeopleTestCase):
    def change(self, person: User, **form: object) -> int:
        return self.client.post(f"{LIST}{person.pk}/", form).status_code

    def test_an_owner_gives_a_role_and_domains(self) -> None:
        form = {"role": "helpdesk", "scope": "some", "domains": ["shop.example"]}
        r = self.client.post(f"{LIST}{self.adam.pk}/", form)
        self.assertRedirects(r, LIST)
        self.adam.refresh_from_db()
        self.assertEqual(self.adam.role, Role.HELPDESK)
        self.assertEqual(self.adam.domain_scope, ["shop.example"])
        entry = Entry.objects.get(event=Event.RIGHTS_CHANGED)
        self.assertEqual(
            entry.sentence,
            "changed the rights of adam@example.org: role from Administrator to "
            "Helpdesk, domains from all to shop.example",
        )
        self.assertEqual(entry.diff["role"], ["Administrator", "Helpdesk"])

    def test_all_domains_lift_a_limit(self) -> None:
        self.change(self.lina, role="admin", scope="all", domains=["shop.example"])
        self.lina.refresh_from_db()
        self.assertIsNone(self.lina.domain_scope)

    def test_some_domains_are_at_least_one(self) -> None:
        r = self.client.post(
            f"{LIST}{self.adam.pk}/", {"role": "admin", "scope": "some"}
        )
        self.assertContains(r, "Choose at least one domain", status_code=422)

    def test_only_known_domains_can_be_chosen(self) -> None:
        form = {"role": "admin", "scope": "some", "domains": ["nowhere.example"]}
        self.assertEqual(self.change(self.adam, **form), 422)

    def test_a_domain_that_is_gone_stays_a_choice_for_those_who_have_it(self) -> None:
        Domain.objects.all().delete()
        r = self.client.get(f"{LIST}{self.lina.pk}/")
        self.assertContains(r, 'value="shop.example"')

    def test_the_page_tells_what_happened(self) -> None:
        self.change(self.adam, role="auditor", scope="all")
        r = self.client.get(f"{LIST}{self.adam.pk}/")
        self.assertContains(r, "role from Administrator to Auditor")

    def test_nothing_changed_is_nothing_recorded(self) -> None:
        self.change(self.adam, role="admin", scope="all")
        self.assertEqual(self.events(), [])

    def test_the_form_shows_what_somebody_has(self) -> None:
        r = self.client.get(f"{LIST}{self.lina.pk}/")
        self.assertEqual(r.context["form"]["scope"].value(), "some")
        self.assertEqual(r.context["form"]["role"].value(), "admin")

    def test_nobody_changes_their_own_rights(self) -> None:
        self.make_owner()
        r = self.client.post(
            f"{LIST}{self.olga.pk}/", {"role": "admin", "scope": "all"}
        )
        self.assertContains(r, "Ask another owner", status_code=422)
        self.olga.refresh_from_db()
        self.assertEqual(self.olga.role, Role.OWNER)

    def test_one_of_two_owners_can_be_demoted(self) -> None:
        omar = self.make_owner()
        self.assertEqual(self.change(omar, role="admin", scope="all"), 302)

    def test_the_last_owner_stays_owner(self) -> None:
        for role, scope in ((Role.ADMIN, None), (Role.OWNER, ["shop.example"])):
            with self.assertRaisesMessage(Refused, "the last owner"):
                people.change_rights(
                    person=self.olga, role=role, domain_scope=scope, actor=self.olga
                )

    def test_owners_without_access_or_with_limits_do_not_count(self) -> None:
        omar, oona = self.make_owner(), self.adam
        User.objects.filter(pk=omar.pk).update(is_active=False)
        User.objects.filter(pk=oona.pk).update(role=Role.OWNER, domain_scope=["a.test"])
        with self.assertRaisesMessage(Refused, "the last owner"):
            people.deactivate_person(person=self.olga, actor=self.olga)

    def test_whoever_lost_the_right_is_refused(self) -> None:
        omar = self.make_owner()
        people.change_rights(
            person=omar, role=Role.ADMIN, domain_scope=None, actor=self.olga
        )
        with self.assertRaisesMessage(Refused, "any more"):
            people.change_rights(
                person=self.adam, role=Role.OWNER, domain_scope=None, actor=omar
            )

    def test_a_limited_owner_does_not_manage_people(self) -> None:
        omar = self.make_owner()
        form = {"role": "owner", "scope": "some", "domains": ["shop.example"]}
        self.change(omar, **form)
        omar.refresh_from_db()
        self.assertFalse(omar.may(Right.MANAGE_PEOPLE))
        self.client.force_login(omar)
        self.assertEqual(self.client.get(LIST).status_code, 403)


class DeactivatePersonTests(PeopleTestCase):
    def test_it_ends_their_sessions_at_once(self) -> None:
        theirs = self.client_class()
        theirs.force_login(self.adam)
        self.assertEqual(theirs.get("/").status_code, 200)

        r = self.client.post(f"{LIST}{self.adam.pk}/deactivate/", follow=True)
        self.assertContains(r, "has no access any more")
        self.assertRedirects(theirs.get("/"), "/accounts/login/?next=/")
        self.assertFalse(
            PersonSession.objects.filter(user=self.adam, ended_at=None).exists()
        )
        self.assertIn(Event.PERSON_DEACTIVATED, self.events())

    def test_their_name_stays_in_the_audit_log(self) -> None:
        people.rename_person(person=self.adam, name="Adam")
        people.deactivate_person(person=self.adam, actor=self.olga)
        entry = Entry.objects.get(event=Event.PERSON_CHANGED)
        self.assertEqual(entry.actor, self.adam)
        self.assertEqual(entry.who, "adam@example.org")

    def test_their_password_does_not_let_them_in(self) -> None:
        people.deactivate_person(person=self.adam, actor=self.olga)
        self.client.logout()
        form = {"login": "adam@example.org", "password": PASSWORD}
        self.client.post("/accounts/login/", form)
        self.assertNotIn("_auth_user_id", self.client.session)

    def test_whom_they_invited_does_not_come_in(self) -> None:
        omar = self.make_owner()
        invitation = add_invitation(omar)
        other = add_invitation(self.olga, email="x@example.org", token_hash="1")
        people.deactivate_person(person=omar, actor=self.olga)
        invitation.refresh_from_db()
        self.assertIsNotNone(invitation.withdrawn_at)
        self.assertEqual(list(Invitation.objects.pending()), [other])

    def test_nobody_shuts_themselves_out(self) -> None:
        self.make_owner()
        r = self.client.post(f"{LIST}{self.olga.pk}/deactivate/", follow=True)
        self.assertContains(r, "You cannot switch off your own access")
        self.olga.refresh_from_db()
        self.assertTrue(self.olga.is_active)

    def test_a_second_time_is_refused(self) -> None:
        people.deactivate_person(person=self.adam, actor=self.olga)
        with self.assertRaisesMessage(Refused, "switched off already"):
            people.deactivate_person(person=self.adam, actor=self.olga)

    def test_access_comes_back_with_the_same_rights(self) -> None:
        people.deactivate_person(person=self.hedy, actor=self.olga)
        self.client.post(f"{LIST}{self.hedy.pk}/reactivate/")
        self.hedy.refresh_from_db()
        self.assertTrue(self.hedy.is_active)
        self.assertEqual(self.hedy.domain_scope, ["shop.example"])
        self.assertEqual(self.events()[-1], Event.PERSON_REACTIVATED)

    def test_access_that_is_on_is_not_switched_on(self) -> None:
        with self.assertRaisesMessage(Refused, "has access already"):
            people.reactivate_person(person=self.adam, actor=self.olga)


class ProofTests(PeopleTestCase):
    def test_changes_ask_for_a_fresh_proof(self) -> None:
        prove(self.client, ago=601)
        pages = [
            f"{LIST}invite/",
            f"{LIST}{self.adam.pk}/",
            f"{LIST}{self.adam.pk}/deactivate/",
            f"{LIST}{self.adam.pk}/reactivate/",
            "/settings/organisation/",
        ]
        for page in pages:
            r = self.client.post(page)
            with self.subTest(page=page):
                self.assertEqual(r.status_code, 302)
                self.assertTrue(r["Location"].startswith("/accounts/reauthenticate/"))
        self.adam.refresh_from_db()
        self.assertTrue(self.adam.is_active)
