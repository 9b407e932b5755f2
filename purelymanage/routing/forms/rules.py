from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import QueryDict

from purelymanage.long_selects import LongSelect
from purelymanage.mailboxes.addresses import ATOM, object_to_local_part
from purelymanage.routing.forms.expiry import LastDayField
from purelymanage.routing.model import rules as model
from purelymanage.routing.model.accounts import Account
from purelymanage.routing.model.rules import Kind
from purelymanage.routing.models import Rule

LONGEST_NOTE = 2_000
LONGEST_TARGETS = 20_000
BEGINNING = re.compile(rf"\.?{ATOM}(\.{ATOM})*\.?|\.")
AS_WRITTEN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
NOTE_HELP = "For administrators. PurelyMail knows nothing of it. No passwords, please."
# As the portal names them, and what each means.
KINDS = (
    (Kind.EXACT, "Exact address", "One address, such as sales@"),
    (Kind.PREFIX, "Any address starting with", "All that begin alike: fax1@, fax2@ …"),
    (
        Kind.CATCH_ALL,
        "Any address except mailboxes",
        "Whatever has no mailbox of its own. Mailboxes keep their mail.",
    ),
    (Kind.ANY, "Any address", "Takes the mail of mailboxes, too."),
)
FLAGS = {
    # The flags `prefix` and `catchall`.
    Kind.EXACT: (False, False),
    Kind.PREFIX: (True, False),
    Kind.ANY: (True, False),
    Kind.CATCH_ALL: (True, True),
}


class RuleForm(forms.Form):
    """Which mail, and where it goes. `accepted` is a sign of the warnings shown."""

    kind = forms.ChoiceField(
        label="Which mail",
        choices=[(kind.value, label) for kind, label, _ in KINDS],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose which mail it is about."},
    )
    name = forms.CharField(
        required=False, max_length=254, widget=forms.TextInput(attrs=AS_WRITTEN)
    )
    domain = forms.ChoiceField(
        widget=LongSelect,
        error_messages={
            "required": "Choose a domain.",
            "invalid_choice": "%(value)s is not a domain of this account.",
        },
    )
    targets = forms.CharField(
        required=False,
        max_length=LONGEST_TARGETS,
        widget=forms.Textarea(attrs=AS_WRITTEN | {"rows": 4}),
    )
    keep_copy = forms.BooleanField(required=False)
    note = forms.CharField(
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=NOTE_HELP,
    )
    ends_on = LastDayField(
        required=False,
        help_text="The rule is deleted with the end of this day, and you are reminded "
        "the day before.",
    )
    accepted = forms.CharField(required=False, widget=forms.HiddenInput)
    confirm = forms.CharField(required=False, widget=forms.TextInput(attrs=AS_WRITTEN))

    def __init__(
        self,
        data: QueryDict | None,
        *,
        account: Account,
        initial: dict[str, Any] | None = None,
    ) -> None:
        self.account = account
        # Set where there is something to accept before it is saved.
        self.needs_decision = False
        super().__init__(_split_address(data, account.domains), initial=initial)
        field = self.fields["domain"]
        assert isinstance(field, forms.ChoiceField)
        none = [] if len(account.domains) == 1 else [("", "Choose a domain")]
        field.choices = [*none, *((name, name) for name in sorted(account.domains))]

    @cached_property
    def filled(self) -> RuleForm:
        """The form as it was sent, or as if it were sent as it stands."""
        form = self
        if not self.is_bound:
            data = QueryDict(mutable=True)
            data.update({name: it for name, it in self.initial.items() if it})
            form = RuleForm(data, account=self.account)
        form.full_clean()
        return form

    @property
    def kinds(self) -> list[tuple[Any, str]]:
        """Each radio with what its kind means."""
        helps = {kind.value: text for kind, _, text in KINDS}
        radios = list(self["kind"])
        for it in radios:
            # Its label holds both, so that all of it can be clicked.
            it.data["attrs"]["aria-labelledby"] = f"{it.id_for_label}_label"
            it.data["attrs"]["aria-describedby"] = f"{it.id_for_label}_helptext"
        return [(it, helps[it.data["value"]]) for it in radios]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        kind = self.cleaned_data.get("kind")
        if kind in (Kind.ANY, Kind.CATCH_ALL):
            return ""
        if kind == Kind.PREFIX:
            name = name.removesuffix("*")
        if not name:
            raise ValidationError(
                "Write how the addresses begin."
                if kind == Kind.PREFIX
                else "Write what stands before the @."
            )
        if "@" in name:
            domain = name.rpartition("@")[2]
            raise ValidationError(f"{domain} is not a domain of this account.")
        if kind == Kind.PREFIX and BEGINNING.fullmatch(name):
            return name
        if objection := object_to_local_part(name):
            raise ValidationError(objection)
        return name

    def clean_targets(self) -> list[str]:
        targets = split_addresses(self.cleaned_data["targets"])
        wrong = [it for it in targets if not _is_address(it)]
        if wrong:
            raise ValidationError(
                f"{wrong[0]} is no e-mail address. Write it like name@example.org."
            )
        return targets

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        return note.replace("\r\n", "\n")

    def clean(self) -> None:
        keeps = self.own_mailbox and self.cleaned_data.get("keep_copy")
        if self.cleaned_data.get("targets") == [] and not keeps:
            self.add_error("targets", "Name at least one address.")

    @property
    def own_mailbox(self) -> str:
        """The mailbox with the address that the rule is about, if there is one."""
        name, domain = (self.cleaned_data.get(it) for it in ("name", "domain"))
        address = f"{name}@{domain}"
        is_exact = self.cleaned_data.get("kind") == Kind.EXACT
        return address if is_exact and address in self.account.mailboxes else ""

    @property
    def rule(self) -> model.Rule | None:
        """The rule as it would be, where so much of the form is valid."""
        data = self.cleaned_data
        if not data.get("kind") or not data.get("domain") or "name" not in data:
            return None
        prefix, catchall = FLAGS[Kind(data["kind"])]
        targets = list(data.get("targets", []))
        if data.get("keep_copy") and self.own_mailbox:
            targets.append(self.own_mailbox)
        return model.Rule(
            domain=data["domain"],
            match_user=data["name"],
            prefix=prefix,
            catchall=catchall,
            targets=tuple(dict.fromkeys(targets)),
        )


