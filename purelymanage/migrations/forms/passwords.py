from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from purelymanage.migrations.forms.logins import password_field
from purelymanage.migrations.models import Job


class PasswordForm(forms.Form):
    password = password_field(
        label="Password of the old mailbox",
        missing="Enter the password of the old mailbox.",
        help_text="Tried at once. Kept encrypted, erased when the copy is complete.",
    )
    destination_password = password_field(
        label="Password of the new mailbox",
        help_text="Leave it empty to keep the one that is stored.",
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
