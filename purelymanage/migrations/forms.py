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


def no_control_characters(value: str) -> None:
    if any(ord(it) < 32 or ord(it) == 127 for it in value):
        raise ValidationError("This has a line break or a character nobody can type.")


class ServerForm(forms.ModelForm[Server]):
    """A server, and optionally a login to try it with, which is not stored."""

    try_user = forms.CharField(
        label="User name",
        required=False,
        max_length=254,
        validators=[no_control_characters],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    try_password = forms.CharField(
        label="Password",
        required=False,
        max_length=1000,
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
            "name": {"unique": "There is a server with this name already."},
        }
        widgets = {
            "host": forms.TextInput(
                attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}
            ),
        }

    def clean_host(self) -> str:
        host: str = self.cleaned_data["host"].lower().rstrip(".")
        if not HOST.fullmatch(host):
            raise ValidationError(
                "Write only the host name, like imap.old-provider.example."
            )
        return host

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("try_password") and not self.cleaned_data.get(
            "try_user"
        ):
            self.add_error("try_user", "Whose password is it?")
        return cleaned


class JobForm(forms.Form):
    server = forms.ModelChoiceField(Server.objects.none(), empty_label=None)
    source_user = forms.CharField(
        label="Old mailbox",
        max_length=254,
        validators=[no_control_characters],
        help_text="As one signs in there, mostly the whole address.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Its password",
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
        error_messages={"invalid": "This is not a complete mail address."},
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
        max_length=1000,
        strip=False,
        validators=[no_control_characters],
        help_text="Tried at once. Kept encrypted, erased when the copy is complete.",
        widget=UNSEEN,
    )
