from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from purelymanage.mailboxes.forms.bulks import TYPED_FROM, UNTYPED
from purelymanage.routing.models import RuleBulk


class StartForm(forms.Form):
    """Asks for something to be typed where mailboxes go silent, or where it is much."""

    confirm = forms.CharField(
        required=False, widget=forms.TextInput(attrs=dict(UNTYPED))
    )

    def __init__(self, *args: Any, bulk: RuleBulk, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        waiting = list(bulk.rows.waiting().values_list("warnings", flat=True))
        self.domains = sorted({name for it in waiting for *_, name in it if name})
        self.to_type = " ".join(self.domains)
        if not self.domains and len(waiting) >= TYPED_FROM:
            self.to_type = str(len(waiting))
        if self.to_type:
            self.fields["confirm"].label = f"Type {self.to_type} to confirm"
        else:
            del self.fields["confirm"]

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        words = typed.lower().replace(",", " ").split()
        if sorted(words) != sorted(self.to_type.split()):
            raise ValidationError(f"Type {self.to_type} here, nothing else.")
        return typed
