from __future__ import annotations

from typing import Any

from django import forms

from purelymanage.migrations.models import QueueRules

MOST = 100
BOTH_ENDS = "A pause needs both ends. Leave both empty for none."
CLOCK = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
BETWEEN = f"Write a number from 1 to {MOST}."


class LimitForm(forms.Form):
    """Asks how many copies may run at once."""

    parallel_runs = forms.IntegerField(
        label="Copies at the same time",
        min_value=1,
        max_value=MOST,
        error_messages={
            "required": BETWEEN,
            "invalid": BETWEEN,
            "min_value": BETWEEN,
            "max_value": BETWEEN,
        },
        widget=forms.NumberInput(attrs={"class": "input count"}),
    )


class QueueForm(LimitForm):
    """Asks for the hours as well in which copies make a pause."""

    pause_from = forms.TimeField(
        label="No copies from",
        required=False,
        widget=CLOCK,
        help_text="While people work, for example. In local time, every day.",
        error_messages={"invalid": "Write a time, like 08:00."},
    )
    pause_until = forms.TimeField(
        label="Until",
        required=False,
        widget=CLOCK,
        error_messages={"invalid": "Write a time, like 18:00."},
    )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        begin, end = (self.cleaned_data.get(it) for it in ("pause_from", "pause_until"))
        if (begin is None) != (end is None) and not (
            {"pause_from", "pause_until"} & set(self.errors)
        ):
            self.add_error("pause_from" if begin is None else "pause_until", BOTH_ENDS)
        if begin is not None and begin == end:
            self.add_error("pause_until", "That would be no hour of the day, or all.")
        return cleaned


def first_values(rules: QueueRules) -> dict[str, Any]:
    return {
        "parallel_runs": rules.parallel_runs,
        "pause_from": rules.pause_from,
        "pause_until": rules.pause_until,
    }
