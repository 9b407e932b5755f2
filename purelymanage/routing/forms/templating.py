"""One rule over many domains: which names, which domains, and where their mail goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from purelymanage.mailboxes.addresses import object_to_local_part
from purelymanage.routing.bulk import meanings
from purelymanage.routing.bulk.meanings import BETWEEN, Meaningless
from purelymanage.routing.bulk.templating import ROLES, Template

UNTYPED = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
USUAL = ["postmaster", "abuse"]


class TemplateForm(forms.Form):
    roles = forms.MultipleChoiceField(
        label="Addresses",
        required=False,
        choices=[(name, name) for name in ROLES],
        initial=USUAL,
        widget=forms.CheckboxSelectMultiple,
    )
    others = forms.CharField(
        label="Other names",
        required=False,
        max_length=1_000,
        widget=forms.TextInput(attrs=dict(UNTYPED)),
        help_text="What stands before the @, with spaces or commas between.",
    )
    domains = forms.MultipleChoiceField(
        label="Domains",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    all_domains = forms.BooleanField(label="All of them", required=False)
    targets = forms.CharField(
        label="Their mail goes to",
        max_length=10_000,
        widget=forms.TextInput(attrs=dict(UNTYPED)),
        help_text="One address or several, with spaces or commas between.",
    )
    where_rule = forms.ChoiceField(
        label="Where there is a rule for the address already",
        choices=[
            ("keep", "Leave it as it is"),
            ("add", "Add these targets to its own"),
            ("replace", "Replace its targets by these"),
        ],
        initial="keep",
        widget=forms.RadioSelect,
    )
    spares_mailboxes = forms.BooleanField(
        label="Leave out addresses that are mailboxes",
        required=False,
        initial=True,
        help_text="A rule would take their mail away.",
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        domains: Sequence[str],
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        field = self.fields["domains"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(name, name) for name in domains]
        self.names_of_domains = list(domains)

    @classmethod
    def initial_from(cls, template: Template) -> dict[str, Any]:
        return {
            "roles": [it for it in template.names if it in ROLES],
            "others": " ".join(it for it in template.names if it not in ROLES),
            "domains": list(template.domains),
            "targets": " ".join(template.targets),
            "where_rule": template.where_rule,
            "spares_mailboxes": template.spares_mailboxes,
        }

    @property
    def roles_with_use(self) -> list[tuple[Any, str]]:
        """The boxes of the usual names, each with what it is for."""
        return [
            (box, ROLES[str(box.data["value"])]) for box in self["roles"].subwidgets
        ]

    @property
    def template(self) -> Template:
        data = self.cleaned_data
        names = dict.fromkeys([*data["roles"], *data["others"]])
        domains = self.names_of_domains if data["all_domains"] else data["domains"]
        return Template(
            names=tuple(names),
            domains=tuple(domains),
            targets=data["targets"],
            where_rule=data["where_rule"],
            spares_mailboxes=data["spares_mailboxes"],
        )

    def clean_others(self) -> list[str]:
        names = [it.lower() for it in BETWEEN.split(self.cleaned_data["others"]) if it]
        for name in names:
            if "@" in name:
                raise ValidationError(f"Write only what stands before the @ in {name}.")
            if objection := object_to_local_part(name):
                raise ValidationError(f"{name}: {objection}")
        return names

    def clean_targets(self) -> tuple[str, ...]:
        try:
            return meanings.targets(self.cleaned_data["targets"])
        except Meaningless as exc:
            raise ValidationError(str(exc)) from exc

    def clean(self) -> None:
        data = self.cleaned_data
        if not data.get("roles") and not data.get("others") and "others" in data:
            self.add_error("others", "Choose a name above, or write one.")
        if not data.get("domains") and not data.get("all_domains"):
            self.add_error("domains", "Choose at least one domain.")
