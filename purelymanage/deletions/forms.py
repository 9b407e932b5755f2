from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from purelymanage.deletions.models import Kind
from purelymanage.deletions.registry import Subject

UNTYPED = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class RequestForm(forms.Form):
    """Asks for the name to be typed out where much goes at once.

    `shown` remembers what the person has seen, so that nobody agrees to more.
    """

    shown = forms.CharField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(
        label="Reason",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    lock = forms.BooleanField(
        label="Lock it now",
        required=False,
        help_text=(
            "Sets a random password that nobody knows and revokes the app passwords "
            "made by this panel; mail still arrives. App passwords that its owner made "
            "at PurelyMail keep working. If you cancel later, the old password does "
            "not come back: its owner then needs a new one."
        ),
    )
    route_to = forms.EmailField(
        label="Send its mail to",
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs=UNTYPED | {"placeholder": "name@example.org"}),
        help_text=(
            "From now on, by a rule for this address that stays after the deletion. "
            "If you cancel, the rule is removed."
        ),
    )
    confirm = forms.CharField(
        required=False, widget=forms.TextInput(attrs=dict(UNTYPED))
    )

    def __init__(
        self, *args: Any, kind: str, subjects: list[Subject], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.subjects = subjects
        self.to_type = self._to_type(kind)
        if not self.to_type:
            del self.fields["confirm"]
        else:
            self.fields["confirm"].label = f"Type {self.to_type} to confirm"
        if kind != Kind.MAILBOX or len(subjects) > 1:
            del self.fields["lock"], self.fields["route_to"]

    def _to_type(self, kind: str) -> str:
        """Return what has to be typed: a domain's name, or how many go at once."""
        if len(self.subjects) > 1:
            return str(len(self.subjects))
        return self.subjects[0].label if kind == Kind.DOMAIN else ""

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"].strip()
        if typed.lower() != self.to_type.lower():
            raise ValidationError(f"Type {self.to_type} here, nothing else.")
        return typed

    def clean_route_to(self) -> str:
        address: str = self.cleaned_data["route_to"].lower()
        if address and address == self.subjects[0].key:
            raise ValidationError("Its mail has to go to another address.")
        return address

    @property
    def wishes(self) -> dict[str, Any]:
        """What the operation wants to know, besides the objects and the person."""
        data = self.cleaned_data
        return {
            "shown": data["shown"],
            "reason": data["reason"],
            "lock": data.get("lock", False),
            "route_to": data.get("route_to", ""),
        }


class DecideForm(forms.Form):
    """What the second person says."""

    decision = forms.ChoiceField(choices=[("approve", ""), ("refuse", "")])
    note = forms.CharField(max_length=200, required=False)
