"""One password goes through everything, and is looked for wherever it must not be."""

from __future__ import annotations

import logging
import re
from unittest import mock

import pytest
from django.db import connection
from django.test import override_settings
from django_q.models import OrmQ

from purelymanage.audit.models import Agent
from purelymanage.domains import sync
from purelymanage.mailboxes.operations import passwords
from purelymanage.purelymail import client
from tests.cast import CastTestCase
from tests.migrations.cases import WithMail

CANARY = "yellow-bird-under-seven-clouds"
ADDRESS = "zoe@shop.example"
FAULTS = ("error", "drop", "half_answer", "silent_success", "status_500", "drop_after")


class CanaryTests(WithMail, CastTestCase):
    @pytest.mark.slow
    def test_a_password_is_seen_by_nobody_but_its_owner(self) -> None:
        self.enterContext(mock.patch.object(passwords, "PAUSES", ()))
        self.enterContext(mock.patch.object(client, "PAUSES", ()))
        sync.sync(actor=Agent.PANEL)
        self.client.force_login(self.hedy)
        with self.assertLogs(level="DEBUG") as logs:
            token = self.take_round()
        with connection.cursor() as cursor:
            seen = [*logs.output, *(str(queued.task) for queued in OrmQ.objects.all())]
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT it::text FROM "{table}" it')  # noqa: S608
                seen += [row[0] for row in cursor.fetchall()]
        text = "\n".join(seen)
        self.assertIn(ADDRESS, text)
        self.assertNotIn(CANARY, text)
        self.assertNotIn(token, text)

    def take_round(self) -> str:
        """Create, reset and hand over, with everything going wrong as well."""
        logging.getLogger("tests").debug("begins")
        form = {"local_part": "zoe", "domain": "shop.example", "password": CANARY}
        path = f"/mailboxes/{ADDRESS}/"
        for kind in FAULTS:
            self.fault(kind, "createUser")
            self.client.post("/mailboxes/new/", form)
        self.client.post("/mailboxes/new/", form)
        for kind in FAULTS:
            self.fault(kind, "modifyUser")
            self.client.post(f"{path}reset-password/", {"password": CANARY})
        with override_settings(PURELYMAIL_IMAP_PORT=9):
            self.client.post(f"{path}reset-password/", {"password": CANARY})
        page = self.client.post(f"{path}reset-password/", {"password": CANARY})
        offer = re.search(r'name="offer" value="([^"]+)"', page.text)
        assert offer
        made = self.client.post(f"{path}hand-overs/", {"offer": offer[1]})
        link = re.search(r"<code>http://localhost:8000(/welcome/([\w-]+)/)", made.text)
        assert link
        self.client.logout()
        for shown in (True, False):
            r = self.client.post(link[1])
            self.assertEqual(CANARY in r.text, shown)
        return link[2]
