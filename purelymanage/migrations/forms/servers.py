from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.html import format_html

from purelymanage.domains.dns.names import BadName, domain_name
from purelymanage.migrations.engine_words import engine_help
from purelymanage.migrations.forms.logins import (
    PLAIN,
    TOO_LONG,
    no_control_characters,
    password_field,
    user_field,
)
from purelymanage.migrations.models import EngineChoice, Server
from purelymanage.migrations.operations.servers import Settings
from purelymanage.migrations.presets import BY_KEY, MB, PRESETS

HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f:]+:[0-9a-f:.]*")
WITH_PORT = re.compile(r"([a-z0-9._-]+):([0-9]{1,5})")
PORTS = "A port is a number from 1 to 65535, mostly 993."
CHOOSE = "Choose one of the list."
AT_LEAST_ONE = "Write a number from 1 up, or leave it empty."
MOST_RUNS = 100
MOST_MEGABYTES = 10_000_000
TOO_MANY_MEGABYTES = "That is more than anybody copies in a day: leave it empty."
MOST_FOLDERS = 200
LONGEST_FOLDER = 500
BOTH_ENDS = "A pause needs both ends. Leave both empty for none."
PRESET_CHOICES = [("", "Another one"), *((it.key, it.name) for it in PRESETS)]


class FindServerForm(forms.Form):
    """Asks for an address, to find the settings of its server."""

    address = forms.CharField(
        label="A mail address there, or its domain",
        max_length=254,
        validators=[no_control_characters],
        error_messages={
            "required": "Write an address, like anna@example.org.",
            "max_length": TOO_LONG,
        },
        widget=forms.TextInput(attrs=PLAIN | {"placeholder": "anna@example.org"}),
    )

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        try:
            domain_name(address)
        except BadName as exc:
            raise ValidationError(str(exc)) from exc
        return address


def _miss_half_a_login(form: forms.BaseForm) -> None:
    """Ask for the half of a login that is missing where one was typed."""
    user = form.cleaned_data.get("try_user")
    password = form.cleaned_data.get("try_password")
    if password and not user and "try_user" not in form.errors:
        form.add_error("try_user", "Whose password is it?")
    if user and not password and "try_password" not in form.errors:
        form.add_error("try_password", f"Enter the password of {user}.")


class TryServerForm(forms.Form):
    """A login to try a server with, if there is one. It is not stored."""

    try_user = user_field(label="User name")
    try_password = password_field(label="Password")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        _miss_half_a_login(self)
        return cleaned


def _limit(label: str, help_text: str, most: int, too_many: str) -> forms.IntegerField:
    """Return a field for a whole number from 1 up, where nothing is no limit."""
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=1,
        max_value=most,
        help_text=help_text,
        error_messages=dict.fromkeys(["invalid", "min_value"], AT_LEAST_ONE)
        | {"max_value": too_many},
    )


