from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from purelymanage.domains.models import Domain, DomainQuerySet
from purelymanage.long_selects import LongSelect
from purelymanage.mailboxes.followers import Rename
from purelymanage.mailboxes.forms.passwords import AS_WRITTEN
from purelymanage.mailboxes.models import Mailbox


class RenameForm(forms.Form):
    """The new name, and afterwards what a person was shown of its effects."""

    local_part = forms.CharField(
        label="New name",
        widget=forms.TextInput(attrs=AS_WRITTEN),
        error_messages={"required": "Write what stands before the @."},
    )
    domain = forms.ModelChoiceField(
        Domain.objects.none(),
        to_field_name="name",
        empty_label=None,
        widget=LongSelect,
        error_messages={
            "required": "Choose a domain.",
            "invalid_choice": "%(value)s is not a domain of this account.",
        },
    )
    with_rule = forms.BooleanField(
        label="Keep mail to the old name",
        required=False,
        initial=True,
        help_text="A rule for exactly the old name sends its mail to the new one. "
        "Without it such mail is refused, or a rule for any address takes it.",
    )
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: QueryDict | None,
        *,
        mailbox: Mailbox,
        domains: DomainQuerySet,
    ) -> None:
        initial: dict[str, Any] = {
            "local_part": mailbox.local_part,
            "domain": mailbox.domain,
        }
        super().__init__(data, initial=initial)
        self.mailbox = mailbox
        field = self.fields["domain"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = domains.only("name")

    def clean_local_part(self) -> str:
        return str(self.cleaned_data["local_part"]).lower()

    @property
    def rename(self) -> Rename:
        domain = self.cleaned_data["domain"].name
        return Rename(
            self.mailbox.address,
            f"{self.cleaned_data['local_part']}@{domain}",
            with_rule=self.cleaned_data["with_rule"],
        )
