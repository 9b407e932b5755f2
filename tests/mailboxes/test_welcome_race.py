from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.core.cache import cache
from django.db import connection
from django.test import Client, TransactionTestCase

from purelymanage.audit.models import Agent, Entry
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations import hand_overs
from tests.mailboxes.test_welcome import ADDRESS, PASSWORD

VIEWERS = 6


class RaceTests(TransactionTestCase):
    def test_of_many_at_once_one_sees_it(self) -> None:
        cache.clear()
        mailbox = Mailbox.objects.create(address=ADDRESS, domain="shop.example")
        link = hand_overs.make_hand_over(
            mailbox=mailbox, password=PASSWORD, actor=Agent.PANEL
        )
        barrier = Barrier(VIEWERS)

        def view(_: int) -> tuple[int, bool]:
            barrier.wait()
            try:
                r = Client().post(link.url.removeprefix("http://localhost:8000"))
                return r.status_code, PASSWORD in r.content.decode()
            finally:
                connection.close()

        with ThreadPoolExecutor(VIEWERS) as pool:
            answers = list(pool.map(view, range(VIEWERS)))
        self.assertEqual(sorted(answers), [(200, True)] + [(410, False)] * 5)
        viewed = Entry.objects.filter(event="mailbox.hand_over_viewed")
        self.assertEqual(viewed.count(), 1)
