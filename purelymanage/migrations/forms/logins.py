"""The two fields of a login at a mail server, wherever it is asked for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

PLAIN = {"autocomplete": "off", "spellcheck": "false"}
TOO_LONG = "This is longer than any such name can be."


def no_control_characters(value: str) -> None:
    if any(ord(it) < 32 or ord(it) == 127 for it in value):
        raise ValidationError("This has a line break or a character nobody can type.")


def user_field(*, missing: str = "", **details: Any) -> forms.CharField:
    """A user name; `missing` is what is said where one has to be given."""
    return forms.CharField(
        max_length=254,
        widget=forms.TextInput(attrs=PLAIN),
        **_common(missing),
        **details,
    )


def password_field(*, missing: str = "", **details: Any) -> forms.CharField:
    """A password, which is taken as it was typed and never shown again."""
    return forms.CharField(
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs=PLAIN),
        **_common(missing),
        **details,
    )


def _common(missing: str) -> dict[str, Any]:
    messages = {"max_length": TOO_LONG}
    if missing:
        messages["required"] = missing
    return {
        "required": bool(missing),
        "validators": [no_control_characters],
        "error_messages": messages,
    }
