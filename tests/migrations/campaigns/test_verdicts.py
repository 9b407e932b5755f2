from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from purelymanage.deletions.models import Kind, PendingDeletion
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Creation, Mailbox
from purelymanage.migrations.campaigns import verdicts
from purelymanage.migrations.campaigns.terms import terms_of
from purelymanage.migrations.campaigns.verdict_list import BY_CODE, Counts, counts_of
from purelymanage.migrations.campaigns.verdicts import codes_of, ready, with_verdict
from purelymanage.migrations.models import (
    Campaign,
    Job,
    Participant,
    Server,
    Submission,
)
from tests.migrations.campaigns.campaign_case import CampaignCase
from tests.migrations.campaigns.people import (
    DOMAIN,
    OLD,
    add_people,
    hand_over,
    numbered,
)

ANNA, BERT, CARL = (f"{it}@{OLD}" for it in ("anna", "bert", "carl"))


class ReviewTestCase(CampaignCase):
    def add(self, address: str, *, password: bool = True, **columns: object) -> None:
        people = add_people(self.campaign, address, **columns)
        if password:
            hand_over(people)

    def verdicts(self) -> dict[str, str]:
        rows = with_verdict(self.campaign).order_by("address")
        return dict(rows.values_list("address", "verdict"))

    def verdict(self) -> str:
        (found,) = self.verdicts().values()
        return found

    def into(self) -> str:
        return str(with_verdict(self.campaign).get().into)

    def add_mailbox(self, address: str) -> None:
        Mailbox.objects.create(address=address, domain=address.rpartition("@")[2])

    def add_job(self, source: str, destination: str, **columns: object) -> Job:
        return Job.objects.create(
            **{
                "server": self.server,
                "source_user": source,
                "destination": destination,
                "destination_domain": destination.rpartition("@")[2],
                "created_by": self.adam,
            }
            | columns
        )


class DestinationTests(ReviewTestCase):
    @pytest.mark.slow
    def test_the_rule_takes_the_same_name(self) -> None:
        self.add(ANNA)
        self.assertEqual(self.into(), f"anna@{DOMAIN}")

    def test_what_was_said_goes_before_the_rule(self) -> None:
        self.add(ANNA, destination=f"Office@{DOMAIN}")
        self.assertEqual(self.into(), f"office@{DOMAIN}")

    def test_a_table_says_it_or_nobody(self) -> None:
        for rule in (Campaign.Rule.MAPPED, Campaign.Rule.REVIEWED):
            Campaign.objects.update(rule=rule)
            self.campaign.refresh_from_db()
            Participant.objects.all().delete()
            self.add(ANNA)
            self.add(BERT, destination=f"bert@{DOMAIN}")
            with self.subTest(rule=rule):
                self.assertEqual(self.verdicts(), {ANNA: "unset", BERT: "new"})

    def test_a_copy_keeps_where_it_goes(self) -> None:
        self.add(ANNA, job=self.add_job(ANNA, f"there@{DOMAIN}"))
        Participant.objects.update(destination=f"elsewhere@{DOMAIN}")
        self.assertEqual(self.into(), f"there@{DOMAIN}")
        self.assertEqual(self.verdict(), "launched")


