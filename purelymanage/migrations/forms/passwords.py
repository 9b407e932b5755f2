from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

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
