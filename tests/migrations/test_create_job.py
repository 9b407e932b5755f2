from __future__ import annotations

from django.test import override_settings

from purelymanage.migrations.models import Job, Run, Server
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.migrations.cases import ADDRESS, OTHER_ADDRESS, SMALL, MigrationTestCase

URL = "/migrations/jobs/new/"


class CreateJobTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)
        self.form = {
            "server": self.server.pk,
            "source_user": SMALL,
            "password": password_of(SMALL),
            "destination": ADDRESS,
        }

    def assertRefused(self, words: str, **changes: object) -> None:  # noqa: N802
        r = self.client.post(URL, self.form | changes)
        self.assertContains(r, words, status_code=422)
        # What was typed stays, apart from the password.
        self.assertContains(r, SMALL, status_code=422)
        self.assertNotContains(r, password_of(SMALL), status_code=422)
        self.assertFalse(Job.objects.exists())
        self.assertEqual(self.queued(), [])

    def test_it_makes_a_plan(self) -> None:
        r = self.client.post(URL, self.form)
        job = Job.objects.get()
        self.assertRedirects(r, f"/migrations/jobs/{job.pk}/")
        self.assertEqual((job.destination, job.source_user), (ADDRESS, SMALL))
        self.assertNotIn(password_of(SMALL), job.source_secret)
        run = Run.objects.get()
        self.assertTrue(run.dry_run)
        self.assertEqual(self.queued(), [run.pk])
        self.assertEqual(self.events()[-2:], ["migration.created", "migration.queued"])

    def test_a_server_that_lets_somebody_in_is_in_doubt_no_more(self) -> None:
        self.assertContains(self.client.get(URL), "Old provider (not tested)")
        self.client.post(URL, self.form)
        self.assertNotContains(self.client.get(URL), "not tested")
        self.assertNotIn(SMALL, Server.objects.get().test_sentence)

    def test_it_suggests_mailboxes(self) -> None:
        r = self.client.get(f"{URL}?to={ADDRESS}")
        self.assertContains(r, f'<option value="{OTHER_ADDRESS}">')
        self.assertContains(r, f'value="{ADDRESS}"')

    def test_a_wrong_password_is_told_at_its_field(self) -> None:
        self.assertRefused("Check the user name and the password", password="wrong")

    def test_an_unreachable_host_is_told_at_the_server(self) -> None:
        Server.objects.update(port=9)
        self.assertRefused("Check the host name, the port")

    @override_settings(IMAP_CA_FILE=None)
    def test_an_untrusted_certificate_is_told_at_the_server(self) -> None:
        self.assertRefused("is not trusted")

    def test_an_address_that_is_none_is_told(self) -> None:
        self.assertRefused("not a complete mail address", destination="orders")

    def test_a_mailbox_that_is_not_there_is_told(self) -> None:
        self.assertRefused(
            "There is no mailbox nobody@shop.example",
            destination="nobody@shop.example",
        )

    def test_a_line_break_in_a_password_is_told(self) -> None:
        self.assertRefused("a character nobody can type", password="a\nb")

    def test_everything_is_needed(self) -> None:
        self.assertRefused("Enter the password of the old mailbox.", password="")

    def test_the_same_copy_is_not_made_twice(self) -> None:
        self.client.post(URL, self.form)
        r = self.client.post(URL, self.form | {"source_user": SMALL.upper()})
        self.assertContains(r, "is being copied to", status_code=422)
        self.assertEqual(Job.objects.count(), 1)

    def test_without_a_server_it_says_what_to_do_first(self) -> None:
        Server.objects.all().delete()
        self.assertContains(self.client.get(URL), "First the old server")

    def test_limited_people_copy_into_their_own_domains(self) -> None:
        self.client.force_login(self.lina)
        self.assertNotContains(self.client.get(URL), OTHER_ADDRESS)
        self.assertRefused(
            f"There is no mailbox {OTHER_ADDRESS}", destination=OTHER_ADDRESS
        )
        self.client.post(URL, self.form)
        self.assertEqual(Job.objects.get().destination, ADDRESS)

    def test_it_turns_away_everybody_else(self) -> None:
        for user in (self.audrey, self.hedy):
            self.client.force_login(user)
            self.assertEqual(self.client.post(URL, self.form).status_code, 403)
        self.assertFalse(Job.objects.exists())
