from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from purelymanage.migrations.forms.passwords import (
    TOO_LONG,
    UNSEEN,
    no_control_characters,
)
from purelymanage.migrations.models import Server

HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f:]+:[0-9a-f:.]*")
PORTS = "A port is a number from 1 to 65535, mostly 993."


class ServerForm(forms.ModelForm[Server]):
    """A server, and optionally a login to try it with, which is not stored."""

    try_user = forms.CharField(
        label="User name",
        required=False,
        max_length=254,
        error_messages={"max_length": TOO_LONG},
        validators=[no_control_characters],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    try_password = forms.CharField(
        label="Password",
        required=False,
        max_length=1000,
        error_messages={"max_length": TOO_LONG},
        strip=False,
        validators=[no_control_characters],
        widget=UNSEEN,
    )

    class Meta:
        model = Server
        fields = ["name", "host", "port", "security", "verify_certificate"]
        labels = {
            "name": "Name",
            "host": "Host name",
            "security": "Protection",
            "verify_certificate": "Check the certificate",
        }
        help_texts = {
            "name": "As your colleagues call it, like “Old provider”.",
            "port": "Usually 993 with TLS, 143 otherwise.",
            "verify_certificate": (
                "Without it, somebody on the way could pose as this server and read "
                "the passwords. Switch it off only for a server you know."
            ),
        }
        error_messages = {
            "name": {
                "required": "Give it a name, so that others know which one it is.",
                "max_length": "Use a name of at most 100 characters.",
            },
            "host": {
                "required": "Write the host name, like imap.old-provider.example.",
                "max_length": TOO_LONG,
            },
            "port": dict.fromkeys(
                ["required", "invalid", "min_value", "max_value"], PORTS
            ),
            "security": dict.fromkeys(
                ["required", "invalid_choice"],
                "Choose how the connection is protected.",
            ),
        }
        widgets = {
            "host": forms.TextInput(
                attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}
            ),
        }

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Server.objects.exclude(pk=self.instance.pk)
        if others.filter(name__iexact=name).exists():
            raise ValidationError("There is a server with this name already.")
        return name

    def clean_host(self) -> str:
        host: str = self.cleaned_data["host"].lower().rstrip(".")
        if not HOST.fullmatch(host):
            raise ValidationError(
                "Write only the host name, like imap.old-provider.example."
            )
        return host

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        user = self.cleaned_data.get("try_user")
        password = self.cleaned_data.get("try_password")
        if password and not user and "try_user" not in self.errors:
            self.add_error("try_user", "Whose password is it?")
        if user and not password and "try_password" not in self.errors:
            self.add_error("try_password", f"Enter the password of {user}.")
        return cleaned
