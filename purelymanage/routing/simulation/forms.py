from __future__ import annotations

from typing import Any

from django import forms

from purelymanage.accounts.models import User
from purelymanage.routing.model.words import listed

ATTRS = {
    "autocapitalize": "none",
    "autocomplete": "off",
    "placeholder": "name@example.org",
    "spellcheck": "false",
}


class QuestionForm(forms.Form):
    """Asks about one address, of their own domains for limited people."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def read(self, name: str) -> str:
        address: str = self.cleaned_data[name].lower()
        domain = address.rpartition("@")[2]
        # The same sentence whether or not the account has such a domain.
        if not self.user.covers(domain):
            own = listed(sorted(self.user.domain_scope or []), most=3)
            raise forms.ValidationError(
                f"{domain} is not one of your domains. You can ask about addresses "
                f"at {own}."
            )
        return address


class FollowForm(QuestionForm):
    address = forms.EmailField(
        label="Where mail to this address goes",
        max_length=254,
        widget=forms.EmailInput(attrs=ATTRS),
    )

    def clean_address(self) -> str:
        return self.read("address")


class OriginForm(QuestionForm):
    mailbox = forms.EmailField(
        label="What ends at this mailbox",
        max_length=254,
        widget=forms.EmailInput(attrs=ATTRS),
    )

    def clean_mailbox(self) -> str:
        return self.read("mailbox")
