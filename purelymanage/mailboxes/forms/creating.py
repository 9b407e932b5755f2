from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from purelymanage.audit.actors import Actor
from purelymanage.domains.models import Domain, DomainQuerySet
from purelymanage.long_selects import LongSelect
from purelymanage.mailboxes import addresses
from purelymanage.mailboxes.forms.passwords import (
    AS_WRITTEN,
    RESET_HELP,
    PasswordForm,
)
from purelymanage.mailboxes.models import Mailbox
from purelymanage.mailboxes.operations.creating import Wishes, say_taken
from purelymanage.mailboxes.recovery import plain_phone


class CreateMailboxForm(PasswordForm):
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
        widget=LongSelect,
        error_messages={
            "required": "Choose a domain.",
            "invalid_choice": "%(value)s is not a domain of this account.",
        },
    )
    recovery_email = forms.EmailField(
        label="Recovery address",
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    recovery_phone = forms.CharField(
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}),
    )
    reset_allowed = forms.BooleanField(
        label="The owner may reset the password",
        required=False,
        initial=True,
        help_text=RESET_HELP,
    )
    search_indexing = forms.BooleanField(
        label="Search indexing",
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
        user: Actor,
        initial: dict[str, Any] | None = None,
        name: str = "",  # what somebody searched for, a whole address or its beginning
    ) -> None:
        domains = domains.only("name", "symbolic_subaddressing")
        self.domains = list(domains)
        self.user = user
        super().__init__(
            _split_address(data, self.domains),
            initial=(initial or {}) | self._begin_with(name),
        )
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
            recovery_phone=self.cleaned_data["recovery_phone"],
            reset_allowed=self.cleaned_data["reset_allowed"],
            search_indexing=self.cleaned_data["search_indexing"],
            welcome=self.cleaned_data["welcome"],
        )

    @property
    def names(self) -> list[str]:
        return [self[it].value() or "" for it in ("local_part", "domain")]

    def _begin_with(self, name: str) -> dict[str, str]:
        local, domain = _take_apart(name, self.domains)
        return {"local_part": local} | ({"domain": domain} if domain else {})

    def clean_local_part(self) -> str:
        local: str = self.cleaned_data["local_part"]
        if "@" in local:
            domain = local.rpartition("@")[2]
            raise forms.ValidationError(f"{domain} is not a domain of this account.")
        if objection := addresses.object_to_local_part(local):
            raise forms.ValidationError(objection)
        return local

    def clean_recovery_phone(self) -> str:
        written: str = self.cleaned_data["recovery_phone"]
        plain = plain_phone(written)
        if written and not plain:
            raise forms.ValidationError(
                "Write the number with its country, like +49 170 1234567."
            )
        return plain

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
    local, domain = _take_apart(data.get("local_part", ""), domains)
    if domain:
        data["domain"] = domain
    data["local_part"] = local
    return data


def _take_apart(written: str, domains: list[Domain]) -> tuple[str, str]:
    """Return both halves of an address, the second empty unless it is one of ours."""
    written = written.strip().lower()
    local, _, name = written.rpartition("@")
    return (local, name) if name in {it.name for it in domains} else (written, "")
