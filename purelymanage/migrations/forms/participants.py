from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from purelymanage.accounts.models import User
from purelymanage.mailboxes.forms.imports import TableForm
from purelymanage.migrations.campaigns.people import People, one_a_line, read_people
from purelymanage.migrations.models import Campaign
from purelymanage.sheets.errors import Unreadable


class PeopleForm(TableForm):
    """Whom to ask: a table, or addresses one below the other."""

    field_order = ("table", "file")
    people: People

    def __init__(
        self,
        data: QueryDict | None = None,
        files: MultiValueDict[str, UploadedFile[Any]] | None = None,
        *,
        campaign: Campaign,
        user: User,
    ) -> None:
        super().__init__(data, files)
        self.campaign = campaign
        self.user = user
        table, file = self.fields["table"], self.fields["file"]
        table.label = "Old mailboxes"
        table.widget.attrs["rows"] = 10
        table.help_text = "One address a line, or copied from a spreadsheet."
        file.label = "Or a file"
        file.help_text = "CSV, as spreadsheets and other panels write it."

    def clean_table(self) -> str:
        return one_a_line(self.cleaned_data["table"])

    def clean(self) -> None:
        super().clean()
        if self.errors or self.sheet is None:
            return
        name = "file" if self.cleaned_data["file"] else "table"
        domain = self.campaign.destination_domain
        try:
            self.people = read_people(self.sheet, domain=domain, person=self.user)
        except Unreadable as exc:
            self.add_error(name, str(exc))
