from __future__ import annotations

from django import forms

from purelymanage.mailboxes.tags import LONGEST, MOST, object_to_tags, read_tags

LONGEST_NOTE = 2_000


class NotesForm(forms.Form):
    """A note and tags, and a sign of what they were when the form was shown."""

    tags = forms.CharField(
        required=False,
        max_length=2 * MOST * LONGEST,
        widget=forms.TextInput(
            attrs={
                "autocapitalize": "none",
                "autocomplete": "off",
                "list": "known-tags",
            }
        ),
        help_text="Separated by commas, such as sales, external.",
    )
    note = forms.CharField(
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="For administrators. Nobody at PurelyMail sees it, nor does the "
        "owner. No passwords, please.",
    )
    shown = forms.CharField(max_length=16, widget=forms.HiddenInput)

    def clean_tags(self) -> list[str]:
        tags = read_tags(self.cleaned_data["tags"])
        if objection := object_to_tags(tags):
            raise forms.ValidationError(objection)
        return tags

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        return note.replace("\r\n", "\n")
