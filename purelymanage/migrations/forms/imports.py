"""A table of mailboxes to copy: where it comes from, its columns, and how to go on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from purelymanage.accounts.models import User
from purelymanage.long_selects import LongSelect
from purelymanage.mailboxes.forms.imports import ColumnChoice, TableForm
from purelymanage.migrations.forms.jobs import CHOOSE_SERVER, ServerField
from purelymanage.migrations.forms.options import OptionsForm, initial_of
from purelymanage.migrations.importing.columns import TARGETS
from purelymanage.migrations.models import Batch, EngineChoice, Server
from purelymanage.migrations.operations.batches import Wishes, destination_server_of
from purelymanage.migrations.options import JobOptions
from purelymanage.sheets.reading import Sheet

OF_ACCOUNT = "Mailboxes of this account"
PRIORITIES = [
    ("10", "Before other batches"),
    ("0", "In turn with others"),
    ("-10", "After other batches"),
]
MOST_AT_ONCE = 100


class ImportForm(TableForm):
    """A table, and the servers that its mailboxes lie on."""

    field_order = ("server", "destination", "name", "file", "table")
    server = ServerField(
        Server.objects.none(),
        label="Old server",
        empty_label=None,
        error_messages=dict.fromkeys(["required", "invalid_choice"], CHOOSE_SERVER),
    )
    destination = forms.ModelChoiceField(
        Server.objects.none(),
        label="Where to",
        required=False,
        empty_label=OF_ACCOUNT,
        help_text="Another server needs the passwords of the new mailboxes, too.",
    )
    name = forms.CharField(
        label="Name of the batch",
        max_length=100,
        required=False,
        help_text="To know it by. Otherwise the name of the file.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        files: MultiValueDict[str, UploadedFile[Any]] | None = None,
        *,
        user: User,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, files, initial=initial)
        servers = Server.objects.visible_to(user).present()
        for name in ("server", "destination"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = servers
        if user.domain_scope is not None:
            del self.fields["destination"]
        self.fields["file"].help_text = (
            "Choose one or drop it here: CSV, as spreadsheets and other panels write "
            "it. It is never written to a disk."
        )

    @property
    def batch_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        stem = ((file.name if file else "") or "").rpartition(".")[0].strip()
        return name or stem or f"Mailboxes of {self.cleaned_data['server']}"


class ColumnsForm(ColumnChoice):
    """What each column is, and the domain of names without one."""

    domain = forms.ChoiceField(
        label="Domain of names without one", required=False, widget=LongSelect
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        batch: Batch,
        sheet: Sheet,
        domains: Sequence[str],
        guessed: dict[int, str],
    ) -> None:
        super().__init__(
            data,
            sheet=sheet,
            targets=TARGETS,
            guessed=guessed,
            initial={"domain": batch.wishes.get("domain", "")},
        )
        if destination_server_of(batch) is not None:
            del self.fields["domain"]
            return
        field = self.fields["domain"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", "None: every new mailbox is written whole"),
            *((it, it) for it in domains),
        ]


class DraftForm(OptionsForm):
    """What is meant for all rows of a draft."""

    name = forms.CharField(
        label="Name of the batch",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    creates_missing = forms.BooleanField(
        label="Create mailboxes that are missing",
        required=False,
        help_text="Just before the first copy into them. The page of each copy then "
        "has a link for the owner, which shows a password once.",
    )
    priority = forms.ChoiceField(choices=PRIORITIES, required=False)
    parallel_runs = forms.IntegerField(
        label="Copies at the same time",
        min_value=1,
        max_value=MOST_AT_ONCE,
        required=False,
        help_text="At most, besides the limits of the server and of the queue.",
    )
    starts_at = forms.DateTimeField(
        label="Not before",
        required=False,
        widget=forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}
        ),
        help_text="Logins are tried at once all the same.",
    )
    tells_owners = forms.BooleanField(
        label="Tell the owners",
        required=False,
        help_text="A calm mail into the new mailbox when all of its mail has arrived.",
    )

    def __init__(self, data: QueryDict | None, *, batch: Batch) -> None:
        starts_at = batch.starts_at
        options = JobOptions.read(batch.wishes.get("options", {}))
        super().__init__(
            data,
            initial={
                **initial_of(options, batch.wishes.get("engine", EngineChoice.AUTO)),
                "name": batch.name,
                "creates_missing": batch.wishes.get("creates_missing", False),
                "priority": str(batch.priority),
                "parallel_runs": batch.parallel_runs,
                "starts_at": starts_at and timezone.localtime(starts_at),
                "tells_owners": batch.tells_owners,
            },
        )
        if destination_server_of(batch) is not None:
            del self.fields["creates_missing"]

    @property
    def wishes(self) -> Wishes:
        data = self.cleaned_data
        return Wishes(
            name=data["name"],
            creates_missing=data.get("creates_missing", False),
            options=self.options(),
            engine=data["engine"],
            priority=int(data["priority"] or 0),
            parallel_runs=data["parallel_runs"],
            starts_at=data["starts_at"],
            tells_owners=data["tells_owners"],
        )

    @property
    def has_options(self) -> bool:
        """Whether something about what is copied is chosen or wrong."""
        names = ["since", "skip_trash", "skip_junk"]
        chosen = any(self[it].value() or self[it].errors for it in names)
        return chosen or self["engine"].value() != EngineChoice.AUTO or self.has_more

    @property
    def has_turn(self) -> bool:
        """Whether something about its turn is chosen or wrong."""
        names = ["starts_at", "parallel_runs"]
        chosen = any(self[it].value() or self[it].errors for it in names)
        return chosen or self["priority"].value() not in {"0", "", None}

    def clean_starts_at(self) -> datetime | None:
        starts_at: datetime | None = self.cleaned_data["starts_at"]
        if starts_at is not None and starts_at < timezone.now():
            raise ValidationError("This is over. Choose a time to come, or none.")
        return starts_at
