"""What is wanted of all rows of a bulk change."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from purelymanage.figures import thin
from purelymanage.mailboxes.models import Bulk
from purelymanage.mailboxes.tags import object_to_tags, read_tags

# From this many rows on, somebody types how many.
TYPED_FROM = 25
UNTYPED = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
LEAVE = [("", "Leave as it is"), ("on", "Switch on"), ("off", "Switch off")]
SWITCHES = {
    "two_factor": "Two-factor sign-in",
    "reset_allowed": "Reset by the owner",
    "search_indexing": "Search indexing",
}


class WishesForm(forms.Form):
    """Asks for the number of rows to be typed out where these are many."""

    confirm = forms.CharField(
        required=False, widget=forms.TextInput(attrs=dict(UNTYPED))
    )

    def __init__(
        self, data: QueryDict | None, *, bulk: Bulk, count: int, starts: bool = False
    ) -> None:
        super().__init__(data, initial=self.from_wishes(bulk.wishes))
        self.starts = starts
        self.to_type = str(count) if count >= self._typed_from(bulk) else ""
        if self.to_type:
            self.fields["confirm"].label = f"Type {self.to_type} to confirm"
            self.order_fields([it for it in self.fields if it != "confirm"])
        else:
            del self.fields["confirm"]

    def from_wishes(self, wishes: dict[str, Any]) -> dict[str, Any]:
        """Return what the fields begin with."""
        return {}

    @property
    def wishes(self) -> dict[str, Any]:
        """What the bulk change keeps of the form."""
        return {}

    def clean_confirm(self) -> str:
        typed: str = "".join(self.cleaned_data["confirm"].split())
        if self.starts and typed.replace(",", "") != self.to_type:
            raise ValidationError(f"Type {thin(int(self.to_type))} here, nothing else.")
        return typed

    def _typed_from(self, bulk: Bulk) -> int:
        return 2 if bulk.kind == Bulk.Kind.DELETE else TYPED_FROM


class FlagsForm(WishesForm):
    two_factor = forms.ChoiceField(
        label=SWITCHES["two_factor"],
        choices=LEAVE,
        required=False,
        help_text="Mail programs then need app passwords. A mailbox without a recovery "
        "method is left as it is.",
    )
    reset_allowed = forms.ChoiceField(
        label=SWITCHES["reset_allowed"],
        choices=LEAVE,
        required=False,
        help_text="When this is off, mail cannot be read again once the password is "
        "lost. PurelyMail may want a new password to switch it on.",
    )
    search_indexing = forms.ChoiceField(
        label=SWITCHES["search_indexing"],
        choices=LEAVE,
        required=False,
        help_text="The index counts as storage.",
    )

    def from_wishes(self, wishes: dict[str, Any]) -> dict[str, Any]:
        flags = wishes.get("flags", {})
        return {name: "on" if value else "off" for name, value in flags.items()}

    @property
    def wishes(self) -> dict[str, Any]:
        chosen = {name: self.cleaned_data.get(name) for name in SWITCHES}
        return {"flags": {name: it == "on" for name, it in chosen.items() if it}}

    def clean(self) -> None:
        if self.starts and not self.errors and not self.wishes["flags"]:
            raise ValidationError("Choose at least one switch.")


class TagsForm(WishesForm):
    add = forms.CharField(
        label="Add", max_length=300, required=False, widget=forms.TextInput(UNTYPED)
    )
    remove = forms.CharField(
        label="Take away",
        max_length=300,
        required=False,
        widget=forms.TextInput(UNTYPED),
    )

    def from_wishes(self, wishes: dict[str, Any]) -> dict[str, Any]:
        return {name: ", ".join(wishes.get(name, [])) for name in ("add", "remove")}

    @property
    def wishes(self) -> dict[str, Any]:
        return {
            name: read_tags(self.cleaned_data.get(name, ""))
            for name in ("add", "remove")
        }

    def clean_add(self) -> str:
        return self._checked("add")

    def clean_remove(self) -> str:
        return self._checked("remove")

    def clean(self) -> None:
        if self.errors:
            return
        wishes = self.wishes
        if self.starts and not any(wishes.values()):
            raise ValidationError("Write at least one tag.")
        if set(wishes["add"]) & set(wishes["remove"]):
            raise ValidationError("A tag is both to be added and to be taken away.")

    def _checked(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        if objection := object_to_tags(read_tags(text)):
            raise ValidationError(objection)
        return text


class ResetForm(WishesForm):
    revoke_app_passwords = forms.BooleanField(
        label="Revoke the app passwords made by this panel",
        required=False,
        help_text="Those that owners made at PurelyMail keep working: nobody else can "
        "list or revoke them.",
    )

    def from_wishes(self, wishes: dict[str, Any]) -> dict[str, Any]:
        return {"revoke_app_passwords": wishes.get("revoke_app_passwords", True)}

    @property
    def wishes(self) -> dict[str, Any]:
        return {"revoke_app_passwords": self.cleaned_data["revoke_app_passwords"]}


class DeleteForm(WishesForm):
    shown = forms.CharField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(
        label="Reason",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="For the other administrators.",
    )

    def from_wishes(self, wishes: dict[str, Any]) -> dict[str, Any]:
        return {"reason": wishes.get("reason", "")}

    @property
    def wishes(self) -> dict[str, Any]:
        return {name: self.cleaned_data.get(name, "") for name in ("shown", "reason")}


FORMS: dict[str, type[WishesForm]] = {
    Bulk.Kind.CREATE: WishesForm,
    Bulk.Kind.RESET: ResetForm,
    Bulk.Kind.FLAGS: FlagsForm,
    Bulk.Kind.TAG: TagsForm,
    Bulk.Kind.DELETE: DeleteForm,
}