class VerdictTests(ReviewTestCase):
    def test_a_mailbox_exists_or_will_be_created(self) -> None:
        self.add_mailbox(f"anna@{DOMAIN}")
        self.add(ANNA)
        self.add(BERT)
        self.assertEqual(self.verdicts(), {ANNA: "exists", BERT: "new"})

    def test_one_that_is_gone_will_be_created(self) -> None:
        self.add_mailbox(f"anna@{DOMAIN}")
        Mailbox.objects.update(gone_at=timezone.now())
        self.add(ANNA)
        self.assertEqual(self.verdict(), "new")

    def test_a_domain_must_be_of_this_account(self) -> None:
        self.add(ANNA, destination="anna@nowhere.example")
        self.assertEqual(self.verdict(), "foreign")
        Domain.objects.create(name="nowhere.example", gone_at=timezone.now())
        self.assertEqual(self.verdict(), "foreign")

    def test_a_name_must_be_possible(self) -> None:
        for local in ("a..b", ".a", "a b", "ä", "a,b", "x" * 65, '"a"', "a\nb"):
            Participant.objects.all().delete()
            self.add(ANNA, destination=f"{local}@{DOMAIN}")
            with self.subTest(local=local):
                self.assertEqual(self.verdict(), "invalid")

    def test_a_name_must_reach_its_own_mailbox(self) -> None:
        self.add(f"an.na@{OLD}")
        Domain.objects.update(symbolic_subaddressing=False)
        self.assertEqual(self.verdict(), "new")
        Domain.objects.update(symbolic_subaddressing=True)
        self.assertEqual(self.verdict(), "invalid")
        self.add_mailbox(f"an.na@{DOMAIN}")
        self.assertEqual(self.verdict(), "exists")

    def test_nothing_goes_where_something_is_to_be_deleted(self) -> None:
        self.add_mailbox(f"anna@{DOMAIN}")
        self.add(ANNA)
        for kind, key in ((Kind.MAILBOX, f"anna@{DOMAIN}"), (Kind.DOMAIN, DOMAIN)):
            PendingDeletion.objects.all().delete()
            PendingDeletion.objects.create(
                kind=kind,
                key=key,
                label=key,
                domain=DOMAIN,
                requested_by=self.adam,
                delete_after=timezone.now() + timedelta(hours=24),
            )
            with self.subTest(kind=kind):
                self.assertEqual(self.verdict(), "frozen")

    def test_what_purelymail_was_asked_for_is_awaited(self) -> None:
        self.add(ANNA)
        Creation.objects.create(address=f"anna@{DOMAIN}", requested_by=self.adam)
        self.assertEqual(self.verdict(), "asked")

    def test_a_mailbox_is_not_copied_into_itself(self) -> None:
        self.add(f"anna@{DOMAIN}")
        self.assertEqual(self.verdict(), "new")
        with override_settings(PURELYMAIL_IMAP_HOST="IMAP.old.example"):
            self.assertEqual(self.verdict(), "itself")


class ConflictTests(ReviewTestCase):
    def test_two_into_one_mailbox_are_both_told(self) -> None:
        self.add(ANNA)
        self.add("anna@other.example")
        self.add(BERT)
        found = self.verdicts()
        self.assertEqual(found.pop(BERT), "new")
        self.assertEqual(set(found.values()), {"shared"})

    def test_a_destination_that_was_said_counts_as_well(self) -> None:
        self.add(ANNA)
        self.add(BERT, destination=f"Anna@{DOMAIN}")
        self.assertEqual(self.verdicts(), {ANNA: "shared", BERT: "shared"})

    def test_a_stranger_holds_nobody_back(self) -> None:
        self.add(ANNA)
        other = "anna@other.example"
        self.add(other, password=False, is_listed=False)
        self.assertEqual(self.verdicts(), {ANNA: "new", other: "new"})
        # Until they prove that the mailbox is theirs.
        hand_over(Participant.objects.filter(address=other))
        self.assertEqual(self.verdicts(), {ANNA: "shared", other: "shared"})

    def test_a_login_of_another_proves_nothing_about_an_address(self) -> None:
        self.add(ANNA)
        strangers = add_people(
            self.campaign, "anna@a.example", "anna@b.example", is_listed=False
        )
        hand_over(strangers[:1], user="eve")
        found = self.verdicts()
        self.assertEqual((found[ANNA], found["anna@a.example"]), ("new", "login"))
        self.assertEqual([it.address for it in ready(self.campaign)], [ANNA])
        # Who was listed goes there with any login.
        Participant.objects.update(is_listed=True)
        found = self.verdicts()
        self.assertEqual((found[ANNA], found["anna@a.example"]), ("shared", "login"))
        # Nobody goes twice from one mailbox.
        Participant.objects.filter(address=ANNA).delete()
        hand_over(strangers[1:], user="eve")
        self.assertEqual(set(self.verdicts().values()), {"twice"})
        # Where somebody has agreed to a login, it is like any other.
        Participant.objects.update(is_listed=False)
        Submission.objects.filter(participant=strangers[0]).update(user="other")
        self.assertEqual(set(self.verdicts().values()), {"login"})
        Submission.objects.update(vouched_at=timezone.now())
        self.assertEqual(set(self.verdicts().values()), {"shared"})

    def test_somebody_removed_is_no_conflict(self) -> None:
        self.add(ANNA)
        self.add("anna@other.example", removed_at=timezone.now())
        self.assertEqual(self.verdicts(), {ANNA: "new"})

    def test_one_login_under_two_addresses_is_told(self) -> None:
        self.add(ANNA)
        bert = add_people(self.campaign, BERT)
        hand_over(bert, user=ANNA.upper(), came_by=Submission.CameBy.OWN)
        self.assertEqual(self.verdicts(), {ANNA: "twice", BERT: "twice"})
        # By the link for everybody anybody may have written it beside this address.
        Submission.objects.update(came_by=Submission.CameBy.SHARED)
        self.assertEqual(self.verdicts(), {ANNA: "new", BERT: "twice"})

    def test_a_copy_from_the_same_mailbox_is_told(self) -> None:
        self.add(ANNA)
        job = self.add_job("Anna@old.example", f"else@{DOMAIN}")
        self.assertEqual(self.verdict(), "twice")
        Job.objects.filter(pk=job.pk).update(removed_at=timezone.now())
        self.assertEqual(self.verdict(), "new")

    def test_the_same_name_at_another_server_is_somebody_else(self) -> None:
        other = Server.objects.create(name="B", host="b", created_by=self.adam)
        self.add(ANNA)
        self.add_job(ANNA, f"else@{DOMAIN}", server=other)
        self.assertEqual(self.verdict(), "new")

    def test_a_copy_into_the_same_mailbox_is_told(self) -> None:
        self.add(ANNA)
        job = self.add_job("someone@else.example", f"anna@{DOMAIN}")
        self.assertEqual(self.verdict(), "shared")
        Job.objects.filter(pk=job.pk).update(destination_server=self.server)
        self.assertEqual(self.verdict(), "new")

    def test_whose_copy_was_removed_can_be_launched_again(self) -> None:
        job = self.add_job(ANNA, f"anna@{DOMAIN}", removed_at=timezone.now())
        self.add(ANNA, job=job)
        self.assertEqual(self.verdict(), "new")


