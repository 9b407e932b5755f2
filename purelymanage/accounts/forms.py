from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from purelymanage.accounts.domain_names import known_domains
from purelymanage.accounts.models import Invitation, Organisation, User
from purelymanage.accounts.operations.organisation import Decisions
from purelymanage.accounts.permissions import Role

ALL, SOME = "all", "some"
ROLE_HELP = {
    Role.OWNER: "Everything, and decides who else may do what.",
    Role.ADMIN: "Mailboxes, domains, routing, migrations and deletions.",
    Role.HELPDESK: "Sees and creates mailboxes, sets passwords and recovery methods.",
    Role.AUDITOR: "Sees everything, the audit log included, and changes nothing.",
}
LONGEST_GRACE = 30 * 24
# Its field comes back empty, which is easily missed beside another fault.
ONCE_MORE = "Enter the password once more: this page does not keep it."


class RightsForm(forms.Form):
    """A role, and all domains or some of them."""

    role = forms.ChoiceField(choices=Role.choices, widget=forms.RadioSelect)
    scope = forms.ChoiceField(
        label="Domains",
        choices=[(ALL, "All domains"), (SOME, "Only some domains")],
        initial=ALL,
        widget=forms.RadioSelect,
    )
    domains = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self, *args: Any, present: User | Invitation | None = None, **kwargs: Any
    ) -> None:
        if present:
            kwargs["initial"] = {
                "role": present.role,
                "scope": ALL if present.domain_scope is None else SOME,
                "domains": present.domain_scope or [],
            }
        super().__init__(*args, **kwargs)
        # Somebody may be limited to a domain that is not there any more, or not yet.
        kept = present.domain_scope or [] if present else []
        names = sorted({*known_domains(), *kept})
        self.fields["domains"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]  # of this kind of field

    @property
    def roles(self) -> list[tuple[Any, str]]:
        """Each role's radio button and what it means."""
        return list(zip(self["role"], ROLE_HELP.values(), strict=True))

    @property
    def chosen_role(self) -> Role:
        return Role(self.cleaned_data["role"])

    @property
    def domain_scope(self) -> list[str] | None:
        if self.cleaned_data["scope"] == ALL:
            return None
        return sorted(self.cleaned_data["domains"])

    def clean(self) -> None:
        found = self.cleaned_data
        is_empty = not found.get("domains") and "domains" not in self.errors
        if found.get("scope") == SOME and is_empty:
            self.add_error("domains", "Choose at least one domain.")


class InvitePersonForm(RightsForm):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(
            attrs={"autocomplete": "off", "autocapitalize": "none"}
        ),
        help_text="The link to set a password goes there, later warnings as well.",
    )
    field_order = ["email"]

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class AcceptInvitationForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Twelve characters or more. Several unrelated words are hard to "
        "guess and easy to remember.",
    )

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitation

    def clean(self) -> None:
        password = self.cleaned_data.get("password")
        if password:
            name = self.cleaned_data.get("name", "")
            try:
                validate_password(
                    password, User(email=self.invitation.email, name=name)
                )
            except ValidationError as exc:
                self.add_error("password", exc)
            else:
                if self.errors:
                    self.add_error("password", ONCE_MORE)


class ProfileForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class OrganisationForm(forms.Form):
    name = forms.CharField(
        label="Name",
        required=False,
        max_length=100,
        help_text="It stands in invitations, so that people know who writes.",
    )
    grace_hours = forms.IntegerField(
        label="Hours until a deletion happens",
        min_value=1,
        max_value=LONGEST_GRACE,
        help_text="Until then any administrator can cancel it. What waits already keeps "
        "its time.",
    )
    second_person_required = forms.BooleanField(
        label="A second person must approve",
        required=False,
        help_text="Deletions of domains and of several things at once wait for another "
        "owner or administrator.",
    )
    second_factor_required = forms.BooleanField(
        label="Everybody must have a second factor",
        required=False,
        help_text="People without one get seven days; then they have to set it up "
        "before anything else.",
    )
    credit_attention = forms.DecimalField(
        label="Warn below",
        min_value=0,
        max_digits=8,
        decimal_places=2,
        help_text="In dollars, on the dashboard.",
    )
    credit_critical = forms.DecimalField(
        label="Alarm below",
        min_value=0,
        max_digits=8,
        decimal_places=2,
        help_text="In dollars.",
    )
    checkpoint_address = forms.EmailField(
        label="Address for checkpoints of the audit log",
        required=False,
        max_length=254,
        help_text="Once a day a signed note says how long the log is and how it ends. "
        "Kept elsewhere, it shows when entries were cut off later.",
    )

    def __init__(self, data: Any = None, *, organisation: Organisation) -> None:
        super().__init__(data, initial=vars(Decisions.present(organisation)))

    @property
    def decisions(self) -> Decisions:
        return Decisions(**self.cleaned_data)

    def clean(self) -> None:
        attention = self.cleaned_data.get("credit_attention")
        critical = self.cleaned_data.get("credit_critical")
        if attention is not None and critical is not None and critical > attention:
            self.add_error(
                "credit_critical", "The alarm comes after the warning, so it is lower."
            )