class NoteForm(forms.Form):
    """A note, and a sign of what it was when the form was shown."""

    note = forms.CharField(
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=NOTE_HELP,
    )
    shown = forms.CharField(max_length=16, widget=forms.HiddenInput)

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        return note.replace("\r\n", "\n")


def initial_of(rule: Rule, account: Account) -> dict[str, Any]:
    """Return what the form says of a rule that is there."""
    targets = list(dict.fromkeys(it.strip().lower() for it in rule.targets))
    own = rule.pattern.lower()
    keeps = rule.kind == Rule.Kind.EXACT and own in targets and own in account.mailboxes
    if keeps:
        targets.remove(own)
    return {
        "kind": rule.kind if rule.kind != Rule.Kind.CUSTOM else "",
        "name": rule.match_user,
        "domain": rule.domain,
        "targets": "\n".join(targets),
        "keep_copy": keeps,
    }


def asked_about(written: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Return the domains and the addresses that what was sent may be about.

    It takes these to say what the rule would do, whatever else is wrong with it.
    """
    # PostgreSQL knows no NUL.
    said = {name: text.replace("\0", " ") for name, text in written.items()}
    name, domain = (said.get(it, "").strip().lower() for it in ("name", "domain"))
    local, at, typed = name.rpartition("@")
    domains = {domain, typed} if at else {domain}
    addresses = {f"{local if at else name}@{it}" for it in domains}
    for it in ("targets", "add"):
        addresses |= set(split_addresses(said.get(it, "")))
    return domains - {""}, addresses


def split_addresses(text: str) -> list[str]:
    """Take a list apart as people paste it, also “Anna <anna@example.org>, …”."""
    unquoted = re.sub(r'"[^"\n]*"', " ", text)
    bare = re.sub(r"[^,;\n<>]*<([^<>]*)>", r" \1 ", unquoted)
    found = (it.strip("<>\"'()").removeprefix("mailto:") for it in bare.split())
    parts = (
        part.strip("<>\"'").lower() for it in found for part in re.split("[,;]", it)
    )
    return list(dict.fromkeys(filter(None, parts)))


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254


def _split_address(
    data: QueryDict | None, domains: Collection[str]
) -> QueryDict | None:
    """Take a pasted address apart, and write it small as PurelyMail does."""
    if data is None:
        return None
    data = data.copy()
    written = data.get("name", "").strip().lower()
    local, at, name = written.rpartition("@")
    if at and name in domains:
        data["domain"] = name
        written = local
    data["name"] = written
    return data
