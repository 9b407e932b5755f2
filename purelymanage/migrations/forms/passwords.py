from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from purelymanage.migrations.models import Job

UNSEEN = forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"})
TOO_LONG = "This is longer than any such name can be."


def no_control_characters(value: str) -> None:
    if any(ord(it) < 32 or ord(it) == 127 for it in value):
        raise ValidationError("This has a line break or a character nobody can type.")


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="Password of the old mailbox",
        error_messages={
            "required": "Enter the password of the old mailbox.",
            "max_length": TOO_LONG,
        },
        max_length=1000,
        strip=False,
        validators=[no_control_characters],
        help_text="Tried at once. Kept encrypted, erased when the copy is complete.",
        widget=UNSEEN,
    )
    destination_password = forms.CharField(
        label="Password of the new mailbox",
        error_messages={"max_length": TOO_LONG},
        max_length=1000,
        required=False,
        strip=False,
        validators=[no_control_characters],
        help_text="Leave it empty to keep the one that is stored.",
        widget=UNSEEN,
    )

    def __init__(self, data: QueryDict | None, *, job: Job) -> None:
        super().__init__(data)
        if job.destination_server_id is None:
            del self.fields["destination_password"]
        elif not job.destination_secret:
            field = self.fields["destination_password"]
            field.required, field.help_text = True, ""

    @property
    def passwords(self) -> dict[str, Any]:
        return {
            "password": self.cleaned_data["password"],
            "destination_password": self.cleaned_data.get("destination_password", ""),
        }
