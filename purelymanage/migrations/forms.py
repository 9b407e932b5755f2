from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from purelymanage.accounts.models import User
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.models import Server

HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f:]+:[0-9a-f:.]*")
UNSEEN = forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"})
TOO_LONG = "This is longer than any such name can be."
PORTS = "A port is a number from 1 to 65535, mostly 993."
CHOOSE_SERVER = "Choose the server that the old mailbox lies on."


def no_control_characters(value: str) -> None:
    if any(ord(it) < 32 or ord(it) == 127 for it in value):
        raise ValidationError("This has a line break or a character nobody can type.")


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


class ServerField(forms.ModelChoiceField[Server]):
    def label_from_instance(self, obj: Server) -> str:
        return f"{obj} ({obj.doubt})" if obj.doubt else str(obj)


class JobForm(forms.Form):
    server = ServerField(
        Server.objects.none(),
        empty_label=None,
        error_messages=dict.fromkeys(["required", "invalid_choice"], CHOOSE_SERVER),
    )
    source_user = forms.CharField(
        label="Old mailbox",
        max_length=254,
        validators=[no_control_characters],
        help_text="As one signs in there, mostly the whole address.",
        error_messages={
            "required": "Write the user name of the old mailbox.",
            "max_length": TOO_LONG,
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Its password",
        error_messages={
            "required": "Enter the password of the old mailbox.",
            "max_length": TOO_LONG,
        },
        max_length=1000,
        strip=False,
        validators=[no_control_characters],
        help_text="Kept encrypted, erased when the copy is complete.",
        widget=UNSEEN,
    )
    destination = forms.EmailField(
        label="Mailbox of this account",
        help_text=(
            "No password needed: the panel makes an app password and revokes it "
            "afterwards."
        ),
        widget=forms.EmailInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "list": "mailboxes",
                "placeholder": "name@example.org",
            }
        ),
        error_messages={
            "required": "Choose the mailbox that the mail is copied into.",
            "invalid": "This is not a complete mail address.",
            "max_length": TOO_LONG,
        },
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mailboxes = Mailbox.objects.visible_to(user).present()
        servers = self.fields["server"]
        assert isinstance(servers, forms.ModelChoiceField)
        servers.queryset = Server.objects.visible_to(user)

    def clean_destination(self) -> Mailbox:
        address: str = self.cleaned_data["destination"].lower()
        mailbox = self.mailboxes.filter(address=address).first()
        if mailbox is None:
            raise ValidationError(
                f"There is no mailbox {address} in this account. Create it first, or "
                "sync if it is new."
            )
        return mailbox


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
