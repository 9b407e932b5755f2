from __future__ import annotations

from django.utils import timezone

from purelymanage.audit.mail import queue_mail
from purelymanage.audit.models import ChainCheck, OutgoingMail
from tests.cast import CastTestCase


class TrustFindingTests(CastTestCase):
    def test_a_log_that_was_tampered_with_is_on_the_first_page(self) -> None:
        ChainCheck.objects.create(finished_at=timezone.now(), problem="Entry 4 is gone")
        self.client.force_login(self.olga)
        self.assertContains(self.client.get("/"), "Entry 4 is gone")
        self.client.force_login(self.lina)
        self.assertNotContains(self.client.get("/"), "Entry 4 is gone")

    def test_so_is_mail_that_does_not_get_out(self) -> None:
        queue_mail(to="ada@example.org", subject="Hello", text="Hi")
        self.client.force_login(self.olga)
        self.assertNotContains(self.client.get("/"), "cannot be sent")
        OutgoingMail.objects.update(tries=3, last_error="ConnectionRefusedError")
        r = self.client.get("/")
        self.assertContains(r, "The mail to ada@example.org cannot be sent.")
        self.assertContains(r, "ConnectionRefusedError")
