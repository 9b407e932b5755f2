"""What the tests of imported copies have in common."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from purelymanage.domains.models import Domain
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.models import Batch, Server
from tests.account import add_server
from tests.cast import CastTestCase

MAILBOXES = ("orders@shop.example", "info@shop.example", "anna@example.org")
TABLE = """\
source_email,source_password,dest_email,dest_password
orders@old.example,one,orders@shop.example,
info@old.example,"t,wo",info@shop.example,
anna@old.example,three,anna@example.org,
zoe@old.example,four,zoe@shop.example,
"""


class ImportTestCase(CastTestCase):
    """A server, three mailboxes in two domains, and Adam who imports a table."""

    server: Server

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.server = add_server(cls.olga)
        for address in MAILBOXES:
            domain = address.rpartition("@")[2]
            Domain.objects.get_or_create(name=domain)
            Mailbox.objects.create(address=address, domain=domain)

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.adam)

    def upload(self, text: str = TABLE, **fields: Any) -> Batch:
        file = SimpleUploadedFile("wave.csv", text.encode(), "text/csv")
        form = {"server": self.server.pk, "file": file, **fields}
        r = self.client.post("/migrations/import/", form)
        batch = Batch.objects.latest("pk")
        self.assertRedirects(
            r,
            f"/migrations/batches/{batch.pk}/columns/",
            fetch_redirect_response=False,
        )
        return batch

    def choose(self, batch: Batch, *columns: str, **fields: str) -> None:
        """Say what the columns are, as they were guessed unless they are named."""
        url = f"/migrations/batches/{batch.pk}/columns/"
        form = self.client.get(url).context["form"]
        chosen = {
            name: field.initial or ""
            for name, field in form.fields.items()
            if name.startswith("column")
        }
        chosen |= {f"column{number}": name for number, name in enumerate(columns)}
        r = self.client.post(url, chosen | fields)
        self.assertRedirects(r, f"/migrations/batches/{batch.pk}/draft/")

    def draft(self, text: str = TABLE, *columns: str, **fields: str) -> Batch:
        batch = self.upload(text)
        self.choose(batch, *columns, **fields)
        return batch

    def shown(self, batch: Batch) -> str:
        r = self.client.get(f"/migrations/batches/{batch.pk}/draft/")
        return str(r.context["preview"].digest)

    def confirm(self, batch: Batch, **fields: str) -> Any:
        form = {"name": batch.name, "shown": self.shown(batch), **fields}
        return self.client.post(f"/migrations/batches/{batch.pk}/confirm/", form)
