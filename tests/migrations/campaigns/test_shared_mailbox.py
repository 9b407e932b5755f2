from __future__ import annotations

import pytest

from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Creation, HandOver, Mailbox
from purelymanage.migrations.models import Run
from purelymanage.migrations.operations.launching import Wishes, launch
from purelymanage.purelymail.sandbox.demo_mail import password_of
from tests.migrations.campaigns.people import add_campaign, add_people, hand_over
from tests.migrations.cases import SMALL, MigrationTestCase

NEW = "together@shop.example"
BEN = "ben@old-provider.example"


class SharedMailboxTests(MigrationTestCase):
    def setUp(self) -> None:
        super().setUp()
        Domain.objects.get_or_create(name="shop.example")
        campaign = add_campaign(self.adam, self.server)
        for address in (SMALL, BEN):
            people = add_people(campaign, address, destination=NEW)
            hand_over(people, password=password_of(address))
        wishes = Wishes(begins_with_plan=False, merges=True)
        launch(campaign=campaign, wishes=wishes, actor=self.adam)

    @pytest.mark.slow
    def test_one_creates_it_and_the_other_waits_for_that(self) -> None:
        first, second = Run.objects.order_by("-job__source_user")
        # Somebody else has asked, and has not got an answer yet.
        asked = Creation.objects.create(address=NEW, requested_as="the panel")
        self.assertEqual(self.carry_out(second).state, Run.State.QUEUED)
        self.assertIsNotNone(second.not_before)

        Creation.objects.settle(asked, reason="it died")
        for run in (first, second):
            self.assertEqual(self.carry_out_again(run).state, Run.State.DONE)
        self.assertEqual(Mailbox.objects.filter(address=NEW).count(), 1)
        self.assertEqual(HandOver.objects.open().count(), 1)
        first.refresh_from_db()
        second.refresh_from_db()
        self.assertEqual((first.failed, second.failed), (0, 0))
