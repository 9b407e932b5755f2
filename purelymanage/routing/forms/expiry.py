from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from purelymanage.deletions import policy
from purelymanage.routing.models.expiries import first_day
from purelymanage.routing.operations.expiry import in_words, waiting_time


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"autocomplete": "off"})


class ExpiryForm(forms.Form):
    """The last day of a rule, not sooner than deletions wait."""

    ends_on = forms.DateField(
        label="Last day",
        widget=DayInput(),
        error_messages={"invalid": "Write a day like 2027-01-31."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.first = first_day(policy.grace(), timezone.now())
        self.fields["ends_on"].widget.attrs["min"] = self.first.isoformat()

    def clean_ends_on(self) -> Any:
        day = self.cleaned_data["ends_on"]
        if day < self.first:
            raise ValidationError(
                f"Deletions wait {waiting_time()}, so {in_words(self.first)} is the "
                "first possible day."
            )
        return day