class ServerForm(forms.ModelForm[Server]):
    """A server, and optionally a login to try it with, which is not stored."""

    preset = forms.ChoiceField(
        choices=PRESET_CHOICES,
        required=False,
        error_messages={"invalid_choice": CHOOSE},
        widget=forms.HiddenInput,
    )
    clear_is_meant = forms.BooleanField(
        label="Send everything without any protection",
        required=False,
    )
    parallel_runs = _limit(
        "Copies at the same time",
        "Providers turn away who comes with too many connections.",
        MOST_RUNS,
        f"At most {MOST_RUNS} run at the same time.",
    )
    megabytes_a_day = _limit(
        "MB a day",
        "When they are used up, copies go on the next day by themselves.",
        MOST_MEGABYTES,
        TOO_MANY_MEGABYTES,
    )
    megabytes_a_day_each = _limit(
        "MB a day for each mailbox",
        "Where a provider counts by mailbox, as Google does.",
        MOST_MEGABYTES,
        TOO_MANY_MEGABYTES,
    )
    messages_a_second = forms.DecimalField(
        label="Messages a second",
        required=False,
        min_value=Decimal("0.1"),
        max_value=Decimal(1000),
        help_text="For each copy. Servers that are asked faster begin to make us wait.",
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"],
            "Write a number from 0.1 to 1000, or leave it empty.",
        ),
    )
    left_out_folders = forms.CharField(
        label="Folders left out",
        required=False,
        max_length=MOST_FOLDERS * LONGEST_FOLDER,
        help_text=(
            "One a line, * stands for anything. Views that show mail of other folders "
            "once more belong here."
        ),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
    )
    try_user = user_field(label="User name")
    try_password = password_field(label="Password")

    class Meta:
        model = Server
        fields = [
            "name",
            "host",
            "port",
            "security",
            "verify_certificate",
            "preset",
            "engine",
            "parallel_runs",
            "messages_a_second",
            "pause_from",
            "pause_until",
            "left_out_folders",
        ]
        labels = {
            "name": "Name",
            "host": "Host name",
            "security": "Protection",
            "verify_certificate": "Check the certificate",
            "engine": "Copied by",
            "pause_from": "No copies from",
            "pause_until": "Until",
        }
        help_texts = {
            "name": "As your colleagues call it, like “Old provider”.",
            "port": "Usually 993 with TLS, 143 otherwise.",
            "verify_certificate": (
                "Without it, somebody on the way could pose as this server and read "
                "the passwords. Switch it off only for a server you know."
            ),
            "pause_from": "While people work, for example. In local time, every day.",
        }
        error_messages = {
            "name": {
                "required": "Give it a name, so that others know which one it is.",
                "max_length": "Use a name of at most 100 characters.",
            },
            "host": {
                "required": "Write the host name, like imap.old-provider.example.",
                "max_length": TOO_LONG,
            },
            "port": dict.fromkeys(
                ["required", "invalid", "min_value", "max_value"], PORTS
            ),
            "security": dict.fromkeys(
                ["required", "invalid_choice"],
                "Choose how the connection is protected.",
            ),
            "engine": {"invalid_choice": CHOOSE},
            "pause_from": {"invalid": "Write a time, like 08:00."},
            "pause_until": {"invalid": "Write a time, like 18:00."},
        }
        widgets = {
            "host": forms.TextInput(attrs=PLAIN | {"inputmode": "url"}),
            "security": forms.RadioSelect,
            "pause_from": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
            "pause_until": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        }

    # As they stand on the page: the first that is wrong gets the focus.
    field_order = [
        "name",
        "host",
        "port",
        "security",
        "clear_is_meant",
        "verify_certificate",
        "parallel_runs",
        "megabytes_a_day",
        "megabytes_a_day_each",
        "messages_a_second",
        "pause_from",
        "pause_until",
        "engine",
        "left_out_folders",
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whoever says nothing about it means the usual one.
        self.fields["engine"].required = False
        self.fields["engine"].help_text = format_html(
            "{} {}", "A single copy may choose for itself.", engine_help()
        )
        server = self.instance
        known: dict[str, Any] = {
            "left_out_folders": "\n".join(server.left_out_folders),
            "megabytes_a_day": server.bytes_a_day and round(server.bytes_a_day / MB),
            "megabytes_a_day_each": server.bytes_a_day_each
            and round(server.bytes_a_day_each / MB),
            "clear_is_meant": server.pk and server.security == Server.Protection.CLEAR,
        }
        for name, value in known.items():
            if name not in (kwargs.get("initial") or {}):
                self.initial[name] = value

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Server.objects.present().exclude(pk=self.instance.pk)
        if others.filter(name__iexact=name).exists():
            raise ValidationError("There is a server with this name already.")
        return name

    def clean_host(self) -> str:
        host: str = self.cleaned_data["host"].lower().rstrip(".")
        if both := WITH_PORT.fullmatch(host):
            host = both[1].rstrip(".")
        if not HOST.fullmatch(host):
            raise ValidationError(
                "Write only the host name, like imap.old-provider.example."
            )
        return host

    def clean_port(self) -> int:
        port: int = self.cleaned_data["port"]
        host = str(self["host"].value() or "").strip().lower()
        # What stands behind the host name is meant, whatever is still in its field.
        if both := WITH_PORT.fullmatch(host):
            port = int(both[2])
            if not 0 < port < 65536:
                raise ValidationError(PORTS)
        return port

    def clean_preset(self) -> str:
        return self.cleaned_data["preset"] or ""

    def clean_engine(self) -> str:
        return self.cleaned_data["engine"] or EngineChoice.AUTO

    def clean_messages_a_second(self) -> float | None:
        rate: Decimal | None = self.cleaned_data["messages_a_second"]
        return None if rate is None else float(rate)

    def clean_left_out_folders(self) -> list[str]:
        lines = self.cleaned_data["left_out_folders"].splitlines()
        folders = list(dict.fromkeys(it.strip() for it in lines if it.strip()))
        if len(folders) > MOST_FOLDERS:
            raise ValidationError(f"At most {MOST_FOLDERS} lines are looked at.")
        for folder in folders:
            no_control_characters(folder)
            if len(folder) > LONGEST_FOLDER:
                raise ValidationError("No folder has a name that long.")
            if not folder.strip("*"):
                raise ValidationError("That would leave every folder out.")
        return folders

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data = self.cleaned_data
        if data.get("security") == Server.Protection.CLEAR and not data.get(
            "clear_is_meant"
        ):
            self.add_error(
                "clear_is_meant",
                "Tick this if you mean it, or choose TLS or STARTTLS.",
            )
        begin, end = data.get("pause_from"), data.get("pause_until")
        if (begin is None) != (end is None) and not (
            {"pause_from", "pause_until"} & set(self.errors)
        ):
            self.add_error("pause_from" if begin is None else "pause_until", BOTH_ENDS)
        if begin is not None and begin == end:
            self.add_error("pause_until", "That would be no hour of the day, or all.")
        _miss_half_a_login(self)
        return cleaned

    def forget_login(self) -> None:
        """Show none any more: without its password, half of it would be in the way."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["try_user"] = ""
        self.data = data

    def settings(self) -> Settings:
        """Return what was said about the server, in the words of its model."""
        data = self.cleaned_data
        megabytes: int | None = data["megabytes_a_day"]
        each: int | None = data["megabytes_a_day_each"]
        return {
            "name": data["name"],
            "host": data["host"],
            "port": data["port"],
            "security": data["security"],
            "verify_certificate": data["verify_certificate"],
            "preset": data["preset"],
            "engine": data["engine"],
            "parallel_runs": data["parallel_runs"],
            "bytes_a_day": None if megabytes is None else megabytes * MB,
            "bytes_a_day_each": None if each is None else each * MB,
            "messages_a_second": data["messages_a_second"],
            "pause_from": data["pause_from"],
            "pause_until": data["pause_until"],
            "left_out_folders": data["left_out_folders"],
        }


def preset_values(key: str) -> dict[str, Any]:
    """Return what a form begins with where somebody chose a provider."""
    preset = BY_KEY.get(key)
    if preset is None:
        return {}
    return {
        "preset": preset.key,
        "name": preset.name,
        "host": preset.host,
        "port": preset.port,
        "security": preset.security.value,
        "parallel_runs": preset.parallel_runs,
        "megabytes_a_day": preset.bytes_a_day and preset.bytes_a_day // MB,
        "megabytes_a_day_each": preset.bytes_a_day_each
        and preset.bytes_a_day_each // MB,
        "messages_a_second": preset.messages_a_second,
        "left_out_folders": "\n".join(preset.left_out_folders),
    }
