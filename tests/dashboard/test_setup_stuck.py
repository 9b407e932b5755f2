"""What the page for setting up says where a step cannot be done."""

from __future__ import annotations

from django.core.cache import cache
from django.utils import timezone

from purelymanage.broker import CLUSTERS
from purelymanage.dashboard.models import TokenCheck
from purelymanage.purelymail.errors import Rejected, Unavailable, Unreadable, explained
from tests.cast import CastTestCase

URL = "/setup/"
HOW = "Write it into"


class StuckTests(CastTestCase):
    def setUp(self) -> None:
        for name in CLUSTERS:
            cache.set(f"pulse:{name}", "asks for work", 30)
        self.addCleanup(cache.clear)
        self.client.force_login(self.olga)

    def check(self, error: Unavailable | Rejected) -> None:
        sentence, next_step = explained(error)
        now = timezone.now()
        TokenCheck.objects.create(
            state=TokenCheck.State.DONE,
            asked_at=now,
            claimed_at=now,
            settled_at=now,
            sentence=sentence,
            next_step=next_step,
        )

    def test_a_token_that_was_refused_is_to_be_set(self) -> None:
        self.check(Rejected("invalidToken", "No."))
        self.assertContains(self.client.get(URL), HOW)

    def test_where_nobody_answered_the_token_may_be_right(self) -> None:
        for error in (Unavailable(), Unreadable()):
            self.check(error)
            r = self.client.get(URL)
            with self.subTest(error=error):
                self.assertContains(r, error.message)
                self.assertNotContains(r, HOW)
                self.assertContains(r, "Check again")

    def test_a_panel_that_is_stuck_is_not_called_ready(self) -> None:
        self.assertContains(self.client.get(URL), "Ready")
        self.check(Unavailable())
        r = self.client.get(URL)
        self.assertContains(r, "What comes next")
        self.assertNotContains(r, "Ready")
