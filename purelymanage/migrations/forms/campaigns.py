from __future__ import annotations

from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format

from purelymanage.accounts.models import User
from purelymanage.domains.models import Domain
from purelymanage.migrations.campaigns import mails, texts
from purelymanage.migrations.forms.jobs import CHOOSE_SERVER, ServerField
from purelymanage.migrations.forms.logins import no_control_characters
from purelymanage.migrations.models import Campaign, Server
from purelymanage.migrations.operations.campaigns import DAYS, USUAL_DAYS, Wishes

WRITTEN = (
    "purpose",
    "retention",
    "invitation_subject",
    "invitation_text",
    "reminder_subject",
    "reminder_text",
)
PLAIN = {"autocomplete": "off"}
RULES = [
    (Campaign.Rule.SAME.value, "The same name at one of our domains"),
    (Campaign.Rule.MAPPED.value, "As a table says that I upload next"),
    (Campaign.Rule.REVIEWED.value, "I choose for each when I review them"),
]


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


def _lines(text: str) -> str:
    """Return a text as it was written, not as browsers send it."""
    return text.replace("\r\n", "\n")


class CampaignForm(forms.Form):
    """What a campaign is about, and everything that owners get to read."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        validators=[no_control_characters],
        help_text="For you and your colleagues. Owners do not see it.",
        widget=forms.TextInput(attrs=PLAIN),
    )
    server = ServerField(
        Server.objects.none(),
        label="Old server",
        empty_label=None,
        error_messages=dict.fromkeys(["required", "invalid_choice"], CHOOSE_SERVER),
    )
    rule = forms.ChoiceField(
        label="New mailboxes",
        choices=RULES,
        initial=Campaign.Rule.SAME,
        widget=forms.RadioSelect,
    )
    destination_domain = forms.ChoiceField(label="Domain", required=False)
    days = forms.TypedChoiceField(
        label="Open for",
        choices=[(it, f"{it} days") for it in DAYS],
        coerce=int,
        initial=USUAL_DAYS,
        help_text="You can close it earlier. A week after its end, everything about "
        "its people is erased.",
    )
    language = forms.ChoiceField(
        label="Language of owners", choices=Campaign.Language.choices
    )
    signed_by = forms.CharField(
        label="Who asks",
        max_length=100,
        validators=[no_control_characters],
        help_text="Stands above the form and below the mails, like “Example Ltd”.",
        widget=forms.TextInput(attrs=PLAIN),
    )
    contact = forms.EmailField(
        label="Whom owners ask",
        max_length=254,
        help_text="An address that they know, and that they can still reach.",
    )
    purpose = forms.CharField(label="Why", max_length=2000, widget=_area(4))
    retention = forms.CharField(
        label="What happens to the password", max_length=1000, widget=_area(5)
    )
    invitation_subject = forms.CharField(
        label="Subject of the invitation",
        max_length=150,
        validators=[no_control_characters],
        widget=forms.TextInput(attrs=PLAIN),
    )
    invitation_text = forms.CharField(
        label="Invitation", max_length=5000, widget=_area(16)
    )
    reminder_subject = forms.CharField(
        label="Subject of the reminder",
        max_length=150,
        validators=[no_control_characters],
        widget=forms.TextInput(attrs=PLAIN),
    )
    reminder_text = forms.CharField(label="Reminder", max_length=5000, widget=_area(14))

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        user: User,
        initial: dict[str, Any] | None = None,
    ) -> None:
        language = Campaign.Language.ENGLISH.value
        usual = {name: getattr(texts.of(language), name) for name in WRITTEN}
        super().__init__(data, initial=usual | (initial or {}))
        self.user = user
        server = self.fields["server"]
        assert isinstance(server, forms.ModelChoiceField)
        server.queryset = Server.objects.visible_to(user).present()
        domains = Domain.objects.visible_to(user).present().order_by("name")
        self.domains = list(domains.values_list("name", flat=True))
        field = self.fields["destination_domain"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(it, it) for it in self.domains]

    @property
    def wishes(self) -> Wishes:
        return Wishes(**self.cleaned_data)

    @property
    def placeholders(self) -> list[str]:
        return [f"{{{it}}}" for it in mails.PLACEHOLDERS]

    @property
    def takes_usual_texts(self) -> bool:
        """Whether somebody asked for the texts of the language chosen."""
        return "texts" in self.data

    def with_usual_texts(self) -> Self:
        """Return the form as it was filled in, with our texts in its language."""
        data = dict(self.data.items())
        language = data.get("language", "")
        if language in Campaign.Language:
            for name in WRITTEN:
                data[name] = getattr(texts.of(language), name)
        filled = {it: data.get(it) for it in self.fields if it in data}
        return self._anew(filled)

    def _anew(self, initial: dict[str, Any]) -> Self:
        return type(self)(user=self.user, initial=initial)

    def _translate(self, cleaned: dict[str, Any]) -> None:
        """Let texts that nobody wrote be in the language that was chosen."""
        language = cleaned.get("language")
        for other in texts.BY_LANGUAGE.values():
            if language is None or other.language == language:
                continue
            for name in WRITTEN:
                if cleaned.get(name) == getattr(other, name).strip():
                    cleaned[name] = getattr(texts.of(language), name)

    def clean_purpose(self) -> str:
        return _lines(self.cleaned_data["purpose"])

    def clean_retention(self) -> str:
        return _lines(self.cleaned_data["retention"])

    def clean_invitation_subject(self) -> str:
        return self._checked("invitation_subject")

    def clean_reminder_subject(self) -> str:
        return self._checked("reminder_subject")

    def clean_invitation_text(self) -> str:
        return self._checked("invitation_text", needs_link=True)

    def clean_reminder_text(self) -> str:
        return self._checked("reminder_text", needs_link=True)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("rule") != Campaign.Rule.SAME:
            cleaned["destination_domain"] = ""
        elif "destination_domain" not in self.errors and not cleaned.get(
            "destination_domain"
        ):
            self.add_error("destination_domain", "Choose the domain of the mailboxes.")
        self._translate(cleaned)
        return cleaned

    def _checked(self, name: str, *, needs_link: bool = False) -> str:
        text = _lines(self.cleaned_data[name])
        if objection := mails.object_to(text, needs_link=needs_link):
            raise ValidationError(objection)
        return text


class EditCampaignForm(CampaignForm):
    """What can still be changed, all of which is filled in."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        user: User,
        campaign: Campaign,
        initial: dict[str, Any] | None = None,
    ) -> None:
        self.campaign = campaign
        present = {it: getattr(campaign, it) for it in self.base_fields if it != "days"}
        super().__init__(data, user=user, initial=present | (initial or {}))
        days = self.fields["days"]
        assert isinstance(days, forms.TypedChoiceField)
        days.label, days.required, days.empty_value = "Ends", False, None
        days.initial = None
        ends_at = date_format(timezone.localtime(campaign.ends_at), "j F Y, H:i")
        days.choices = [
            ("", f"As it is: {ends_at}"),
            *((it, f"{it} days from now") for it in DAYS),
        ]
        # One that left the account meanwhile stays until another is chosen.
        domain = self.fields["destination_domain"]
        assert isinstance(domain, forms.ChoiceField)
        present_domain = campaign.destination_domain
        if present_domain and present_domain not in self.domains:
            names = [present_domain, *self.domains]
            domain.choices = [(it, it) for it in names]

    def _anew(self, initial: dict[str, Any]) -> Self:
        return type(self)(user=self.user, campaign=self.campaign, initial=initial)
