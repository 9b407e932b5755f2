"""Creating a mailbox where the answer gets lost and the password can be tried."""

from __future__ import annotations

from unittest import mock

from purelymanage.domains.models import Domain
from purelymanage.mailboxes.operations import passwords
from purelymanage.mailboxes.operations.creating import Created, Wishes, create_mailbox
from tests.cast import CastTestCase
from tests.migrations.cases import WithMail

ADDRESS = "zoe@example.org"
PASSWORD = "nine-blue-canaries-sang-at-noon"


class LostAnswerTests(WithMail, CastTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(passwords, "PAUSES", ()))
        Domain.objects.create(name="example.org")

    def create(self, password: str = PASSWORD) -> Created:
        self.fault("drop_after", "createUser")
        return create_mailbox(
            address=ADDRESS, password=password, wishes=Wishes(), actor=self.adam
        )

    def test_a_password_that_opens_the_mailbox_leaves_no_doubt(self) -> None:
        created = self.create()
        self.assertEqual((created.doubts, created.is_known), ([], True))

    def test_one_that_does_not_is_told(self) -> None:
        # Somebody created it at the same moment, with another password.
        self.sandbox.account.call(
            "createUser",
            {"userName": "zoe", "domainName": "example.org", "password": "another"},
        )
        created = self.create()
        self.assertFalse(created.is_known)
        self.assertIn("does not open the mailbox", created.doubts[0])
