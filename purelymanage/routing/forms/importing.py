from __future__ import annotations

from django import forms

from purelymanage.mailboxes.forms.imports import TableForm


class ImportRulesForm(TableForm):
    """A table of rules, from a file or pasted."""

    field_order = ("file", "table")
    file = forms.FileField(
        label="File",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        help_text="CSV, with the names of the columns in its first line.",
    )
