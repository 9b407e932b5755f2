from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone

from purelymanage.migrations.engine_words import engine_help
from purelymanage.migrations.forms.logins import TOO_LONG, no_control_characters
from purelymanage.migrations.models.servers import EngineChoice
from purelymanage.migrations.options import RATES, JobOptions

MB = 1_000_000
MOST_MEGABYTES = 100_000
A_NUMBER = "Write a number from 1 up, or leave it empty."
A_RATE = f"Write a number from {RATES[0]:g} to {RATES[1]:g}, or leave it empty."


class OptionsForm(forms.Form):
    """What may be chosen about a copy without knowing its folders."""

    since = forms.DateField(
        label="Only messages since",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the day like 2024-05-31."},
    )
    engine = forms.ChoiceField(
        choices=[("auto", "Fastest that fits"), *EngineChoice.choices[1:]],
        required=False,
        error_messages={"invalid_choice": "Choose one of these."},
    )
    skip_trash = forms.BooleanField(label="Leave out the trash", required=False)
    skip_junk = forms.BooleanField(label="Leave out spam", required=False)
    megabytes = forms.DecimalField(
        label="Largest message in MB",
        required=False,
        max_value=MOST_MEGABYTES,
        min_value=Decimal("0.001"),
        help_text="What is larger stays in the old mailbox and is named afterwards.",
        error_messages=dict.fromkeys(["invalid", "min_value", "max_value"], A_NUMBER),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    subfolder = forms.CharField(
        label="Into the folder",
        required=False,
        max_length=200,
        validators=[no_control_characters],
        help_text="Everything is put below it, like “Old mail”.",
        error_messages={"max_length": TOO_LONG},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    messages_a_second = forms.DecimalField(
        label="Messages a second, at most",
        required=False,
        min_value=Decimal(str(RATES[0])),
        max_value=Decimal(str(RATES[1])),
        help_text="For servers that turn away who is too quick.",
        error_messages=dict.fromkeys(["invalid", "min_value", "max_value"], A_RATE),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    flags_only = forms.BooleanField(
        label="Marks only",
        required=False,
        help_text=(
            "Copies no messages. Those that are there already get what the old mailbox "
            "says: read, answered, flagged."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["engine"].help_text = engine_help()

    def clean_since(self) -> Any:
        since = self.cleaned_data["since"]
        if since is not None and since > timezone.localdate():
            raise forms.ValidationError("This day has not come yet.")
        return since

    def clean_engine(self) -> str:
        return self.cleaned_data["engine"] or EngineChoice.AUTO.value

    def options(self, before: JobOptions | None = None) -> JobOptions:
        """Return what was chosen; what this form does not ask for stays as before."""
        chosen = self.cleaned_data
        size, rate = chosen["megabytes"], chosen["messages_a_second"]
        return replace(
            before or JobOptions(),
            since=chosen["since"],
            skip_trash=chosen["skip_trash"],
            skip_junk=chosen["skip_junk"],
            max_message_bytes=int(size * MB) if size is not None else None,
            subfolder=chosen["subfolder"],
            messages_a_second=float(rate) if rate is not None else None,
            flags_only=chosen["flags_only"],
        )

    @property
    def has_more(self) -> bool:
        """Whether something is chosen or wrong that is folded away at first."""
        names = ["megabytes", "subfolder", "messages_a_second", "flags_only"]
        return any(self[it].value() or self[it].errors for it in names)


def initial_of(options: JobOptions, engine: str) -> dict[str, Any]:
    size = options.max_message_bytes
    return {
        "since": options.since,
        "engine": engine,
        "skip_trash": options.skip_trash,
        "skip_junk": options.skip_junk,
        "megabytes": f"{Decimal(size) / MB:f}" if size is not None else None,
        "subfolder": options.subfolder,
        "messages_a_second": options.messages_a_second,
        "flags_only": options.flags_only,
    }
