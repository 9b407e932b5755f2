from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict

from purelymanage.accounts.models import User
from purelymanage.domains.models import Domain
from purelymanage.mailboxes.bulk.meanings import Meaningless
from purelymanage.migrations.campaigns import rules
from purelymanage.migrations.forms.logins import password_field
from purelymanage.migrations.importing import meanings
from purelymanage.migrations.models import Campaign, Participant
from purelymanage.migrations.operations.launching import Wishes

LARGEST_KEY = 2**63 - 1


def keys_in(written: str) -> frozenset[int]:
    """Return the keys that a page has written down; anything else is none."""
    digits = [it for it in written.split(",") if it.isascii() and it.isdecimal()]
    keys = {int(it) for it in digits if len(it) < 20}
    return frozenset(it for it in keys if it <= LARGEST_KEY)


class LaunchForm(forms.Form):
    """How the copies of a campaign begin."""

    begins = forms.ChoiceField(
        label="Begin with",
        choices=[
            ("plan", "A dry run that counts what there is; copying waits for you"),
            ("copy", "Copying at once"),
        ],
        widget=forms.RadioSelect,
    )
    merges = forms.BooleanField(
        required=False, label="Also those who share a new mailbox with others"
    )
    takes_logins = forms.BooleanField(
        required=False, label="Also those who signed in as somebody else: I agree"
    )
    # Who was shown: nobody else is agreed to.
    logins = forms.CharField(required=False, widget=forms.HiddenInput)
    takes_late_ones = forms.BooleanField(
        required=False,
        label="People of the list whose passwords come later join by themselves",
    )
    tells_owners = forms.BooleanField(
        required=False, label="Tell owners by mail when theirs has arrived"
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        campaign: Campaign,
        logins: Iterable[int] = (),
    ) -> None:
        tells = campaign.batch is None or campaign.batch.tells_owners
        super().__init__(
            data,
            auto_id="id_launch_%s",
            initial={
                "begins": "plan" if campaign.begins_with_plan else "copy",
                "takes_late_ones": campaign.takes_late_ones,
                "tells_owners": tells,
                "logins": ",".join(map(str, logins)),
            },
        )

    def clean_logins(self) -> frozenset[int]:
        return keys_in(self.cleaned_data["logins"])

    @property
    def wishes(self) -> Wishes:
        chosen = self.cleaned_data
        return Wishes(
            begins_with_plan=chosen["begins"] == "plan",
            merges=chosen["merges"],
            logins=chosen["logins"] if chosen["takes_logins"] else frozenset(),
            takes_late_ones=chosen["takes_late_ones"],
            tells_owners=chosen["tells_owners"],
        )


class DestinationForm(forms.Form):
    """Where somebody's mail goes; nothing is what the rule of the campaign says."""

    destination = forms.CharField(
        label="New mailbox",
        max_length=254,
        required=False,
        widget=forms.TextInput(
            attrs={"inputmode": "email", "autocomplete": "off", "spellcheck": "false"}
        ),
    )

    def __init__(
        self, data: QueryDict | None, *, participant: Participant, user: User
    ) -> None:
        super().__init__(
            data, initial={"destination": rules.destination_of(participant)}
        )
        self.user = user
        self.campaign = participant.campaign
        self.usual = rules.usual_destination(self.campaign, participant.address)
        help_text = "If there is no such mailbox yet, it is created at the launch."
        if self.usual:
            help_text += f" Left empty, it is {self.usual}, as the campaign says."
        self.fields["destination"].help_text = help_text

    def clean_destination(self) -> str:
        written: str = self.cleaned_data["destination"].strip()
        if not written:
            return ""
        try:
            found = meanings.destination(written, "", self.campaign.destination_domain)
        except Meaningless as exc:
            raise forms.ValidationError(str(exc)) from None
        domain = found.rpartition("@")[2]
        if not self.user.covers(domain):
            raise forms.ValidationError(f"{domain} is not one of your domains.")
        if not Domain.objects.present().filter(name=domain).exists():
            raise forms.ValidationError(f"{domain} is no domain of this account.")
        return "" if found == self.usual else found


class CameBackForm(forms.Form):
    """What an answer says that came to the sender's mailbox."""

    note = forms.CharField(
        label="What it says",
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Like “user unknown”. Shown at their row.",
    )


class BehalfForm(forms.Form):
    """A password that its owner gave to an administrator."""

    user = forms.CharField(
        label="User name",
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Where it is not the address.",
    )
    password = password_field(
        label="Password of the old mailbox",
        missing="Enter the password of the old mailbox.",
        help_text="A worker tries it within a minute. Kept encrypted, and never shown.",
    )

    def clean_user(self) -> str:
        written: str = self.cleaned_data["user"].strip()
        if not written:
            return ""
        try:
            return meanings.user(written)
        except Meaningless as exc:
            raise forms.ValidationError(str(exc)) from None

    @property
    def login(self) -> dict[str, Any]:
        return {
            "user": self.cleaned_data["user"],
            "password": self.cleaned_data["password"],
        }
