from __future__ import annotations

from django import forms
from django.db import models


class AppPasswordForm(forms.Form):
    class Way(models.TextChoices):
        SHOW = "show", "Show it here, once"
        LINK = "link", "Make a link that shows it to the owner once"

    name = forms.CharField(
        label="Name",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Such as the device. PurelyMail shows it to the owner in the portal.",
        error_messages={"required": "Write what to call it."},
    )
    purpose = forms.CharField(
        label="Purpose",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="For your colleagues. It is kept in this panel only.",
    )
    way = forms.ChoiceField(
        label="How it reaches the owner",
        choices=Way,
        initial=Way.SHOW,
        widget=forms.RadioSelect,
    )

    @property
    def wants_link(self) -> bool:
        return bool(self.cleaned_data["way"] == self.Way.LINK)
