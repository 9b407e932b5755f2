from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import QueryDict

from purelymanage.mailboxes.addresses import OWN_RECOVERY
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.recovery import Method, plain_phone, same_target

LONGEST_TARGET = 254
TYPES = [("email", "E-mail address"), ("phone", "Phone number")]


class RecoveryForm(forms.Form):
    """One way for an owner to set a new password without an administrator."""

    type = forms.ChoiceField(
        label="How", choices=TYPES, widget=forms.RadioSelect, initial="email"
    )
    target = forms.CharField(
        label="Address or number",
        max_length=LONGEST_TARGET,
        widget=forms.TextInput(
            attrs={
                "autocapitalize": "none",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
        help_text="A number with its country, such as +49 30 1234567.",
    )
    description = forms.CharField(
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Whose it is. The owner sees this at PurelyMail.",
    )
    allow_mfa_reset = forms.BooleanField(
        label="A reset through it also switches off two-factor sign-in",
        required=False,
        initial=True,
        help_text="For an owner who has lost the second factor. Whoever reads what is "
        "sent there then needs nothing else to get in.",
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        mailbox: Mailbox,
        replaces: str = "",
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.mailbox = mailbox
        self.replaces = replaces

    @property
    def method(self) -> Method:
        return Method(
            type=self.cleaned_data["type"],
            target=self.cleaned_data["target"],
            description=self.cleaned_data["description"],
            allow_mfa_reset=self.cleaned_data["allow_mfa_reset"],
        )

    def clean(self) -> None:
        kind, written = (self.cleaned_data.get(it) for it in ("type", "target"))
        if not kind or not written:
            return
        try:
            target = _target(kind, written)
        except ValidationError as exc:
            self.add_error("target", exc)
            return
        # As it was, where it is kept: PurelyMail finds it by how it is written there.
        if same_target(target, self.replaces):
            target = self.replaces
        self.cleaned_data["target"] = target
        others = {it["target"] for it in self.mailbox.recovery_methods}
        if same_target(target, self.mailbox.address):
            self.add_error("target", OWN_RECOVERY)
        elif any(same_target(target, it) for it in others - {self.replaces}):
            self.add_error("target", f"{target} is a recovery method already.")


class SwitchForm(forms.Form):
    """What a switch is to be from now on."""

    on = forms.ChoiceField(choices=[("on", "On"), ("off", "Off")])

    @property
    def is_on(self) -> bool:
        return bool(self.cleaned_data["on"] == "on")


class SwitchOffTwoFactorForm(forms.Form):
    confirmed = forms.BooleanField(
        label="I have made sure that the owner wants this",
        help_text="Whoever calls may not be the owner: ask something that only they "
        "know, or call back.",
        error_messages={"required": "Make sure first, then tick this."},
    )


def _target(kind: str, written: str) -> str:
    if kind == "phone":
        number = plain_phone(written)
        if not number:
            raise ValidationError(
                "Write the number with a plus and its country, such as +49 30 1234567."
            )
        return number
    address = written.strip().lower()
    validate_email(address)
    return address
