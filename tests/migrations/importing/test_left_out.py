"""What is kept of the rows that an import left out: why, and nothing of their cells."""

from __future__ import annotations

import json

from purelymanage.migrations.models import Batch
from purelymanage.migrations.operations import batches
from purelymanage.sheets import reading
from tests.account import add_server
from tests.migrations.importing.cases import ImportTestCase

# No address stands in the first line, which therefore is taken for names of columns.
NAMELESS = """\
anna,hunter-one,hunter-two
berta,,hunter-three
carl,hunter-four,hunter-five
"""
SWAPPED = """\
old,password,new
orders@old.example,secret,orders@shop.example
info@old.example,info@shop.example,Hunter@hunter.six
"""


class LeftOutTests(ImportTestCase):
    def assert_tells(self, batch: Batch, words: str) -> None:
        batch.refresh_from_db()
        self.assertEqual(batch.wishes["left_out"], 1)
        self.assertNotIn("hunter", json.dumps(batch.wishes))
        r = self.client.get(f"/migrations/batches/{batch.pk}/")
        self.assertContains(r, words)
        self.assertNotContains(r, "hunter")

    def test_no_first_row_in_place_of_names(self) -> None:
        batch = batches.draft_batch(
            name="First wave",
            server=self.server,
            sheet=reading.read(NAMELESS.encode()),
            actor=self.adam,
            destination_server=add_server(self.olga, name="Other", host="b"),
        )
        columns = {0: "address", 1: "password", 2: "destination_password"}
        batches.map_columns(batch=batch, columns=columns, domain="", actor=self.adam)
        batches.confirm(batch=batch, actor=self.adam)
        self.assert_tells(
            batch, "Row 2: password of the old mailbox: There is no password."
        )

    def test_no_password_in_place_of_an_address(self) -> None:
        batch = batches.draft_batch(
            name="First wave",
            server=self.server,
            sheet=reading.read(SWAPPED.encode()),
            actor=self.adam,
        )
        columns = {0: "address", 1: "password", 2: "destination"}
        batches.map_columns(batch=batch, columns=columns, domain="", actor=self.adam)
        batches.confirm(batch=batch, actor=self.adam)
        self.assert_tells(
            batch, "Row 3: new mailbox: Its domain is no domain of this account."
        )