class ReadyTests(ReviewTestCase):
    def test_only_a_right_password_makes_somebody_ready(self) -> None:
        for number, state in enumerate(Submission.State):
            hand_over(add_people(self.campaign, f"{number}@{OLD}"), state=state)
        self.add(ANNA, password=False)
        (found,) = ready(self.campaign)
        right = Submission.objects.get(state=Submission.State.RIGHT)
        self.assertEqual(found, right.participant)
        Submission.objects.filter(pk=right.pk).update(secret="")
        self.assertFalse(ready(self.campaign).exists())

    def test_shared_mailboxes_are_ready_for_who_wants_that(self) -> None:
        self.add(ANNA)
        self.add("anna@other.example")
        self.add(BERT, destination="")
        self.assertEqual(ready(self.campaign).count(), 1)
        self.assertEqual(ready(self.campaign, merges=True).count(), 3)

    def test_everybody_is_counted_once(self) -> None:
        self.add_mailbox(f"bert@{DOMAIN}")
        self.add(ANNA)
        self.add(BERT)
        self.add(CARL, password=False)
        self.add(f"dora@{OLD}", destination="dora@nowhere.example")
        self.add(f"emil@{OLD}", job=self.add_job(f"emil@{OLD}", f"emil@{DOMAIN}"))
        for address in ("x@one.example", "x@two.example"):
            self.add(address)
        found = counts_of(codes_of(self.campaign).values())
        self.assertEqual(
            found, Counts(ready=2, merging=2, held=1, launched=1, new=1, total=7)
        )
        self.assertEqual(found.without, 1)

    def test_any_number_is_reviewed_with_three_queries(self) -> None:
        """How long ten thousand take is told by `tests.benchmarks.small`."""
        count = 200
        people = add_people(self.campaign, *numbered(count))
        Submission.objects.bulk_create(
            [
                Submission(participant=it, state=Submission.State.RIGHT, secret="x")
                for it in people
            ]
        )
        Mailbox.objects.bulk_create(
            [
                Mailbox(address=f"user{number}@{DOMAIN}", domain=DOMAIN)
                for number in range(0, count, 2)
            ]
        )
        with self.assertNumQueries(3):
            found = counts_of(codes_of(self.campaign).values())
            rows = with_verdict(self.campaign).filter(verdict="new").order_by("address")
            page = list(rows[:50])
            self.assertEqual(rows.count(), count // 2)
        self.assertEqual((found.ready, found.new), (count, count // 2))
        self.assertEqual({it.verdict for it in page}, {"new"})

    def test_every_verdict_has_words_or_a_tone(self) -> None:
        terms = terms_of(self.campaign)
        claiming = verdicts._claiming(verdicts._with_source(terms))
        codes = {code for code, _ in verdicts._conditions(terms, claiming)}
        self.assertLessEqual(codes, set(BY_CODE))
