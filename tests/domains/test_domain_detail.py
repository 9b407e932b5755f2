from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from purelymanage.audit import log
from purelymanage.audit.events import Event
from purelymanage.deletions.models import PendingDeletion
from purelymanage.domains.dns.observations import Answer, Failure, Observation, Outcome
from purelymanage.domains.models import Addition, Change, Domain, Health, OwnershipCode
from purelymanage.mailboxes.models import Mailbox
from tests.account import add_addition, add_deletion, add_job, add_server, fill_account
from tests.cast import CastTestCase
from tests.domains.rows import CODE, add_domain, seen

NAME = "example.org"
URL = f"/domains/{NAME}/"


class DomainDetailTestCase(CastTestCase):
    def setUp(self) -> None:
        OwnershipCode.objects.create(pk=1, value=CODE)
        self.client.force_login(self.olga)

    def see(self, **records: list[str]) -> None:
        add_domain(NAME, seen(NAME, **records))

    def assert_says(self, *words: str) -> None:
        r = self.client.get(URL)
        for it in words:
            with self.subTest(it):
                self.assertContains(r, it)


class RecordTests(DomainDetailTestCase):
    def test_what_is_missing_is_said_with_what_to_type(self) -> None:
        self.see(mx=["10 mx.old.example"], dmarc=[])
        self.assert_says(
            "MX and DMARC are not right",
            "2 records have to be set: MX and DMARC.",
            "MX comes last, when the mailboxes are there",
            "10 mx.old.example",
            'data-copy="mailserver.purelymail.com"',
            'data-copy="_dmarc"',
            'data-copy="_dmarc.example.org"',
            "Priority",
            "_dmarc\t3600\tIN\tCNAME\tdmarcroot.purelymail.com.",
            'href="mailto:?subject=',
        )

    def test_the_form_of_the_dns_host_is_used(self) -> None:
        self.see()
        self.assert_says("Cloudflare", "Content or target", "the cloud must be grey")

    def test_an_spf_record_is_merged_and_never_doubled(self) -> None:
        self.see(txt=[CODE, "v=spf1 ip4:192.0.2.1 -all"])
        self.assert_says(
            "ip4:192.0.2.1 include:_spf.purelymail.com",
            "Your senders are kept.",
        )

    def test_all_right_offers_nothing(self) -> None:
        self.see()
        r = self.client.get(URL)
        self.assertContains(r, "as expected")
        self.assertNotContains(r, "Take the records along")

    def test_could_not_look_is_never_missing(self) -> None:
        failed = Answer(Outcome.FAILED, failure=Failure.TIMEOUT)
        answers = dict.fromkeys(seen(NAME).answers, failed)
        add_domain(NAME, Observation(NAME, answers))
        r = self.client.get(URL)
        self.assertContains(
            r, "Could not look: the name servers of example.org did not"
        )
        for words in ("missing", "Mail does not arrive", "Take the records along"):
            self.assertNotContains(r, words)

    def test_not_looked_at_yet_shows_what_has_to_be_set(self) -> None:
        Domain.objects.create(name=NAME)
        self.assert_says(
            "have not been looked at yet", "mailserver.purelymail.com", CODE
        )
        self.assertNotContains(self.client.get(URL), "could not look")

    def test_a_slow_mx_is_warned_of_while_a_move_is_planned(self) -> None:
        answers = dict(seen(NAME).answers)
        answers[NAME, "MX"] = Answer(Outcome.FOUND, ("10 mx.old.example",), 86_400)
        add_domain(NAME, Observation(NAME, answers))
        words = "The TTL of the MX records is 1 day"
        self.assertNotContains(self.client.get(URL), words)
        add_job(add_server(self.olga))
        self.assertContains(self.client.get(URL), words)

    def test_a_foreign_name_is_shown_in_both_forms(self) -> None:
        add_domain("xn--mller-kva.example")
        r = self.client.get("/domains/xn--mller-kva.example/")
        self.assertContains(r, "müller.example</h1>")
        self.assertContains(r, "xn--mller-kva.example")


class DownloadTests(DomainDetailTestCase):
    def test_what_is_to_be_set_can_be_taken_along(self) -> None:
        self.see(mx=[])
        for form, words in {
            "zone": "@\t3600\tIN\tMX\t50 mailserver.purelymail.com.",
            "csv": "Name,Full name,Type",
            "letter": "Please set the following record",
        }.items():
            r = self.client.get(f"{URL}records/{form}/")
            with self.subTest(form):
                self.assertContains(r, words)
                self.assertIn("attachment", r["Content-Disposition"])
        self.assertEqual(self.client.get(f"{URL}records/x/").status_code, 404)


