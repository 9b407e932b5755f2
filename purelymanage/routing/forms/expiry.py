from __future__ import annotations

from datetime import date
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


class LastDayField(forms.DateField):
    """The last day of a rule, not sooner than deletions wait."""

    def __init__(self, **more: Any) -> None:
        more.setdefault("label", "Last day")
        super().__init__(
            widget=DayInput(),
            error_messages={"invalid": "Write a day like 2027-01-31."},
            **more,
        )

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> Any:
        self.widget.attrs["min"] = self.first.isoformat()
        return super().get_bound_field(form, field_name)

    @property
    def first(self) -> date:
        return first_day(policy.grace(), timezone.now())

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value is not None and value < (first := self.first):
            raise ValidationError(
                f"Deletions wait {waiting_time()}, so {in_words(first)} is the first "
                "possible day."
            )


class ExpiryForm(forms.Form):
    ends_on = LastDayField()
