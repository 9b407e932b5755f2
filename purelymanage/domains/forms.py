from __future__ import annotations

from django import forms

from purelymanage.domains.dns.names import BadName, domain_name


class AddDomainForm(forms.Form):
    name = forms.CharField(
        label="Domain",
        max_length=2_000,  # whole addresses are pasted
        help_text="Paste it as you have it: an address of a web page will do.",
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "inputmode": "url",
            }
        ),
    )
    allow_account_reset = forms.BooleanField(
        label="Account recovery by this domain",
        required=False,
        help_text="Whoever controls the domain could then take over the whole "
        "PurelyMail account. PurelyMail switches it on by itself; unless you tick "
        "this, the panel switches it off.",
    )

    def clean_name(self) -> str:
        try:
            return domain_name(self.cleaned_data["name"])
        except BadName as exc:
            raise forms.ValidationError(str(exc)) from exc


class SwitchForm(forms.Form):
    """What a switch is to be from now on."""

    on = forms.ChoiceField(choices=[("on", "On"), ("off", "Off")])

    @property
    def is_on(self) -> bool:
        return bool(self.cleaned_data["on"] == "on")