class WitnessTests(DomainDetailTestCase):
    def test_they_agree(self) -> None:
        self.see()
        self.assert_says("They agree.")

    def test_purelymails_word_is_the_older_one(self) -> None:
        self.see()
        Domain.objects.update(passes_dkim=False)
        Health.objects.update(disputed=["passes_dkim"])
        self.assert_says(
            "About DKIM, PurelyMail says something else",
            "word is the older one",
            "Ask PurelyMail to look",
        )

    def test_ours_is_the_older_one_where_purelymail_has_looked_since(self) -> None:
        self.see()
        Health.objects.update(disputed=["passes_mx"], rechecked_at=timezone.now())
        self.assert_says("PurelyMail has looked since we did")

    def test_a_policy_of_ones_own_is_no_dispute(self) -> None:
        self.see()
        Domain.objects.update(passes_dmarc=False)
        self.assert_says(
            "DMARC: PurelyMail\N{RIGHT SINGLE QUOTATION MARK}s check accepts"
        )


class StepTests(DomainDetailTestCase):
    def test_a_new_domain_is_shown_the_way(self) -> None:
        self.see(mx=["10 mx.old.example"], dmarc=[])
        add_addition(self.olga, NAME, state=Addition.State.ADDED)
        Addition.objects.update(settled_at=timezone.now())
        self.assert_says(
            "Getting this domain going", "1 record is to be set besides MX"
        )
        steps = self.client.get(URL).context["steps"]
        self.assertEqual([it.title for it in steps if it.is_next], ["Records"])

    def test_it_goes_on_with_mailboxes_and_ends_with_mx(self) -> None:
        self.see(mx=["10 mx.old.example"])
        self.assertEqual(self.next_step(), "Mailboxes")
        Mailbox.objects.create(address=f"a@{NAME}", domain=NAME)
        add_addition(self.olga, NAME, state=Addition.State.ADDED)
        Addition.objects.update(settled_at=timezone.now())
        self.assertEqual(self.next_step(), "Import")

    def next_step(self) -> str:
        steps = self.client.get(URL).context["steps"]
        return str(next(it.title for it in steps if it.is_next))

    def test_a_domain_that_works_is_shown_none(self) -> None:
        self.see()
        Mailbox.objects.create(address=f"a@{NAME}", domain=NAME)
        self.assertEqual(self.client.get(URL).context["steps"], [])


class AroundTests(DomainDetailTestCase):
    def test_it_counts_mailboxes_and_rules(self) -> None:
        fill_account()
        self.assert_says("3 mailboxes", "3 rules", f"/mailboxes/?domain={NAME}")

    def test_it_tells_what_changed_with_both_values(self) -> None:
        self.see()
        Change.objects.create(
            domain=Domain.objects.get(),
            kind=Change.Kind.RECORD,
            subject="MX",
            before=["10 mx.old.example"],
            after=["50 mailserver.purelymail.com"],
            sentence="MX changed: …",
        )
        self.assert_says(
            '<del class="break">10 mx.old.example</del>',
            '<ins class="break">50 mailserver.purelymail.com</ins>',
        )

    def test_a_change_seen_once_is_told_as_such(self) -> None:
        self.see(mx=[])
        Health.objects.update(turning_to="broken", turning_since=timezone.now())
        self.assert_says("Seen once to have changed")

    def test_looking_often_is_told(self) -> None:
        self.see()
        Health.objects.update(touched_at=timezone.now() - timedelta(minutes=2))
        self.assert_says("Looked at every minute")

    def test_it_tells_its_history(self) -> None:
        self.see()
        log.record(Event.DOMAIN_APPEARED, actor=self.adam, target=NAME)
        self.assert_says("added the domain example.org")

    def test_a_domain_that_is_to_be_deleted_is_frozen(self) -> None:
        self.see()
        add_deletion(self.olga, f"box@{NAME}")
        PendingDeletion.objects.update(kind="domain", key=NAME, label=NAME)
        r = self.client.get(URL)
        self.assertContains(r, "is to be deleted on")
        self.assertContains(r, "Cancel the deletion")
        self.assertNotContains(r, 'role="switch"')

    def test_shared_and_gone_domains_offer_nothing(self) -> None:
        self.see()
        Domain.objects.update(is_shared=True)
        self.assert_says("belongs to PurelyMail")
        Domain.objects.update(is_shared=False, gone_at=timezone.now())
        r = self.client.get(URL)
        self.assertContains(r, "not at PurelyMail any more")
        for words in ('role="switch"', "Check now", "Delete domain"):
            self.assertNotContains(r, words)

    def test_auditors_change_nothing(self) -> None:
        self.see(mx=[])
        self.client.force_login(self.audrey)
        r = self.client.get(URL)
        self.assertNotContains(r, 'role="switch"')
        self.assertNotContains(r, "Delete domain")

    def test_another_domain_is_not_found(self) -> None:
        self.assertEqual(self.client.get("/domains/nowhere.example/").status_code, 404)
