from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from purelymanage.migrations.campaigns.texts.form import Words

LONGEST_PASSWORD = 1_000
LONGEST_ADDRESS = LONGEST_USER = 254
# What no user name holds, and what could break a command in two.
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


class GatherForm(forms.Form):
    """Asks an owner for the password of their old mailbox, in their language."""

    address = forms.EmailField(
        max_length=LONGEST_ADDRESS,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )
    password = forms.CharField(
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    user = forms.CharField(
        required=False,
        max_length=LONGEST_USER,
        validators=[RegexValidator(PRINTABLE, code="invalid")],
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    consent = forms.BooleanField()

    def __init__(
        self, *args: Any, words: Words, address: str = "", **kwargs: Any
    ) -> None:
        """With `address` it is about that mailbox and no other."""
        super().__init__(*args, **kwargs)
        self.words, self.known_address = words, address
        if address:
            del self.fields["address"]
        messages = {
            "address": (words.address_missing, words.address_wrong),
            "password": (words.password_missing, words.password_too_long),
            "user": (words.user_wrong, words.user_wrong),
            "consent": (words.consent_missing, words.consent_missing),
        }
        codes = ("invalid", "max_length", "null_characters_not_allowed")
        for name, field in self.fields.items():
            missing, wrong = messages[name]
            field.label = getattr(words, name)
            field.error_messages |= dict.fromkeys(codes, wrong) | {"required": missing}
        self.fields["password"].help_text = words.password_help
        self.fields["user"].help_text = words.user_help
        if "address" in self.fields:
            self.fields["address"].help_text = words.address_help

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        return address.lower()

    def clean(self) -> None:
        # Its field comes back empty, which is easily missed beside another fault.
        if self.errors and "password" in self.cleaned_data:
            self.add_error("password", self.words.password_again)

    @property
    def begun_anew(self) -> GatherForm:
        """A form with the address alone: consent is given to each page."""
        typed = {"address": self.cleaned_data.get("address", "")}
        return GatherForm(words=self.words, address=self.known_address, initial=typed)

    @property
    def mailbox(self) -> str:
        return self.known_address or str(self.cleaned_data["address"])

    @property
    def other_user(self) -> str:
        """Who signs in, where it is not the address."""
        user: str = self.cleaned_data["user"]
        return "" if user.casefold() == self.mailbox.casefold() else user
