"""A table of mailboxes: where it comes from, and what its columns are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from purelymanage.figures import in_bytes
from purelymanage.long_selects import LongSelect
from purelymanage.mailboxes.bulk.wanted import TARGETS, Defaults
from purelymanage.mailboxes.models import Bulk
from purelymanage.mailboxes.tags import object_to_tags, read_tags
from purelymanage.sheets.cells import as_meant
from purelymanage.sheets.columns import Target, objections
from purelymanage.sheets.errors import Unreadable
from purelymanage.sheets.reading import MOST_BYTES, Sheet, read

KINDS = [
    (Bulk.Kind.CREATE.value, "Create and change mailboxes"),
    (Bulk.Kind.RESET.value, "Set new passwords"),
    (Bulk.Kind.FLAGS.value, "Set switches"),
    (Bulk.Kind.TAG.value, "Add and take away tags"),
    (Bulk.Kind.DELETE.value, "Ask for their deletion"),
]
PASTED = "pasted table"
NOTHING = "Choose a file, or paste a table."


class TableForm(forms.Form):
    """A file or a pasted table, read when it is checked."""

    file = forms.FileField(
        label="File",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        help_text="Choose one or drop it here: CSV as Excel, Google Workspace, Microsoft "
        "365 or Zoho write it. It is never written to a disk.",
    )
    table = forms.CharField(
        label="Or paste a table",
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}
        ),
        help_text="Copied from a spreadsheet, with the names of the columns above.",
    )

    sheet: Sheet | None = None

    def clean_file(self) -> UploadedFile[Any] | None:
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if file and (file.size or 0) > MOST_BYTES:
            raise ValidationError(
                f"This file has {in_bytes(file.size)}; at most {in_bytes(MOST_BYTES)} "
                "are read at once. Split it."
            )
        return file

    def clean(self) -> None:
        if self.errors:
            return
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        table: str = self.cleaned_data["table"]
        if not file and not table.strip():
            self.add_error("file", NOTHING)
            return
        name = "file" if file else "table"
        data = file.read() if file else table.encode(errors="replace")
        try:
            self.sheet = read(data, (file.name if file else "") or PASTED)
        except Unreadable as exc:
            self.add_error(name, str(exc))


class ImportForm(TableForm):
    """A table of mailboxes, and what to do with them."""

    field_order = ("kind", "file", "table")
    kind = forms.ChoiceField(
        label="What to do with the rows", choices=KINDS, initial=Bulk.Kind.CREATE
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        files: MultiValueDict[str, UploadedFile[Any]] | None = None,
        *,
        kinds: Sequence[str],
    ) -> None:
        super().__init__(data, files)
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [it for it in KINDS if it[0] in kinds]


class ColumnChoice(forms.Form):
    """What each column of a sheet is, of some targets."""

    def __init__(
        self,
        data: QueryDict | None,
        *,
        sheet: Sheet,
        targets: Sequence[Target],
        guessed: dict[int, str],
        initial: dict[str, Any],
    ) -> None:
        super().__init__(data, initial=initial)
        self.sheet = sheet
        self.targets = targets
        choices = [("", "Not used")]
        choices += [(it.name, it.label.capitalize()) for it in targets]
        for number, name in enumerate(sheet.header):
            self.fields[f"column{number}"] = forms.ChoiceField(
                label=" ".join(name.split()) or f"Column {number + 1}",
                choices=choices,
                required=False,
                initial=guessed.get(number, ""),
            )

    @property
    def columns(self) -> dict[int, str]:
        chosen = {
            number: self.cleaned_data.get(f"column{number}", "")
            for number in range(len(self.sheet.header))
        }
        return {number: target for number, target in chosen.items() if target}

    @property
    def column_fields(self) -> list[tuple[forms.BoundField, str]]:
        """The columns, each with what stands in its first rows."""
        return [
            (self[f"column{number}"], self._example(number))
            for number in range(len(self.sheet.header))
        ]

    def clean(self) -> None:
        found = objections(self.columns, self.sheet.header, self.targets)
        if found:
            raise ValidationError(" ".join(found))

    def _example(self, number: int) -> str:
        """Return what stands in a column first; of what may be a secret, a hint."""
        chosen = self[f"column{number}"].value()
        cells = (" ".join(row.cells[number].split()) for row in self.sheet.rows[:50])
        example = next((it for it in cells if it), "")
        if not example or any(it.is_secret for it in self.targets if it.name == chosen):
            return "not shown" if example else ""
        return as_meant(example)[:60] if chosen else f"{example[:2]}…"


class ColumnsForm(ColumnChoice):
    """What each column is, and what is meant for all rows."""

    default_domain = forms.ChoiceField(
        label="Domain of names without one", required=False, widget=LongSelect
    )
    passwords = forms.ChoiceField(
        label="Passwords",
        choices=[
            ("made", "Make them here, handed over by one-time links"),
            ("file", "Take those of the file for new mailboxes"),
        ],
        initial="made",
        widget=forms.RadioSelect,
    )
    change_existing = forms.BooleanField(
        label="Change mailboxes that exist already",
        required=False,
        initial=True,
        help_text="Switches, recovery and tags become as the file has them. Otherwise "
        "such a row is an error.",
    )
    reset_existing = forms.BooleanField(
        label="Give them new passwords, too", required=False
    )
    reset_allowed = forms.BooleanField(
        label="The owner may reset the password",
        required=False,
        initial=True,
        help_text="Of new mailboxes, where the file does not say.",
    )
    search_indexing = forms.BooleanField(
        label="Search indexing",
        required=False,
        initial=True,
        help_text="Of new mailboxes, where the file does not say.",
    )
    tags = forms.CharField(
        label="Tags for all of them",
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="With commas between.",
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        sheet: Sheet,
        kind: str,
        domains: Sequence[str],
        guessed: dict[int, str],
        initial: dict[str, Any],
    ) -> None:
        self.is_creation = kind == Bulk.Kind.CREATE
        super().__init__(
            data,
            sheet=sheet,
            targets=TARGETS if self.is_creation else TARGETS[:1],
            guessed=guessed,
            initial=initial,
        )
        if not self.is_creation:
            for name in set(self.base_fields) - {"default_domain"}:
                del self.fields[name]
        domain = self.fields["default_domain"]
        assert isinstance(domain, forms.ChoiceField)
        domain.choices = [
            ("", "None: every address is whole"),
            *((it, it) for it in domains),
        ]

    @property
    def defaults(self) -> Defaults:
        data = self.cleaned_data
        if not self.is_creation:
            return Defaults(domain=data["default_domain"])
        return Defaults(
            domain=data["default_domain"],
            passwords_from_file=data["passwords"] == "file",
            reset_existing=data["reset_existing"],
            change_existing=data["change_existing"],
            reset_allowed=data["reset_allowed"],
            search_indexing=data["search_indexing"],
            tags=tuple(read_tags(data["tags"])),
        )

    def clean_tags(self) -> str:
        text: str = self.cleaned_data["tags"]
        if objection := object_to_tags(read_tags(text)):
            raise ValidationError(objection)
        return text

    def clean(self) -> None:
        super().clean()
        if (
            self.cleaned_data.get("passwords") == "file"
            and "password" not in self.columns.values()
        ):
            self.add_error("passwords", "No column is the password. Choose it.")
