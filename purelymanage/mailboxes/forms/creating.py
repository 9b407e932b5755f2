from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from purelymanage.accounts.models import User
from purelymanage.accounts.passwords import Strength, rate
from purelymanage.domains.models import Domain, DomainQuerySet
from purelymanage.mailboxes import addresses, passwords
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations.creating import Wishes, say_taken

AS_WRITTEN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class CreateMailboxForm(forms.Form):
    """An address, a password, and what PurelyMail is to do with the mailbox."""

    local_part = forms.CharField(
        label="Name",
        widget=forms.TextInput(attrs=AS_WRITTEN),
        error_messages={"required": "Write what stands before the @."},
    )
    domain = forms.ModelChoiceField(
        Domain.objects.none(),
        to_field_name="name",
        empty_label="Choose a domain",
        error_messages={
            "required": "Choose a domain.",
            "invalid_choice": "%(value)s is not a domain of this account.",
        },
    )
    # Shown as it is typed: whoever makes a password has to pass it on.
    password = forms.CharField(
        max_length=200,
        strip=False,
        widget=forms.TextInput(attrs=AS_WRITTEN),
        error_messages={"required": "Write a password, or take the one made for you."},
    )
    recovery_email = forms.EmailField(
        label="Recovery address",
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    reset_allowed = forms.BooleanField(
        label="The owner may reset the password",
        required=False,
        initial=True,
        help_text="Through a recovery method, without asking you. When this is off, "
        "the mail in it is lost with the password, unless the administrator of the "
        "PurelyMail account opens it.",
    )
    search_indexing = forms.BooleanField(
        label="Full-text search",
        required=False,
        initial=True,
        help_text="PurelyMail keeps an index of the mail, so that searching is quick. "
        "The index counts as storage.",
    )
    welcome = forms.BooleanField(
        label="Welcome message by PurelyMail",
        required=False,
        help_text="Off by default: its owner may not know PurelyMail, and a mailbox "
        "that is to be filled from elsewhere should begin empty.",
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        domains: DomainQuerySet,
        user: User,
        initial: dict[str, Any] | None = None,
    ) -> None:
        self.domains = list(domains)
        self.user = user
        super().__init__(_split_address(data, self.domains), initial=initial)
        field = self.fields["domain"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = domains
        if len(self.domains) == 1:
            field.empty_label = None

    @property
    def without_symbols(self) -> list[Domain]:
        """The domains whose mailboxes may have letters and digits only."""
        return [domain for domain in self.domains if domain.symbolic_subaddressing]

    @property
    def address(self) -> str:
        """The address, where both halves of it are valid."""
        local, domain = (self.cleaned_data.get(it) for it in ("local_part", "domain"))
        return f"{local}@{domain}" if local and domain else ""

    @property
    def wishes(self) -> Wishes:
        return Wishes(
            recovery_email=self.cleaned_data["recovery_email"],
            reset_allowed=self.cleaned_data["reset_allowed"],
            search_indexing=self.cleaned_data["search_indexing"],
            welcome=self.cleaned_data["welcome"],
        )

    def rate_password(self) -> Strength:
        local, domain = (self[it].value() or "" for it in ("local_part", "domain"))
        known = passwords.known_words(local, domain)
        return rate(self["password"].value() or "", known=known)

    def clean_local_part(self) -> str:
        local: str = self.cleaned_data["local_part"]
        if "@" in local:
            domain = local.rpartition("@")[2]
            raise forms.ValidationError(f"{domain} is not a domain of this account.")
        if objection := addresses.object_to_local_part(local):
            raise forms.ValidationError(objection)
        return local

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if objection := passwords.object_to_password(password):
            raise forms.ValidationError(objection)
        strength = self.rate_password()
        if not strength.is_good_enough:
            raise forms.ValidationError(passwords.say_weak(strength))
        return password

    def clean(self) -> None:
        local, domain = (self.cleaned_data.get(it) for it in ("local_part", "domain"))
        if not local or not domain:
            return
        objection = addresses.object_to_address(
            local, domain.name, has_subaddressing=domain.symbolic_subaddressing
        )
        if objection:
            self.add_error("local_part", objection)
        elif Mailbox.objects.present().filter(address=self.address).exists():
            self.add_error("local_part", say_taken(self.address, self.user))
        elif self.cleaned_data.get("recovery_email", "").lower() == self.address:
            self.add_error("recovery_email", addresses.OWN_RECOVERY)


def _split_address(data: QueryDict | None, domains: list[Domain]) -> QueryDict | None:
    """Take a pasted address apart, and write it small as PurelyMail does."""
    if data is None:
        return None
    data = data.copy()
    written = data.get("local_part", "").strip().lower()
    local, at, name = written.rpartition("@")
    if at and name in {domain.name for domain in domains}:
        data["domain"] = name
        written = local
    data["local_part"] = written
    return data
