from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from purelymanage.accounts.models import User
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.forms.passwords import (
    TOO_LONG,
    UNSEEN,
    no_control_characters,
)
from purelymanage.migrations.models import Server

CHOOSE_SERVER = "Choose the server that the old mailbox lies on."


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
