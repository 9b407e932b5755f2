from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from purelymanage.accounts.models import User
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.addresses import object_to_address, object_to_local_part
from purelymanage.mailboxes.models import Mailbox
from purelymanage.migrations.forms.logins import (
    TOO_LONG,
    no_control_characters,
    password_field,
    user_field,
)
from purelymanage.migrations.forms.options import OptionsForm
from purelymanage.migrations.models import Server
from purelymanage.migrations.operations.jobs import Destination, Wishes

CHOOSE_SERVER = "Choose the server that the old mailbox lies on."


class ServerField(forms.ModelChoiceField[Server]):
    def label_from_instance(self, obj: Server) -> str:
        return f"{obj} ({obj.doubt})" if obj.doubt else str(obj)


class JobForm(OptionsForm):
    """Two mailboxes, and what of the one goes into the other."""

    server = ServerField(
        Server.objects.none(),
        empty_label=None,
        error_messages=dict.fromkeys(["required", "invalid_choice"], CHOOSE_SERVER),
    )
    source_user = user_field(
        label="Old mailbox",
        missing="Write the user name of the old mailbox.",
        help_text="As one signs in there, mostly the whole address.",
    )
    password = password_field(
        label="Its password",
        missing="Enter the password of the old mailbox.",
        help_text="Kept encrypted, erased when the copy is complete.",
    )
    kind = forms.ChoiceField(
        choices=[
            ("own", "A mailbox of this account"),
            ("other", "A mailbox somewhere else"),
        ],
        required=False,
        initial="own",
        widget=forms.RadioSelect,
    )
    destination = forms.CharField(
        label="Mailbox",
        required=False,
        max_length=254,
        validators=[no_control_characters],
        widget=forms.EmailInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "list": "mailboxes"}
        ),
        error_messages={"max_length": TOO_LONG},
    )
    creates_destination = forms.BooleanField(
        label="Create it first if it is not there",
        required=False,
        help_text=(
            "The first copy creates it. Its page then has a link for the owner, which "
            "shows the password once."
        ),
    )
    destination_server = ServerField(
        Server.objects.none(),
        label="Its server",
        required=False,
        empty_label="Choose a server",
        error_messages={"invalid_choice": "Choose the server that it lies on."},
    )
    destination_user = user_field(
        label="User name",
        help_text="As one signs in there, mostly the whole address.",
    )
    destination_password = password_field(
        label="Its password",
        help_text="Tried at once, kept encrypted, erased with the other one.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mailboxes = Mailbox.objects.visible_to(user).present()
        self._domains = Domain.objects.visible_to(user).present()
        for name in ("server", "destination_server"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = Server.objects.visible_to(user).present()
        # What lies elsewhere belongs to no domain, so nobody limited to some sees it.
        self.may_leave_account = user.domain_scope is None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("kind") == "other":
            self._clean_other()
        elif "destination" not in self.errors:
            try:
                self._clean_own()
            except ValidationError as exc:
                self.add_error("destination", exc)
        return cleaned

    def _clean_own(self) -> None:
        address: str = self.cleaned_data["destination"].strip().lower()
        if not address:
            raise ValidationError("Write the mailbox that the mail is to go into.")
        try:
            validate_email(address)
        except ValidationError as exc:
            raise ValidationError(
                "This is not a complete mail address, like anna@example.org."
            ) from exc
        creates = False
        if not self.mailboxes.filter(address=address).exists():
            if not self.cleaned_data["creates_destination"]:
                raise ValidationError(
                    f"There is no mailbox {address} in this account. Let it be created "
                    "first, or sync if it is new."
                )
            self._check_new(address)
            creates = True
        self._destination = Destination(user=address, creates=creates)

    def _check_new(self, address: str) -> None:
        local, _, name = address.rpartition("@")
        domain = self._domains.filter(name=name).first()
        if domain is None:
            raise ValidationError(f"{name} is not a domain of this account.")
        wrong = object_to_local_part(local) or object_to_address(
            local, name, has_subaddressing=domain.symbolic_subaddressing
        )
        if wrong:
            raise ValidationError(wrong)

    def _clean_other(self) -> None:
        if not self.may_leave_account:
            self.add_error(None, "You may only copy into mailboxes of your domains.")
        for name, sentence in (
            ("destination_server", "Choose the server that it lies on."),
            ("destination_user", "Write the user name there."),
            ("destination_password", "Enter the password of this mailbox."),
        ):
            if name not in self.errors and not self.cleaned_data.get(name):
                self.add_error(name, sentence)
        if not self.errors:
            self._destination = Destination(
                user=self.cleaned_data["destination_user"],
                server=self.cleaned_data["destination_server"],
                password=self.cleaned_data["destination_password"],
            )

    @property
    def wanted(self) -> dict[str, Any]:
        """What the operation that prepares the job is told."""
        chosen = self.cleaned_data
        return {
            "server": chosen["server"],
            "source_user": chosen["source_user"],
            "password": chosen["password"],
            "destination": self._destination,
            "wishes": Wishes(options=self.options(), engine=chosen["engine"]),
        }
